"""The view model: events in, the figures that every view shows out. No clock, no terminal."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinyml.device import DeviceInfo
from tinyml.measure.playback import ClipResult
from tinyml.monitor.events import (
    Attached,
    Bytes,
    Detached,
    DeviceStatus,
    Inferred,
    Played,
    Printed,
    Seen,
    Sensed,
    SessionEvent,
    Summed,
    View,
)
from tinyml.protocol.messages import Status

RATE_S = 5.0  # over how long the rate is taken
KEPT = 200  # events, lines and so on that a view may show
COUNTERS = 600  # inferences whose counters are kept


@dataclass(frozen=True)
class Heard:
    """A recognised label: when in the stream, how sure; `said` is what was played then, or None."""

    second: float
    label: str
    score: float
    said: str | None


@dataclass
class Picture(View[None]):
    """Everything that a view may show; `take` is the only thing that changes it.

    `inferences`, `dropped` (samples), `lost` (results), `bad_frames` and `second` (of the streams)
    count through all connections, `second_before` those before this one. `lines`: what the firmware
    printed and what happened to the connection.
    """

    info: DeviceInfo | None = None
    is_attached: bool = False
    reason: str = ""
    connections: int = 0
    inferences: int = 0
    dropped: int = 0
    lost: int = 0
    bad_frames: int = 0
    second: float = 0.0
    second_before: float = 0.0
    scores: NDArray[np.float32] | None = None
    top: str = ""
    device_status: Status | None = None
    playing: Played | None = None
    heard: deque[Heard] = field(default_factory=lambda: deque(maxlen=KEPT))
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    counters: deque[int] = field(default_factory=lambda: deque(maxlen=COUNTERS))
    clips: list[ClipResult] = field(default_factory=list)
    factor: float | None = None

    def __post_init__(self) -> None:
        self._times: deque[float] = deque(maxlen=2000)
        self._next_number = 0
        self._dropped_before = 0  # by earlier streams
        self._bad_before = 0
        self._at = 0.0  # when the event that is taken happened
        self._said: dict[int, str | None] = {}
        self._start: tuple[float, float] | None = None  # when, and at which second of the stream

    def take(self, event: SessionEvent, at: float) -> None:
        """Fold in what happened at `at` (seconds, monotonic)."""
        self._at = at
        event.show(self)

    def rate(self, now: float) -> float:
        """Return the inferences a second, over the last RATE_S, or as far apart as they are."""
        while len(self._times) > 2 and self._times[0] < now - RATE_S:
            self._times.popleft()
        if len(self._times) < 2:
            return 0.0
        span = max(self._times[-1] - self._times[0], 1e-9)
        each = span / (len(self._times) - 1)
        return 1 / each if now - self._times[-1] < RATE_S + 3 * each else 0.0

    @property
    def counter(self) -> tuple[int, int, int] | None:
        """The least, the median and the largest of the last counters, None before the first."""
        if not self.counters:
            return None
        return min(self.counters), statistics.median_low(self.counters), max(self.counters)

    def attached(self, event: Attached) -> None:
        """See View."""
        if event.after:
            self.lines.append(f"--- {event.after}")
        self.info = event.info
        self.is_attached = True
        self.connections += 1
        self._dropped_before = self.dropped
        self._bad_before = self.bad_frames
        self.second_before = self.second
        self._next_number = 0
        self._start = None
        self.scores = None
        self.top = ""
        self.counters.clear()

    def detached(self, event: Detached) -> None:
        """See View."""
        self.is_attached = False
        self.reason = event.reason
        self._times.clear()
        self.lines.append(f"--- disconnected: {event.reason}")

    def played(self, event: Played) -> None:
        """See View."""
        self.playing = event
        self._said[event.clip] = event.said

    def inferred(self, event: Inferred) -> None:
        """See View."""
        reading, at = event.reading, self._at
        assert self.info is not None  # a device attaches before it reads
        self.inferences += 1
        self.lost += max(0, reading.number - self._next_number)
        self._next_number = reading.number + 1
        self.dropped = self._dropped_before + reading.dropped
        self.scores = event.scores
        self.top = reading.top
        self.counters.append(reading.infer_counter)
        self._times.append(at)
        rate_hz = self.info.sample_rate_hz
        streamed = reading.sample / rate_hz if rate_hz else 0.0
        self.second = self.second_before + streamed
        if self._start is None:
            self._start = at, streamed
        elif at - self._start[0] > 1:
            self.factor = (streamed - self._start[1]) / (at - self._start[0])
        if reading.event is not None and event.score is not None:
            said = None if event.clip is None else self._said.get(event.clip)
            self.heard.append(Heard(self.second, reading.event, event.score, said))

    def seen(self, event: Seen) -> None:
        """See View: rows are drawn where they arrive."""

    def sensed(self, event: Sensed) -> None:
        """See View: samples are drawn where they arrive."""

    def printed(self, event: Printed) -> None:
        """See View."""
        self.lines.append(f"log: {event.text}" if event.is_log else event.text)

    def bytes(self, event: Bytes) -> None:
        """See View: bytes change no figure."""

    def status(self, event: DeviceStatus) -> None:
        """See View."""
        self.device_status = event.status
        self.bad_frames = self._bad_before + event.bad_frames

    def summed(self, event: Summed) -> None:
        """See View."""
        self.clips.extend(event.report.clips)
        self.factor = event.report.real_time_factor or self.factor
