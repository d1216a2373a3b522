"""HARD_SWISH: x * relu6(x + 3) / 6, int8 -> int8 of any scales.

The table is TFLM's computation in int16 (reference/hard_swish.h), value by value.
"""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import require_quantized, unsupported_anywhere
from tinyml.compiler.ops._table import check_same_shape, table_call, tabulate
from tinyml.compiler.quant import quantize_multiplier, rounding_of, rounding_shift_right
from tinyml.tflite import Graph, Op

_INPUT_BITS = 7  # by which the input is shifted up into int16
_MAX, _MIN = 32767, -32768
_UNIT = 3 / 32768  # of relu6(x + 3) - 3 in int16; a float32 value


def check(op: Op, graph: Graph) -> None:
    """Take int8 on both sides; refuse an output scale so fine that TFLM stops at it."""
    source, target = graph.input(op, 0), graph.output(op)
    require_quantized(op, source, target)
    check_same_shape(op, source, target)
    if _multipliers(op, graph)[0][1] > 0:
        raise unsupported_anywhere(op, target, f"scale {target.scale}")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of a table of 256 bytes, which may work in place."""
    source, target = graph.input(op, 0), graph.output(op)
    (scale, scale_shift), (relu, relu_shift) = _multipliers(op, graph)

    def output(value: int) -> int:
        fine = (value - source.zero_point) << _INPUT_BITS
        scaled = _rounding_high_mul(fine, scale)
        gate = _saturated(fine << max(relu_shift - 1, 0))
        gate = _rounding_high_mul(gate, relu)
        if relu_shift > 0:
            gate = _saturated(gate << 1)
        gate = (rounding_shift_right(gate, max(-relu_shift, 0)) + (1 << 15)) >> 1
        product = _truncated(gate * scaled, 1 << 15)
        result = rounding_shift_right(product, -scale_shift) + target.zero_point
        return min(max(result, -128), 127)

    return table_call("tml_hard_swish_s8", source, target, tabulate(source, output))


def _multipliers(op: Op, graph: Graph) -> tuple[tuple[int, int], tuple[int, int]]:
    """The int16 multipliers, and their shifts, to the output's scale and to that of the gate."""
    narrow = rounding_of(op)
    fine = graph.input(op, 0).scale / (1 << _INPUT_BITS)
    ratios = (narrow(fine / graph.output(op).scale), narrow(fine / _UNIT))
    (scale, scale_shift), (relu, relu_shift) = (quantize_multiplier(ratio) for ratio in ratios)
    return (_upper_half(scale), scale_shift), (_upper_half(relu), relu_shift)


def _upper_half(multiplier: int) -> int:
    """An int32 multiplier as int16, rounded; the largest stay below 1.0."""
    return min((multiplier + (1 << 15)) >> 16, _MAX)


def _rounding_high_mul(a: int, b: int) -> int:
    """a * b / 2**15 to nearest, halves away from zero, in int16."""
    product = a * b
    return min(_truncated(product + (1 << 14 if product >= 0 else 1 - (1 << 14)), 1 << 15), _MAX)


def _truncated(value: int, divisor: int) -> int:
    """value / divisor towards zero, as C divides."""
    return value // divisor if value >= 0 else -(-value // divisor)


def _saturated(value: int) -> int:
    return max(_MIN, min(_MAX, value))
