"""Fixed-point arithmetic exactly as TFLM computes it; the C twins are in `ops/tml_kernel.h`.

Sources: gemmlowp's fixedpoint.h, TFLite's quantization_util.cc and kernel_util.cc with double
rounding (TFLITE_SINGLE_ROUNDING unset), which is how the `tflite_micro` package is built.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinyml.compiler.ops import unsupported
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op, Tensor

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
_LIMITS = {"int8": (-128, 127), "int16": (-32768, 32767), "uint8": (0, 255)}
_NONE, _RELU, _RELU_N1_TO_1, _RELU6 = range(4)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Split `real` >= 0 into (multiplier, shift): real = multiplier * 2**(shift - 31).

    The multiplier is 0 or in [2**30, 2**31); the shift is -31 at least. Values below about 2**-32
    become (0, 0).
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier >>= 1
        shift += 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def doubling_high_mul(a: int, b: int) -> int:
    """a * b / 2**31, to nearest, halves up, for int32; the one overflow saturates."""
    return min((a * b + (1 << 30)) >> 31, INT32_MAX)


def rounding_shift_right(value: int, exponent: int) -> int:
    """value / 2**exponent, rounded to nearest, halves away from zero; exponent 0..31."""
    remainder = value & ((1 << exponent) - 1)
    threshold = (((1 << exponent) - 1) >> 1) + (value < 0)
    return (value >> exponent) + (remainder > threshold)


def requantize(value: int, multiplier: int, shift: int) -> int:
    """value * multiplier * 2**(shift - 31) with TFLM's two roundings.

    `value << max(shift, 0)` must fit into int32.
    """
    product = doubling_high_mul(value << max(shift, 0), multiplier)
    return rounding_shift_right(product, max(-shift, 0))


def rounding_of(op: Op) -> Callable[[float], float]:
    """What rounds each step of computing the real multiplier of `op`: to float32, or not at all.

    Generations of TFLM differ here, see `tinyml/model/generations.py`.
    """
    return (lambda value: float(np.float32(value))) if op.in_float32 else float


def activation_range(op: Op, output: Tensor) -> tuple[int, int]:
    """The output range (act_min, act_max) that the fused activation of `op` leaves, quantized.

    Computed in float32 as TFLM does. Raises UnsupportedOpError for TANH and SIGN_BIT, which TFLM
    ignores.
    """
    low, high = _LIMITS[output.dtype]
    activation = op.option("fused_activation_function", _NONE)

    def quantized(real: float) -> int:
        if abs(real) > output.scale * INT32_MAX:
            raise ModelError(f"operator {op}: tensor {output} has the scale {output.scale}")
        ratio = float(np.float32(real / output.scale))
        return output.zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))

    if activation == _NONE:
        return low, high
    if activation == _RELU:
        return max(low, quantized(0.0)), high
    if activation == _RELU6:
        return max(low, quantized(0.0)), min(high, quantized(6.0))
    if activation == _RELU_N1_TO_1:
        return max(low, quantized(-1.0)), min(high, quantized(1.0))
    raise unsupported(op, output, f"fused activation {activation}")


def channel_multipliers(op: Op, graph: Graph, channels: int) -> tuple[list[int], list[int]]:
    """Multiplier and shift of each output channel of a convolution-like operator.

    The rule of TFLite's PopulateConvolutionQuantizationParams: input scale * weight scale / output
    scale in double precision; one weight scale serves all channels.
    """
    input_scale = graph.input(op, 0).scale
    output_scale = graph.output(op).scale
    scales = graph.input(op, 1).scales
    if len(scales) == 1:
        scales = scales * channels
    pairs = [quantize_multiplier(input_scale * scale / output_scale) for scale in scales]
    if any(shift > 30 for _, shift in pairs):
        raise unsupported(op, graph.output(op), "a scale ratio beyond 2**30")
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
