"""TANH: int8 -> int8 with scale 1/128 and zero point 0.

The table is TFLM's integer computation (reference/integer_ops/tanh.h on gemmlowp's fixedpoint.h),
value by value.
"""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.fixed_point import saturation_radius, tanh
from tinyml.compiler.ops import require_quantized, unsupported
from tinyml.compiler.ops._table import check_same_shape, table_call, tabulate
from tinyml.compiler.quant import quantize_multiplier, requantize, rounding_shift_right
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

_INPUT_BITS = 4  # integer bits of the input in fixed point


def check(op: Op, graph: Graph) -> None:
    """Take int8 of any scale and an output with zero point 0."""
    source, target = graph.input(op, 0), graph.output(op)
    require_quantized(op, source, target)
    check_same_shape(op, source, target)
    if target.zero_point != 0:
        raise ModelError(f"operator {op}: {target} has zero point {target.zero_point}, not 0")
    if not 0 <= _multiplier(source.scale)[1] <= 62:
        raise unsupported(op, source, f"scale {source.scale}")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of a table of 256 bytes, which may work in place."""
    source, target = graph.input(op, 0), graph.output(op)
    multiplier, shift = _multiplier(source.scale)
    radius = saturation_radius(_INPUT_BITS, shift)

    def output(value: int) -> int:
        centred = value - source.zero_point
        if abs(centred) >= radius:
            return 127 if centred > 0 else -128
        result = tanh(requantize(centred, multiplier, shift), _INPUT_BITS)
        return min(max(rounding_shift_right(result, 24), -128), 127)

    return table_call("tml_tanh_s8", source, target, tabulate(source, output))


def _multiplier(scale: float) -> tuple[int, int]:
    return quantize_multiplier(scale * (1 << (31 - _INPUT_BITS)))
