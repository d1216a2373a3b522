"""Flow control of a virtual sensor: a send window by credit, at a sensor's own pace.

The device says with CREDIT what has arrived and what it has room for; what has not arrived is kept
and can be sent again. The index of a sample is the clock: nothing here depends on the line.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import DataError, DeviceError
from tinyml.protocol.messages import Credit, SensorSamples

Samples = NDArray[Any]
TURN_S = 0.02  # how late a sample that is due may be noticed
_VALUE_BYTES = 2
_MAX_AHEAD = 1 << 16  # samples under way; a device that allows more is not believed


class Pace:
    """The clock of a sensor that starts when it is first asked: how many samples it has by now."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._step = max(1, round(rate_hz * TURN_S))  # few large frames, not many small ones
        self._started: float | None = None

    def due(self) -> int:
        """Return the number of samples that may be sent."""
        now = time.monotonic()
        if self._started is None:
            self._started = now
        samples = int((now - self._started) * self._rate_hz)
        return samples - samples % self._step + self._step


class Outbox:
    """Samples between the source and the device: those under way are kept until they arrived.

    The first chunk of the source says how many channels its samples have.
    """

    def __init__(
        self, source: Iterator[Samples], frame_bytes: int, pace: Pace | None = None
    ) -> None:
        self.arrived = 0  # samples that the device has
        self._pace = pace
        first = next(source, np.empty(0, np.int16))
        self._source = itertools.chain([first], source)
        self._channels = first.shape[1] if first.ndim == 2 else 1
        self._sample = _VALUE_BYTES * max(1, self._channels)
        self._frame = frame_bytes // self._sample
        self._limit = 0
        self._sent = 0
        self._kept = bytearray()  # from `arrived` on
        self._end: int | None = None
        self._end_sent = False

    @property
    def has_credit(self) -> bool:
        """Whether the device has ever allowed samples."""
        return self._limit > 0

    @property
    def is_ready(self) -> bool:
        """Whether time alone has made samples ready to be sent."""
        return self._pace is not None and self._sent < self._open and not self._end_sent

    @property
    def _open(self) -> int:
        """The sample before which all may be sent."""
        return self._limit if self._pace is None else min(self._limit, self._pace.due())

    def allowed(self) -> Iterator[SensorSamples]:
        """Yield what may be sent now; what is yielded counts as sent."""
        while self._sent < (limit := self._open):
            index, count = self._sent, min(self._frame, limit - self._sent)
            data = self._take(index, count)
            if not data:
                break
            self._sent += len(data) // self._sample
            yield SensorSamples(index, data)
        if self._end is not None and self._sent == self._end and not self._end_sent:
            self._end_sent = True
            yield SensorSamples(self._end)

    def credit(self, credit: Credit) -> None:
        """Take the device's word for what arrived and what may follow."""
        if not self.arrived <= credit.next <= self._sent:
            raise DeviceError(
                f"the device acknowledges sample {credit.next:,}; {self.arrived:,} to "
                f"{self._sent:,} were under way"
            )
        del self._kept[: (credit.next - self.arrived) * self._sample]
        self.arrived = credit.next
        self._limit = max(self._limit, min(credit.limit, credit.next + _MAX_AHEAD))
        if credit.rewind:
            self._sent = credit.next
            self._end_sent = False

    def again(self) -> Iterator[SensorSamples]:
        """Yield everything that may not have arrived, after a repeat of what has.

        A repeat makes the device say its credit, which may be what was lost.
        """
        self._sent = self.arrived
        self._end_sent = False
        if self.arrived:
            yield SensorSamples(0)
        yield from self.allowed()

    def _take(self, index: int, count: int) -> bytes:
        """Return up to `count` samples from `index` on, fetching them where they are new."""
        start = (index - self.arrived) * self._sample
        end = start + count * self._sample
        while len(self._kept) < end and self._end is None:
            chunk = next(self._source, None)
            if chunk is None:
                self._end = self.arrived + len(self._kept) // self._sample
            else:
                self._kept += self._bytes_of(chunk)
        return bytes(self._kept[start:end])

    def _bytes_of(self, chunk: Samples) -> bytes:
        channels = chunk.shape[1:] if chunk.ndim > 1 else (1,)
        if chunk.dtype != np.int16 or channels != (self._channels,):
            raise DataError(
                f"a stream takes int16 samples of {self._channels} channel"
                f"{'' if self._channels == 1 else 's'}, got {chunk.dtype} {list(chunk.shape)}"
            )
        return chunk.astype("<i2").tobytes()
