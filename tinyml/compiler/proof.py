"""Proved strength reduction: cheaper arithmetic that gives the same bytes, decided case by case.

Requantization is a monotone step function of a sum, with at most 255 steps between int8 values. A
linear form that takes each step at the same sum is equal to it on every sum, so checking the steps
is a proof, not a sample. Functions of one or two int8 inputs are compared on all of their inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

_STEPS = 255  # between the 256 values of int8
_INT32 = 1 << 31
# Multipliers on either side of the exact ratio that are tried, 2**-_RESOLUTION of it apart: some
# three bits finer than the 2**-22 by which 255 steps over 2**15 sums tell two slopes apart.
_TRIALS = 24
_RESOLUTION = 25


@dataclass(frozen=True)
class LinearRequantization:
    """For each channel `ssat8((((sum << left) + bias) * multiplier) >> (32 + right))`.

    Arrays are [channels]. `multiplier` is in 0..2**31 - 1 and the sum with its bias fits into
    int32, so the product's upper word is one SMMUL and the rest one SSAT on Armv7E-M. `proved`:
    the form equals TFLM's rounding for every sum the channel can have; what is not proved is 0.
    `steps`: how many steps of the function were checked.
    """

    left: int
    right: int
    multiplier: Int64
    bias: Int64
    proved: NDArray[np.bool_]
    steps: Int64

    @property
    def summary(self) -> str:
        """How many channels have a line, and at how many steps that was checked, in words."""
        found, channels = int(self.proved.sum()), len(self.proved)
        if found == 0:
            return "exact requantization: no channel has a proved line"
        checked = f"proved at {int(self.steps[self.proved].sum()):,} steps"
        if found == channels:
            return f"linear requantization, {checked} of {channels} channels"
        return f"linear requantization, {checked} of {found} channels; {channels - found} have none"


def requantized(sums: Int64, multipliers: Int64, shifts: Int64) -> Int64:
    """`quant.requantize` on int64 arrays that broadcast; `shifts` are -31..-1 (right shifts)."""
    right = -shifts
    products = np.minimum((sums * multipliers + (1 << 30)) >> 31, _INT32 - 1)
    remainders = products & ((1 << right) - 1)
    thresholds = (((1 << right) - 1) >> 1) + (products < 0)
    return np.asarray((products >> right) + (remainders > thresholds), np.int64)


@dataclass(frozen=True)
class Requantization:
    """What TFLM computes of a sum: requantize, add `offset`, clamp to `act_min`..`act_max`.

    Arrays are int64 [channels]: the multipliers and (negative) shifts, and the smallest and
    largest sum that any int8 input gives, bias included.
    """

    multipliers: Int64
    shifts: Int64
    lowest: Int64
    highest: Int64
    offset: int
    act_min: int
    act_max: int

    def outputs(self, sums: Int64) -> Int64:
        """The int8 outputs, as int64, of `sums` [channels, n]."""
        scaled = requantized(sums, self.multipliers[:, None], self.shifts[:, None])
        return np.clip(scaled + self.offset, self.act_min, self.act_max)

    def first_sums(self) -> tuple[Int64, NDArray[np.bool_]]:
        """For each channel and output -127..127 the smallest sum that reaches it.

        [channels, 255] each: the sums, and whether the channel takes that step within its sums.
        The closed form of the double rounding only proposes; the steps hold where the function
        itself says so on both sides, which raises AssertionError otherwise.
        """
        outputs = np.arange(-127, 128, dtype=np.int64)[None, :]
        ends = self.outputs(np.stack([self.lowest, self.highest], axis=1))
        taken = (outputs > ends[:, :1]) & (outputs <= ends[:, 1:])
        scaled = outputs - self.offset
        right = -self.shifts[:, None]
        # Halves round away from zero: a negative one belongs to the output below.
        products = (scaled << right) - (1 << (right - 1)) + (scaled <= 0)
        products = np.where(taken, products, 0)
        sums = -((-(products * _INT32 - (1 << 30))) // np.maximum(self.multipliers[:, None], 1))
        sums = np.where(taken, sums, self.highest[:, None])
        at, before = self.outputs(sums), self.outputs(sums - 1)
        assert np.all(~taken | ((at >= outputs) & (before < outputs)))
        return sums, taken


def linear_requantization(exact: Requantization, left: int, right: int) -> LinearRequantization:
    """Search the linear form of each channel of `exact`, and prove it at every step.

    Raises nothing where there is none: `proved` says so.
    """
    arrays = (exact.multipliers, exact.shifts, exact.lowest, exact.highest)
    multipliers, shifts, lowest, highest = (array.astype(np.int64).tobytes() for array in arrays)
    clamp = exact.act_min, exact.act_max
    return _search(multipliers, shifts, lowest, highest, exact.offset, *clamp, left, right)


@lru_cache(maxsize=512)
def _search(
    multipliers: bytes, shifts: bytes, lowest: bytes, highest: bytes,
    offset: int, act_min: int, act_max: int, left: int, right: int,
) -> LinearRequantization:  # fmt: skip
    exact = Requantization(
        np.frombuffer(multipliers, np.int64), np.frombuffer(shifts, np.int64),
        np.frombuffer(lowest, np.int64), np.frombuffer(highest, np.int64),
        offset, act_min, act_max,
    )  # fmt: skip
    channels = len(exact.multipliers)
    multiplier, bias = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    proved = np.zeros(channels, np.bool_)
    steps = np.zeros(channels, np.int64)
    within = _within_reach(exact, left)
    if within.any():
        some = np.flatnonzero(within)
        found = _search_channels(_subset(exact, some), left, right)
        multiplier[some], bias[some], proved[some], steps[some] = found
    return LinearRequantization(left, right, multiplier, bias, proved, steps)


def _within_reach(exact: Requantization, left: int) -> NDArray[np.bool_]:
    """Channels that shift right, and whose shifted sums leave int32 room for a bias."""
    reach = np.maximum(np.abs(exact.lowest), np.abs(exact.highest)) << left
    shifted = (exact.shifts <= -1) & (exact.shifts >= -31) & (exact.multipliers > 0)
    return np.asarray(shifted & (reach < _INT32), np.bool_)


def _subset(exact: Requantization, some: NDArray[Any]) -> Requantization:
    return Requantization(
        exact.multipliers[some], exact.shifts[some], exact.lowest[some], exact.highest[some],
        exact.offset, exact.act_min, exact.act_max,
    )  # fmt: skip


def _search_channels(
    exact: Requantization, left: int, right: int
) -> tuple[Int64, Int64, NDArray[np.bool_], Int64]:
    """Multiplier, bias, whether proved and number of steps of each channel."""
    sums, taken = exact.first_sums()
    steps = taken.sum(axis=1)
    ratio = np.ldexp(exact.multipliers.astype(np.float64), exact.shifts + 1 + right - left)
    # A channel without steps is a constant; any multiplier will do.
    ratio = np.where(steps > 0, np.minimum(ratio, 2.0**40), 2.0**28)
    nearest = np.rint(ratio).astype(np.int64)
    stride = np.maximum(nearest >> _RESOLUTION, 1)
    outputs = np.arange(-127, 128, dtype=np.int64)[None, :]
    multiplier, bias = np.zeros_like(nearest), np.zeros_like(nearest)
    proved = np.zeros(len(nearest), np.bool_)
    for distance in sorted(range(-_TRIALS, _TRIALS + 1), key=abs):
        some = np.flatnonzero(~proved)
        tried = nearest[some] + distance * stride[some]
        usable = (tried > 0) & (tried < _INT32)
        some, tried = some[usable], tried[usable]
        if len(some) == 0:
            break
        low, high = _bias_range(
            _subset(exact, some), sums[some], taken[some], outputs, tried, left, right
        )
        some, tried, middle = (part[low <= high] for part in (some, tried, low + (high - low) // 2))
        part = _subset(exact, some)
        good = _is_equal(part, sums[some], taken[some], tried, middle, left, right)
        multiplier[some[good]], bias[some[good]] = tried[good], middle[good]
        proved[some[good]] = True
    return multiplier, bias, proved, steps


def _bias_range(
    exact: Requantization, sums: Int64, taken: NDArray[np.bool_], outputs: Int64,
    multipliers: Int64, left: int, right: int,
) -> tuple[Int64, Int64]:  # fmt: skip
    """The smallest and largest bias with which the line takes every step where `exact` does.

    Both ends of the range of sums count as well: there the line must not be beyond the function,
    unless saturation hides it.
    """
    wide = multipliers[:, None]
    unit = 1 << (32 + right)
    far = np.int64(1) << 62
    at = np.where(taken, outputs * unit - (sums << left) * wide, -far).max(axis=1)
    before = np.where(taken, outputs * unit - ((sums - 1) << left) * wide, far).min(axis=1)
    ends = exact.outputs(np.stack([exact.lowest, exact.highest], axis=1))
    least = ends[:, 0] * unit - (exact.lowest << left) * multipliers
    most = (ends[:, 1] + 1) * unit - (exact.highest << left) * multipliers
    at = np.maximum(at, np.where(ends[:, 0] > -128, least, -far))
    before = np.minimum(before, np.where(ends[:, 1] < 127, most, far))
    room = _INT32 - 1
    low = np.maximum(-((-at) // multipliers), -room - 1 - (exact.lowest << left))
    high = np.minimum((before - 1) // multipliers, room - (exact.highest << left))
    return low, high


def _is_equal(
    exact: Requantization, sums: Int64, taken: NDArray[np.bool_], multipliers: Int64,
    biases: Int64, left: int, right: int,
) -> NDArray[np.bool_]:  # fmt: skip
    """Whether the form gives the exact output at the ends and on both sides of every step."""
    ends = np.stack([exact.lowest, exact.highest], axis=1)
    at = np.where(taken, sums, ends[:, :1])
    points = np.concatenate([at, np.where(taken, sums - 1, ends[:, :1]), ends], axis=1)
    line = ((points << left) + biases[:, None]) * multipliers[:, None] >> (32 + right)
    return np.asarray((np.clip(line, -128, 127) == exact.outputs(points)).all(axis=1), np.bool_)


@dataclass(frozen=True)
class LinearSum:
    """`clamp((term(a) + b * multiplier2) >> right)` of two int8 inputs a and b.

    `term(a)` is `a * multiplier1 + bias`, or `table[a]` where there is a table: int64 [256] for
    a = -128..127. Nothing in it leaves int32.
    """

    multiplier1: int
    multiplier2: int
    bias: int
    right: int
    table: Int64 | None = None


_SUM_RIGHTS = (20, 18, 16, 14, 12)
_SUM_MOVES = 60
_SLOPES = 8  # on either side of the exact one, for a table
_VALUES = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True)
class PairFunction:
    """A function of two int8 inputs, tabulated.

    `outputs` int64 [256, 256]: the value for a = i - 128 and b = j - 128, clamped to `act_min`..
    `act_max`. `scale1`, `scale2`: about how much one step of either input changes it.
    """

    outputs: Int64
    scale1: float
    scale2: float
    act_min: int
    act_max: int

    def room(self, line: Int64, right: int) -> tuple[Int64, Int64]:
        """The smallest and largest number that, added to `line`, gives each output; elementwise.

        Where the clamp hides what is below or above, and at any rate, the sum stays in int32.
        """
        floors = self.outputs << right
        low = np.where(self.outputs > self.act_min, floors - line, -_INT32 - line)
        high = np.where(
            self.outputs < self.act_max, floors + (1 << right) - 1 - line, _INT32 - 1 - line
        )
        return np.maximum(low, -_INT32 - line), np.minimum(high, _INT32 - 1 - line)


def linear_sum(function: PairFunction) -> LinearSum | None:
    """Return a form that equals `function` on all 65,536 pairs, or None where none is found.

    For two given multipliers the biases that serve all pairs are an interval, and its width is a
    concave function of the multipliers, so a search that only ever moves to a wider one ends well.
    Where rounding has put pairs out of line, a table of one input may serve: its entries are
    independent of each other.
    """
    for right in _SUM_RIGHTS:
        multipliers = round(function.scale1 * (1 << right)), round(function.scale2 * (1 << right))
        if 256 * sum(map(abs, multipliers)) + (512 << right) < _INT32:
            form = _widest(function, multipliers, right) or _with_table(function, right)
            if form is not None:
                return form
    return None


def _widest(function: PairFunction, at: tuple[int, int], right: int) -> LinearSum | None:
    low, high = _biases(function, at, right)
    step = max(1, max(map(abs, at)) >> 10)
    for _ in range(_SUM_MOVES):
        if low <= high:
            return LinearSum(*at, (low + high) // 2, right)
        moves = [(i, j) for i in (-step, 0, step) for j in (-step, 0, step) if i or j]
        around = [(at[0] + i, at[1] + j) for i, j in moves]
        ranges = [_biases(function, multipliers, right) for multipliers in around]
        widths = [most - least for least, most in ranges]
        best = int(np.argmax(widths))
        if widths[best] > high - low:
            at, (low, high) = around[best], ranges[best]
        elif step > 1:
            step //= 2
        else:
            break
    return None


def _biases(function: PairFunction, multipliers: tuple[int, int], right: int) -> tuple[int, int]:
    line = _VALUES[:, None] * multipliers[0] + _VALUES[None, :] * multipliers[1]
    low, high = function.room(line, right)
    return int(low.max()), int(high.min())


def _with_table(function: PairFunction, right: int) -> LinearSum | None:
    nearest = round(function.scale2 * (1 << right))
    for distance in sorted(range(-_SLOPES, _SLOPES + 1), key=abs):
        line = np.broadcast_to(_VALUES * (nearest + distance), (256, 256))
        low, high = function.room(line, right)
        low, high = low.max(axis=1), high.min(axis=1)
        if (low <= high).all():
            return LinearSum(0, nearest + distance, 0, right, low + (high - low) // 2)
    return None
