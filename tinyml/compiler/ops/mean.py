"""MEAN: int8 -> int8 over any constant set of axes."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import unsupported
from tinyml.compiler.ops._reduce import (
    check_reduction,
    reduced_elements,
    reduction_call,
    require_sums,
)
from tinyml.compiler.ops._table import check_requantize
from tinyml.compiler.quant import quantize_multiplier
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 of up to 6 axes and constant int32 axes to average over."""
    source, target = graph.input(op, 0), graph.output(op)
    check_reduction(op, graph)
    require_sums(op, graph)
    if source.elements == 0:
        raise unsupported(op, source, "a mean of nothing")
    check_requantize(op, target, source.scale / target.scale)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_mean_s8: a walk over what stays, in it one over what goes."""
    ratio = graph.input(op, 0).scale / graph.output(op).scale
    return reduction_call(op, graph, "tml_mean_s8", _scale(ratio, reduced_elements(op, graph)))


def _scale(ratio: float, count: int) -> tuple[int, int]:
    """Multiplier and shift of ratio / count, divided as in TFLite's QuantizedMeanOrSum."""
    multiplier, shift = quantize_multiplier(ratio)
    more = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << more) // count, shift - more
