"""Where and how two tensors differ: expected and actual array in, a `Difference` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_BINS = 16


@dataclass(frozen=True)
class Bin:
    """How many values differ by `low` to `high`, both included where the tensor is of integers."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Difference:
    """The first of `count` elements that differ in one tensor, and how all of them do.

    `shape`: of what was compared, the channels that exist at run time. `channel`: of the first
    element in the model's tensor (last axis); `channels`: how many differ anywhere, of
    `all_channels` compared. `worst` is the largest distance in units of the dtype; infinite where
    one side is NaN. `histogram`: actual less expected, of the elements that differ, where finite.
    """

    tensor: str
    index: tuple[int, ...]
    expected: float
    actual: float
    count: int
    worst: float
    shape: tuple[int, ...] = ()
    channel: int = 0
    channels: int = 0
    all_channels: int = 0
    histogram: tuple[Bin, ...] = ()

    @property
    def spread(self) -> str:
        """Say in words over which channels the difference spreads: it tells causes apart."""
        if self.all_channels <= 1:
            return ""
        if self.channels == 1:
            return (
                f"all in channel {self.channel}, one of {self.all_channels}: a weight, bias or "
                "multiplier of that channel"
            )
        if self.channels == self.all_channels:
            return "in every channel: the operator's parameters, code, or input"
        return f"in {self.channels} of {self.all_channels} channels"


def difference(
    name: str, expected: Array, actual: Array, channels: Sequence[int] | None = None
) -> Difference | None:
    """Return where and how much two tensors differ, or None where their bytes are the same.

    `channels` are those of the model's tensor that both hold along their last axis; None means all.
    """
    if expected.tobytes() == actual.tobytes():
        return None
    differs = _bits(expected) != _bits(actual)
    first = tuple(int(axis) for axis in np.argwhere(differs)[0])
    signed = actual.astype(np.float64) - expected.astype(np.float64)
    by_channel = differs.reshape(-1, differs.shape[-1] if differs.ndim else 1).any(axis=0)
    last = first[-1] if first else 0
    return Difference(
        tensor=name,
        index=first,
        expected=float(expected[first]),
        actual=float(actual[first]),
        count=int(differs.sum()),
        worst=float(np.nan_to_num(np.abs(signed[differs]), nan=np.inf).max()),
        shape=tuple(expected.shape),
        channel=last if channels is None else channels[last],
        channels=int(by_channel.sum()),
        all_channels=len(by_channel),
        histogram=_histogram(signed[differs], expected.dtype.kind in "iub"),
    )


def computed(tensor: Array, channels: Sequence[int] | None) -> Array:
    """Return what exists at run time of a tensor: those channels, in order; None means all."""
    return tensor if channels is None else np.ascontiguousarray(tensor[..., list(channels)])


def _histogram(signed: Array, whole: bool) -> tuple[Bin, ...]:
    """Bins of equal width, at most _BINS; for integers a bin holds whole numbers."""
    finite = signed[np.isfinite(signed)]
    if not finite.size:
        return ()
    low, high = float(finite.min()), float(finite.max())
    if whole:
        width = int((high - low) // _BINS) + 1
        numbers = (finite - low).astype(np.int64) // width
        counts = np.bincount(numbers)
        return tuple(
            Bin(low + i * width, low + (i + 1) * width - 1, int(n)) for i, n in enumerate(counts)
        )
    counts, edges = np.histogram(finite, _BINS if high > low else 1, (low, high))
    pairs = zip(edges[:-1], edges[1:], counts, strict=True)
    return tuple(Bin(float(a), float(b), int(n)) for a, b, n in pairs)


def _bits(array: Array) -> Array:
    """The bit pattern of each element, so that NaN equals itself and -0.0 is not 0.0."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape)
