"""Interval analysis: between which values each channel of an activation lies, for every input.

Sound, not exact: a channel may use less than its interval. One whose interval is a point is
constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.ops import _conv
from tinyml.compiler.ops._linear import bias_of
from tinyml.compiler.proof import requantized
from tinyml.compiler.quant import activation_range, channel_multipliers
from tinyml.tflite import Graph, Op, Tensor

Array = NDArray[Any]


@dataclass(frozen=True)
class Range:
    """The smallest and largest int8 value of each channel (last axis), int64 [channels].

    `sums`: for a tensor of a convolution, the sum (bias included, input offset taken off) that
    gives `low`; None elsewhere.
    """

    low: Array
    high: Array
    sums: Array | None = None

    @property
    def constant(self) -> Array:
        """Which channels have one value only, bool [channels]."""
        return np.asarray(self.low == self.high)


def ranges(graph: Graph) -> Mapping[int, Range]:
    """The range of each int8 tensor of rank 4 that `graph` computes; others may be anything."""
    known: dict[int, Range] = {}
    for op in graph.ops:
        if op.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            known[op.outputs[0]] = _of_convolution(op, graph, known)
        elif op.name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
            source = of(known, graph.input(op, 0))
            clamp = activation_range(op, graph.output(op))
            low, high = np.clip(source.low, *clamp), np.clip(source.high, *clamp)
            known[op.outputs[0]] = Range(low, high)
    return known


def of(known: Mapping[int, Range], tensor: Tensor) -> Range:
    """The known range of `tensor`, or all of int8."""
    channels = tensor.shape[-1] if tensor.shape else 1
    return known.get(tensor.index, Range(np.full(channels, -128), np.full(channels, 127)))


def is_padded(op: Op, graph: Graph) -> bool:
    """Whether some window of the convolution `op` reaches over the border of its input."""
    window = _conv.window_of(op, graph)
    rows = (window.output_height - 1) * window.stride_height
    columns = (window.output_width - 1) * window.stride_width
    rows += (window.filter_height - 1) * window.dilation_height + 1 - window.pad_top
    columns += (window.filter_width - 1) * window.dilation_width + 1 - window.pad_left
    over = rows > window.input_height or columns > window.input_width
    return over or max(window.pad_top, window.pad_left) > 0


def _of_convolution(op: Op, graph: Graph, known: Mapping[int, Range]) -> Range:
    source, target = graph.input(op, 0), graph.output(op)
    weights = graph.input(op, 1).data
    assert weights is not None
    wide = weights.astype(np.int64)
    # By output channel: the weights that each input channel meets, [channels, taps, depth].
    if op.name == "DEPTHWISE_CONV_2D":
        per_channel = wide.reshape(-1, wide.shape[3]).T[:, :, None]
    else:
        per_channel = wide.reshape(len(wide), -1, wide.shape[3])
    inputs = of(known, source)
    low, high = inputs.low - source.zero_point, inputs.high - source.zero_point
    if is_padded(op, graph):
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    channels, depth = per_channel.shape[0], per_channel.shape[2]
    low, high = (_spread(ends, channels, depth, source.shape[3]) for ends in (low, high))
    up, down = np.maximum(per_channel, 0).sum(axis=1), np.minimum(per_channel, 0).sum(axis=1)
    flat = per_channel.reshape(channels, -1)
    bias = bias_of(op, graph, flat).astype(np.int64)
    least = bias + (up * low + down * high).sum(axis=1)
    most = bias + (up * high + down * low).sum(axis=1)
    return _requantized(op, graph, target, least, most)


def _spread(ends: Array, channels: int, depth: int, source_depth: int) -> Array:
    """The ends of the inputs that each of `channels` reads, [channels, depth]."""
    if depth == source_depth:
        return np.broadcast_to(ends, (channels, depth)) if depth > 1 else ends[None, :]
    groups = source_depth // depth
    return np.repeat(ends.reshape(groups, depth), channels // groups, axis=0)


def _requantized(op: Op, graph: Graph, target: Tensor, least: Array, most: Array) -> Range:
    pairs = channel_multipliers(op, graph, len(least))
    multipliers, shifts = (np.array(column, np.int64) for column in pairs)
    act_min, act_max = activation_range(op, target)

    def outputs(sums: Array) -> Array:
        scaled = requantized(sums, multipliers, np.minimum(shifts, 0)) + target.zero_point
        return np.clip(scaled, act_min, act_max)

    # A multiplier above one is left alone.
    low = np.where(shifts <= 0, outputs(least), act_min)
    high = np.where(shifts <= 0, outputs(most), act_max)
    return Range(low, high, least)
