"""Events of a watched device, and their one dispatch: what can happen, and who makes what of it.

`session` tells them. To make something of events, write a `View`: a method for each kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinyml.device import DeviceInfo, Reading
from tinyml.measure.playback import StreamReport
from tinyml.protocol.messages import Status

RECONNECTED = "reconnected"  # it had gone
RESET = "reset"  # it was asked to start anew

T = TypeVar("T")


class SessionEvent(ABC):
    """Something that happened; each kind is a class below and a method of `View`."""

    @abstractmethod
    def show(self, view: View[T]) -> T:
        """Return what `view` makes of this kind of event (double dispatch)."""


class View(ABC, Generic[T]):
    """What is made of each kind of event, a T."""

    @abstractmethod
    def attached(self, event: Attached) -> T:
        """A device answers."""

    @abstractmethod
    def detached(self, event: Detached) -> T:
        """It has gone."""

    @abstractmethod
    def played(self, event: Played) -> T:
        """Samples of a source have arrived there."""

    @abstractmethod
    def inferred(self, event: Inferred) -> T:
        """It has run its model."""

    @abstractmethod
    def seen(self, event: Seen) -> T:
        """The model had rows of features to read."""

    @abstractmethod
    def sensed(self, event: Sensed) -> T:
        """The board's own sensor gave samples."""

    @abstractmethod
    def printed(self, event: Printed) -> T:
        """The firmware said something in words."""

    @abstractmethod
    def bytes(self, event: Bytes) -> T:
        """Something travelled on the line."""

    @abstractmethod
    def status(self, event: DeviceStatus) -> T:
        """It said how it is."""

    @abstractmethod
    def summed(self, event: Summed) -> T:
        """A stream of sources is over."""


@dataclass(frozen=True)
class Attached(SessionEvent):
    """A device answers; a new stream follows. `after`: what came before, one of the words above."""

    info: DeviceInfo
    after: str = ""

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.attached(self)


@dataclass(frozen=True)
class Detached(SessionEvent):
    """The device has gone, or failed; `reason` says how."""

    reason: str

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.detached(self)


@dataclass(frozen=True)
class Played(SessionEvent):
    """Samples of the sources have arrived at the device: `done` of `total`.

    `clip` of `clips` (from 0, both through all connections) has the name `name`, and `said` is its
    label, or None. `total` and `done` count the clips of this connection.
    """

    clip: int
    clips: int
    name: str
    said: str | None
    done: int
    total: int

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.played(self)


@dataclass(frozen=True)
class Inferred(SessionEvent):
    """One inference. `clip`: number of the clip that it heard, None where nothing is played.

    `scores`: float32 [labels], as `DeviceInfo.outputs` dequantizes them. `score`: the averaged
    one of the event that it made, in the same units.
    """

    reading: Reading
    scores: NDArray[np.float32]
    score: float | None
    clip: int | None

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.inferred(self)


@dataclass(frozen=True)
class Seen(SessionEvent):
    """Rows that the model reads: int8 [n, row_bytes], the host's twin of what the device has.

    `first`: the number of the first, from 0 in each stream.
    """

    first: int
    rows: NDArray[np.int8]

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.seen(self)


@dataclass(frozen=True)
class Sensed(SessionEvent):
    """What the board's own sensor gave: samples, int16 [n, channels, 1].

    With a `step` above 1 the lowest and the highest of every so many, [n, channels, 2]. `first`:
    the index of the first sample, from 0 in each stream, at `rate_hz`.
    """

    first: int
    step: int
    rate_hz: int
    values: NDArray[np.int16]

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.sensed(self)


@dataclass(frozen=True)
class Printed(SessionEvent):
    """A line that the firmware prints; with `is_log`, one that it sends as LOG."""

    text: str
    is_log: bool = False

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.printed(self)


@dataclass(frozen=True)
class Bytes(SessionEvent):
    """What travelled on the line, as it is."""

    to_device: bool
    data: bytes

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.bytes(self)


@dataclass(frozen=True)
class DeviceStatus(SessionEvent):
    """What the device says of itself, and the damaged frames that came from it."""

    status: Status
    bad_frames: int

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.status(self)


@dataclass(frozen=True)
class Summed(SessionEvent):
    """A stream of sources has ended, or broke; the report is about its finished clips."""

    report: StreamReport

    def show(self, view: View[T]) -> T:
        """See SessionEvent."""
        return view.summed(self)
