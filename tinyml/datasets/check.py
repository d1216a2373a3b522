"""Which recordings are fit to learn from: the rules that every source applies, in one place.

Left out, each named with its path: what cannot be read or is in another format (the readers say
so, with the command that converts it); recordings without any sound or motion in them; motion in
other units than milli-g or slower than 20 samples a second; recordings of which more than half is
beyond what the sensor can measure; and copies. Of equal recordings with one label the first stays.
Equal recordings with different labels are all left out: one label is wrong, and nothing says which.
Kept, but named: recordings that are clipped in part.

Refused as a whole: an empty class, a class without any usable recording, one class only.
"""

from __future__ import annotations

import functools
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Recording

_SILENT = 64  # peak of 32,768 (-54 dB): quieter than the noise of any microphone in a room
_STILL_MG = 3.0  # spread of an accelerometer that is off, stuck or simulated without noise
_GRAVITY_MG = (200.0, 6000.0)  # m/s2, g and raw counts of sensors lie outside
_RANGE_MG = 1900.0  # the smallest range of an accelerometer is +-2 g
_SLOWEST_HZ = 20.0
_NAMED, _REFUSED = 0.1, 0.5  # share of clipped samples that is worth a remark, or too much
_STUCK_NAMED = 0.3  # quick gestures are beyond +-2 g for a moment

OWNERS = "as the owner of the recordings states"  # the licence of what is nobody's public set

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Published:
    """A public set: its files by SHA-256, what to call it, and its licence."""

    files: frozenset[str]
    source: str
    licence: str

    def origin(self, folder: Path, files: Iterable[Path]) -> tuple[str, str]:
        """Return source and licence of the recordings in `files`, which lie in `folder`.

        They are this set's where each file is one of it, as it was published.
        """
        hashes = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        if hashes and hashes <= self.files:
            return self.source, self.licence
        return folder.resolve().name, OWNERS


class Findings:
    """What was found in a folder: usable recordings, and what is wrong with the others.

    `skipped` and `remarks` are sentences that begin with the recording's path.
    """

    def __init__(self) -> None:
        self.skipped: list[str] = []
        self.remarks: list[str] = []
        self._found: list[tuple[Recording, bytes]] = []

    def skip(self, what: str) -> None:
        """Note a file that is no usable recording; `what` names it."""
        self.skipped.append(what)

    def add(
        self, recording: Recording, content: Array, problem: str = "", remark: str = ""
    ) -> bool:
        """Take up a recording unless it has a `problem`; return whether it was taken.

        `content` is what is learned from: samples or pixels.
        """
        if problem:
            self.skip(f"{named(recording)} {problem}")
            return False
        if remark:
            self.remarks.append(f"{named(recording)} {remark}")
        self._found.append((recording, _digest(content)))
        return True

    def recordings(self) -> tuple[Recording, ...]:
        """Return the usable recordings in order, without copies, which are noted as skipped."""
        same: dict[bytes, list[Recording]] = defaultdict(list)
        for one, digest in self._found:
            same[digest].append(one)
        kept = []
        for one, digest in self._found:
            first, *_ = same[digest]
            labels = sorted({other.label for other in same[digest]})
            if len(labels) > 1:
                others = [named(other) for other in same[digest] if other is not one]
                self.skip(
                    f"{named(one)} is a copy of {others[0]}, and labelled {' and '.join(labels)}"
                )
            elif one is not first:
                self.skip(f"{named(one)} is a copy of {named(first)}")
            else:
                kept.append(one)
        return tuple(kept)


def named(recording: Recording) -> str:
    """Return how a message calls `recording`."""
    number = f" ({recording.label} number {recording.number})" if recording.number else ""
    return f"{recording.path}{number}"


def sound(samples: npt.NDArray[np.int16]) -> tuple[str, str]:
    """Return what makes int16 samples [n] of a sound useless, and what is odd about them; or ""."""
    size = np.abs(samples.astype(np.int32))
    if size.max() < _SILENT:
        return f"is silent (its peak is {size.max()} of 32,767)", ""
    clipped = float(np.mean(size >= 32767))
    if clipped > _REFUSED:
        return f"is clipped: {clipped:.0%} of its samples are at full scale", ""
    return "", f"is clipped in {clipped:.0%} of its samples" if clipped >= _NAMED else ""


def motion(samples: Array, rate_hz: float, rest: bool = False) -> tuple[str, str]:
    """Return what makes motion, [n, 3] in milli-g, useless, and what is odd about it; or "".

    `rate_hz` is how often it was sampled. With `rest` nothing needs to move.
    """
    if not rest and np.ptp(samples, axis=0).max() < _STILL_MG:
        return "does not move at all: was the sensor on?", ""
    gravity = float(np.median(np.linalg.norm(samples, axis=1)))
    if not _GRAVITY_MG[0] <= gravity <= _GRAVITY_MG[1]:
        return f"has a median of {gravity:.3g}; in milli-g, gravity alone is 1000", ""
    if rate_hz < _SLOWEST_HZ:
        return f"has {rate_hz:.3g} samples a second; needed are {_SLOWEST_HZ:g}", ""
    most = np.abs(samples).max(axis=0)
    stuck = (np.abs(samples) == most) & (most >= _RANGE_MG)
    share = float(stuck.any(axis=1).mean()) if len(samples) >= 10 else 0.0
    if share > _REFUSED:
        return f"is beyond the sensor's range in {share:.0%} of its samples", ""
    odd = share >= _STUCK_NAMED
    return "", f"is beyond the sensor's range in {share:.0%} of its samples" if odd else ""


def fingerprint(recordings: Iterable[Recording]) -> str:
    """Return a SHA-256 of what `recordings` are: contents and labels in order, not names."""
    total = hashlib.sha256()
    for one in recordings:
        stat = one.path.stat()
        content = _file(one.path, stat.st_mtime_ns, stat.st_size)
        total.update(f"{one.label}\0{one.number}\0{one.long}\0".encode() + content)
    return total.hexdigest()


def summary(messages: Sequence[str], folder: Path | None) -> list[str]:
    """Return `messages` with paths as seen from `folder`, for a card that others read."""
    start = f"{folder}/" if folder is not None else ""
    return [one.replace(start, "") if start else one for one in messages]


@functools.lru_cache(maxsize=1 << 17)
def _file(path: Path, _time: int, _size: int) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _digest(content: Array) -> bytes:
    shape = f"{content.dtype.str}{content.shape}".encode()
    return hashlib.sha256(shape + np.ascontiguousarray(content).tobytes()).digest()
