"""SUM: int8 -> int8 over any constant set of axes."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops._reduce import check_reduction, reduction_call, require_sums
from tinyml.compiler.quant import quantize_multiplier
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 of up to 6 axes and constant int32 axes, with sums that fit into int32."""
    check_reduction(op, graph)
    require_sums(op, graph, _scale(op, graph)[1])


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_sum_s8: a walk over what stays, in it one over what goes."""
    return reduction_call(op, graph, "tml_sum_s8", _scale(op, graph))


def _scale(op: Op, graph: Graph) -> tuple[int, int]:
    return quantize_multiplier(graph.input(op, 0).scale / graph.output(op).scale)
