"""Weights and biases of convolution-like operators, prepared offline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.call import Const, Learned
from tinyml.compiler.ops import require_dtype, require_quantized, unsupported
from tinyml.compiler.quant import activation_range, channel_multipliers
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

_REACH = 255


def rescaling(op: Op, graph: Graph, channels: int) -> dict[str, Const | Learned]:
    """Return the fields that make int8 of a channel's int32 sum, and the input's offset."""
    source, target = graph.input(op, 0), graph.output(op)
    multipliers, shifts = channel_multipliers(op, graph, channels)
    act_min, act_max = activation_range(op, target)
    return {
        "multipliers": Const(np.array(multipliers, np.int32), "multipliers"),
        "shifts": Const(np.array(shifts, np.int8), "shifts"),
        "input_offset": Learned(-source.zero_point),
        "output_offset": Learned(target.zero_point),
        "act_min": Learned(act_min),
        "act_max": Learned(act_max),
    }


def check_linear(op: Op, graph: Graph, channel_axis: int) -> None:
    """Check dtypes, quantization and sizes of `op`: input, constant weights, optional bias, output.

    `channel_axis` is the axis of the weights that counts output channels.
    """
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    require_quantized(op, source, target)
    require_dtype(op, weights, "int8")
    if weights.data is None:
        raise unsupported(op, weights, "needs constant weights")
    channels = weights.shape[channel_axis] if len(weights.shape) > channel_axis else 0
    if len(weights.scales) not in (1, channels) or channels == 0:
        raise unsupported(op, weights, f"needs 1 or {channels} scales, got {len(weights.scales)}")
    if len(weights.scales) > 1 and weights.axis != channel_axis:
        raise unsupported(op, weights, f"scales along axis {weights.axis}, not {channel_axis}")
    bias = graph.optional_input(op, 2)
    if bias is None:
        return
    require_dtype(op, bias, "int32")
    if bias.data is None:
        raise unsupported(op, bias, "needs a constant bias")
    if bias.elements != channels:
        raise ModelError(f"operator {op}: bias {bias} does not fit {channels} channels")


def bias_of(op: Op, graph: Graph, weights: NDArray[Any]) -> NDArray[np.int32]:
    """The bias of each channel, zeros where there is none; `weights` is [channels, ...].

    Raises UnsupportedOpError where a 32-bit sum of products and bias could overflow.
    """
    tensor = graph.optional_input(op, 2)
    bias = np.zeros(len(weights), np.int32)
    if tensor is not None and tensor.data is not None:
        bias = tensor.data.reshape(-1)
    if int(reach(weights, bias).max(initial=0)) >= 1 << 31:
        raise unsupported(op, graph.input(op, 1), "sums that may exceed 32 bits")
    return np.asarray(bias, np.int32)


def folded_bias(op: Op, graph: Graph, weights: NDArray[Any]) -> NDArray[np.int32]:
    """`bias_of` with the input offset folded in: bias - input_zero_point * sum(weights).

    With it a kernel multiplies raw inputs; taps on padding must read the input's zero point.
    """
    bias = bias_of(op, graph, weights).astype(np.int64)
    sums = weights.reshape(len(weights), -1).astype(np.int64).sum(axis=1)
    return np.asarray(bias - graph.input(op, 0).zero_point * sums, np.int32)


def reach(weights: NDArray[Any], bias: NDArray[Any]) -> NDArray[np.int64]:
    """A bound on the absolute value of each channel's sum at any point of its computation."""
    taps = np.abs(weights.reshape(len(weights), -1).astype(np.int64)).sum(axis=1)
    # Inputs and inputs minus zero point stay within 255; a folded bias adds another 128 * taps.
    return np.asarray(2 * _REACH * taps + np.abs(bias.astype(np.int64)))
