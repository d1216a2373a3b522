"""LEAKY_RELU: int8 -> int8 of any scales; negative values times a constant alpha of at least 0."""

from __future__ import annotations

import numpy as np

from tinyml.compiler.call import Call
from tinyml.compiler.ops import require_quantized, unsupported
from tinyml.compiler.ops._table import check_requantize, check_same_shape, rescaled, table_call
from tinyml.compiler.quant import rounding_of
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 on both sides and a finite alpha of at least 0."""
    source, target = graph.input(op, 0), graph.output(op)
    require_quantized(op, source, target)
    check_same_shape(op, source, target)
    if not 0 <= op.option("alpha") < np.inf:
        raise unsupported(op, source, f"alpha {op.option('alpha')}")
    for ratio in _ratios(op, graph):
        check_requantize(op, target, ratio)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of a table of 256 bytes, which may work in place."""
    source, target = graph.input(op, 0), graph.output(op)
    positive, negative = _ratios(op, graph)
    table = rescaled(source, target, lambda value: positive if value >= 0 else negative)
    return table_call("tml_leaky_relu_s8", source, target, table)


def _ratios(op: Op, graph: Graph) -> tuple[float, float]:
    """The factors of values from 0 up and below 0, as QuantizeLeakyRelu's Prepare has them."""
    source, target = graph.input(op, 0), graph.output(op)
    narrow, alpha = rounding_of(op), float(np.float32(op.option("alpha")))
    return narrow(source.scale / target.scale), narrow(narrow(source.scale * alpha) / target.scale)
