"""`tml_channel_t`: multiplier, shift and bias of an output channel in 8 bytes; see tml_kernel.h."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.call import Learned
from tinyml.compiler.ops._linear import bias_of, folded_bias, reach
from tinyml.compiler.proof import (
    LinearRequantization,
    Requantization,
    linear_requantization,
)
from tinyml.compiler.quant import INT32_MAX, activation_range, channel_multipliers, requantize
from tinyml.tflite import Graph, Op

Array = NDArray[Any]
_BIAS_LIMIT = 1 << 26
_REACH_LIMIT = 1 << 30


@dataclass(frozen=True)
class Channels:
    """The output channels of a convolution-like operator, prepared for a kernel with a table.

    `weights` is [channels, ...]. A channel that is constant for every input has weights of zero
    and a bias that gives its value. `lowest` and `highest` bound the sums over all int8 inputs.
    """

    weights: Array
    bias: NDArray[np.int64]
    multipliers: tuple[int, ...]
    shifts: tuple[int, ...]
    act_min: int
    act_max: int
    output_offset: int
    lowest: NDArray[np.int64]
    highest: NDArray[np.int64]

    def linear(self, left: int, right: int) -> LinearRequantization:
        """The proved linear form of each channel's requantization, its bias included."""
        exact = Requantization(
            np.array(self.multipliers, np.int64), np.array(self.shifts, np.int64),
            self.lowest, self.highest, self.output_offset, self.act_min, self.act_max,
        )  # fmt: skip
        form = linear_requantization(exact, left, right)
        return replace(form, bias=np.where(form.proved, form.bias + (self.bias << left), 0))

    @property
    def fit_table(self) -> bool:
        """True where every channel shifts right by 1..31, and bias and sums are small enough."""
        right = all(m == 0 or s <= -1 for m, s in zip(self.multipliers, self.shifts, strict=True))
        small = int(np.abs(self.bias).max(initial=0)) < _BIAS_LIMIT
        return right and small and int(reach(self.weights, self.bias).max()) < _REACH_LIMIT

    @property
    def table(self) -> NDArray[np.int32]:
        """The `tml_channel_t` of each channel as [channels, 2]."""
        # A multiplier of 0 gives 0 with any shift.
        pairs = zip(self.multipliers, self.shifts, strict=True)
        lower = [0 if multiplier == 0 else -shift - 1 for multiplier, shift in pairs]
        packed = self.bias * 32 + np.array(lower, np.int64)
        return np.stack([np.array(self.multipliers, np.int32), packed.astype(np.int32)], axis=1)

    @property
    def clamped(self) -> bool:
        """True where the activation leaves less than -128..127."""
        return (self.act_min, self.act_max) != (-128, 127)

    @property
    def output_fields(self) -> dict[str, Learned]:
        """The members of a parameter struct's `tml_output_t output`."""
        return {
            "output.rounding": Learned(2 * self.output_offset + 1),
            "output.act_min": Learned(self.act_min),
            "output.act_max": Learned(self.act_max),
        }


def prepare(op: Op, graph: Graph, weights: Array, folded: bool) -> Channels:
    """Return the channels of `op`, whose `weights` are given as [channels, ...].

    With `folded` the kernel multiplies raw inputs, else inputs minus their zero point.
    """
    source, target = graph.input(op, 0), graph.output(op)
    bias = (folded_bias if folded else bias_of)(op, graph, weights).astype(np.int64)
    multipliers, shifts = channel_multipliers(op, graph, len(weights))
    act_min, act_max = activation_range(op, target)
    offset = target.zero_point
    weights = weights.copy()
    least, most = sum_range(weights, bias, 0 if folded else source.zero_point)
    for c, (multiplier, shift) in enumerate(zip(multipliers, shifts, strict=True)):
        if max(abs(int(least[c])), abs(int(most[c]))) << max(shift, 0) > INT32_MAX:
            continue
        low, high = (
            min(max(requantize(int(total[c]), multiplier, shift) + offset, act_min), act_max)
            for total in (least, most)
        )
        if low == high:
            # 4 * d * 2**30 / 2**31 / 2 = d: exact in both of the roundings.
            weights[c] = 0
            bias[c], multipliers[c], shifts[c] = 4 * (low - offset), 1 << 30, -1
    least, most = sum_range(weights, bias, 0 if folded else source.zero_point)
    return Channels(
        weights, bias, tuple(multipliers), tuple(shifts), act_min, act_max, target.zero_point,
        least, most,
    )  # fmt: skip


def sum_range(weights: Array, bias: Array, zero_point: int = 0) -> tuple[Array, Array]:
    """The smallest and largest sum of each channel over all int8 inputs minus `zero_point`.

    `weights` [channels, ...]; `bias` and what comes back int64 [channels].
    """
    flat = weights.reshape(len(weights), -1).astype(np.int64)
    up, down = np.maximum(flat, 0).sum(axis=1), np.minimum(flat, 0).sum(axis=1)
    low, high = -128 - zero_point, 127 - zero_point
    return bias + up * low + down * high, bias + up * high + down * low
