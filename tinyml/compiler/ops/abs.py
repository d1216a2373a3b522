"""ABS: int8 -> int8 of any scales."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import require_quantized
from tinyml.compiler.ops._table import check_requantize, check_same_shape, table_call, tabulate
from tinyml.compiler.quant import quantize_multiplier, requantize, rounding_of
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 on both sides, of any scales."""
    source, target = graph.input(op, 0), graph.output(op)
    require_quantized(op, source, target)
    check_same_shape(op, source, target)
    check_requantize(op, target, source.scale / target.scale)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of a table of 256 bytes, which may work in place."""
    source, target = graph.input(op, 0), graph.output(op)
    multiplier, shift = quantize_multiplier(rounding_of(op)(source.scale / target.scale))

    def output(value: int) -> int:
        size = abs(value - source.zero_point)
        # A multiplier of 1.0 would round nothing, but TFLM leaves it out.
        if source.scale != target.scale:
            size = requantize(size, multiplier, shift)
        return min(max(size + target.zero_point, -128), 127)

    return table_call("tml_abs_s8", source, target, tabulate(source, output))
