"""FULLY_CONNECTED: int8 input [.., depth] and weights [channels, depth] -> int8 [.., channels]."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.call import Call, Const, Learned, Ref, Struct
from tinyml.compiler.channels import sum_range
from tinyml.compiler.ops import Registration, unsupported
from tinyml.compiler.ops import _quads as packing
from tinyml.compiler.ops._linear import bias_of, check_linear, folded_bias, reach
from tinyml.compiler.proof import Requantization, linear_requantization
from tinyml.compiler.quant import (
    activation_range,
    channel_multipliers,
    quantize_multiplier,
    rounding_of,
)
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

Array = NDArray[Any]
_GROUP = 4  # channels, and inputs, that the fast kernel takes at a time
_EIGHT = 8  # channels that the kernels with channels in pairs take at a time
_RIGHT = 9  # TML_FULLY_CONNECTED_RIGHT
_REACH_LIMIT = 1 << 30
TFLM = Registration(int8_functions="arm_fully_connected")


def check(op: Op, graph: Graph) -> None:
    """Take constant int8 weights [channels, depth], with or without an int32 bias [channels]."""
    check_linear(op, graph, channel_axis=0)
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    if op.option("weights_format", 0) != 0:
        raise unsupported(op, weights, "shuffled weights")
    if len(weights.shape) != 2:
        raise unsupported(op, weights, "needs weights of rank 2")
    channels, depth = weights.shape
    batches = target.elements // channels
    if target.elements != batches * channels or source.elements != batches * depth or depth == 0:
        raise ModelError(f"operator {op}: {source} and {weights} do not give {target}")
    if len(weights.scales) > 1 and any(weights.zero_points):
        raise unsupported(op, weights, "zero points per channel")


def macs(op: Op, graph: Graph) -> int:
    """Return the multiply-accumulates: every output element takes a whole row of the weights."""
    return graph.output(op).elements * math.prod(graph.input(op, 1).shape[-1:])


def call(op: Op, graph: Graph) -> Call:
    """Return the call of the fast kernel where it computes this exactly, or the general one."""
    multipliers, shifts = _multipliers(op, graph)
    if _is_fast(op, graph, multipliers, shifts):
        eights = _eights(op, graph, multipliers, shifts)
        return eights or _fast(op, graph, multipliers, shifts)
    return _any(op, graph, multipliers, shifts)


def _is_fast(op: Op, graph: Graph, multipliers: list[int], shifts: list[int]) -> bool:
    """Right shifts only, small enough sums, whole words of inputs, no zero point of weights."""
    source, weights = graph.input(op, 0), graph.input(op, 1)
    assert weights.data is not None
    channels, depth = weights.shape
    right = all(m == 0 or s <= -1 for m, s in zip(multipliers, shifts, strict=True))
    aligned = source.elements == depth or depth % _GROUP == 0
    small = int(reach(weights.data, bias_of(op, graph, weights.data)).max()) < _REACH_LIMIT
    symmetric = not any(weights.zero_points)
    return right and aligned and small and symmetric and min(channels, depth) >= _GROUP


def _fast(op: Op, graph: Graph, multipliers: list[int], shifts: list[int]) -> Call:
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    assert weights.data is not None
    channels, depth = weights.shape
    act_min, act_max = activation_range(op, target)
    lower = [0 if m == 0 else -s - 1 for m, s in zip(multipliers, shifts, strict=True)]
    params = Struct(
        "tml_fully_connected_fast_t",
        {
            "batches": target.elements // channels,
            "depth": depth,
            "channels": channels,
            "multipliers": Const(np.array(multipliers, np.int32), "multipliers"),
            "shifts": Const(np.array(lower, np.int8), "shifts"),
            "per_channel": int(len(multipliers) > 1),
            "output.rounding": Learned(2 * target.zero_point + 1),
            "output.act_min": Learned(act_min),
            "output.act_max": Learned(act_max),
        },
    )
    return Call(
        "tml_fully_connected_fast_s8",
        (
            Ref(source.index),
            Const(_packed(weights.data), "weights"),
            Const(folded_bias(op, graph, weights.data), "bias"),
            Ref(target.index),
            params,
        ),
    )


def _eights(op: Op, graph: Graph, multipliers: list[int], shifts: list[int]) -> Call | None:
    """The call of a kernel for eights of channels, None where none computes this exactly."""
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    assert weights.data is not None
    channels, depth = weights.shape
    whole = channels % _EIGHT == 0 and depth % _GROUP == 0
    clamp = activation_range(op, target)
    if not whole or len(multipliers) > 1 or multipliers[0] == 0 or clamp != (-128, 127):
        return None
    if not packing.fit_halfwords(weights.data):
        return None
    bias = folded_bias(op, graph, weights.data).astype(np.int64)
    lowest, highest = sum_range(weights.data, bias)
    # One multiplier for all: what holds for the widest range of sums holds for every channel.
    exact = Requantization(
        np.array(multipliers), np.array(shifts), lowest.min(keepdims=True),
        highest.max(keepdims=True), target.zero_point, *clamp,
    )  # fmt: skip
    linear = None if graph.exchangeable else linear_requantization(exact, packing.LEFT, _RIGHT)
    if linear is not None and linear.proved.all():
        kernel, multiplier = "tml_fully_connected_linear_s8", int(linear.multiplier[0])
        rest = int(linear.bias[0]) % (1 << packing.LEFT)
        bias = (bias << packing.LEFT) + int(linear.bias[0])
        upper, lower = bias[0::2], bias[1::2] >> packing.LEFT
    elif max(-lowest.min(), highest.max()) < 1 << (31 - packing.LEFT):
        kernel, multiplier, rest = "tml_fully_connected_eights_s8", multipliers[0], -shifts[0] - 1
        upper, lower = bias[0::2] << packing.LEFT, bias[1::2]
    else:
        return None
    starts = np.stack([packing.wrapped(upper + lower), lower], axis=1).reshape(-1, 4, 2)
    params = Struct(
        "tml_fully_connected_eights_t",
        {
            "batches": target.elements // channels,
            "depth": depth,
            "channels": channels,
            "multiplier": Learned(multiplier),
            "rest": Learned(rest),
            "rounding": Learned(2 * target.zero_point + 1),
        },
    )
    table = starts.transpose(0, 2, 1).reshape(-1, _EIGHT).astype(np.int32)
    return Call(
        kernel,
        (
            Ref(source.index),
            Const(packing.halfwords(weights.data, _EIGHT), "weights"),
            Const(np.ascontiguousarray(table), "starts"),
            Ref(target.index),
            params,
        ),
        note=linear.summary if linear else "exact requantization: the weights may be exchanged",
    )


def _any(op: Op, graph: Graph, multipliers: list[int], shifts: list[int]) -> Call:
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    assert weights.data is not None
    channels, depth = weights.shape
    zero_point = weights.zero_points[0]
    act_min, act_max = activation_range(op, target)
    params = Struct(
        "tml_fully_connected_t",
        {
            "batches": target.elements // channels,
            "depth": depth,
            "channels": channels,
            "multipliers": Const(np.array(multipliers, np.int32), "multipliers"),
            "shifts": Const(np.array(shifts, np.int8), "shifts"),
            "per_channel": int(len(multipliers) > 1),
            "weights_offset": Learned(-zero_point),
            "output_offset": Learned(target.zero_point),
            "act_min": Learned(act_min),
            "act_max": Learned(act_max),
        },
    )
    return Call(
        "tml_fully_connected_s8",
        (
            Ref(source.index),
            Const(weights.data, "weights"),
            Const(folded_bias(op, graph, weights.data.astype(np.int64) - zero_point), "bias"),
            Ref(target.index),
            params,
        ),
    )


def _multipliers(op: Op, graph: Graph) -> tuple[list[int], list[int]]:
    """Multiplier and shift of each channel, or one of each for all."""
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    if len(weights.scales) > 1:
        return channel_multipliers(op, graph, weights.shape[0])
    product = rounding_of(op)(source.scale * weights.scale)
    multiplier, shift = quantize_multiplier(product / target.scale)
    if shift > 30:
        raise unsupported(op, target, "a scale ratio beyond 2**30")
    return [multiplier], [shift]


def _packed(weights: Array) -> Array:
    """Weights as the fast kernel reads them: for each four channels whole words, then the rest."""
    channels, depth = weights.shape
    words = depth // _GROUP * _GROUP
    rows = []
    for first in range(0, channels, _GROUP):
        at = min(first, channels - _GROUP)
        four = weights[at : at + _GROUP]
        whole = four[:, :words].reshape(_GROUP, -1, _GROUP).transpose(1, 0, 2)
        rows += [whole.reshape(-1), four[:, words:].T.reshape(-1)]
    return np.concatenate(rows)
