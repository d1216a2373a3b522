"""RELU on its own: int8 -> int8, with a change of scale."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import require_quantized
from tinyml.compiler.ops._table import byte_table, check_requantize, check_same_shape, table_call
from tinyml.compiler.quant import rounding_of
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 on both sides, of any scales."""
    source, target = graph.input(op, 0), graph.output(op)
    require_quantized(op, source, target)
    check_same_shape(op, source, target)
    check_requantize(op, target, _ratio(op, graph))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of a table of 256 bytes, which may work in place."""
    source, target = graph.input(op, 0), graph.output(op)
    table = byte_table(source, target, _ratio(op, graph), low=target.zero_point)
    return table_call("tml_relu_s8", source, target, table)


def _ratio(op: Op, graph: Graph) -> float:
    return rounding_of(op)(graph.input(op, 0).scale / graph.output(op).scale)
