"""A stream: readings come from the device, and samples go to its sensor if that is virtual.

The index of a sample is the clock: nothing here depends on how fast the line is. Lost frames are
sent again or counted, never invented.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.device.channel import Channel
from tinyml.device.deadline import Deadline
from tinyml.device.identity import DeviceInfo
from tinyml.errors import ConfigError, DataError, DeviceError, DeviceTimeout
from tinyml.protocol.frames import Flag, Frame
from tinyml.protocol.messages import (
    CREDIT,
    ENDED,
    ERROR,
    INFO,
    NO_LABEL,
    RESULT,
    SENSOR,
    STREAM,
    Action,
    Credit,
    Error,
    ErrorCode,
    Info,
    InfoSection,
    SensorSamples,
    Status,
    StreamRequest,
    StreamResult,
    Totals,
)

Samples = NDArray[Any]
QUIET_S = 2.0  # silence after which what may have been lost is sent again
SILENT_S = 30.0  # silence after which the device is given up
_TURN_S = 0.02  # how late a request to stop, or a sample that is due, may be noticed
_STATUS_BYTES = 1024
_VALUE_BYTES = 2
_MAX_AHEAD = 1 << 16  # samples under way; a device that allows more is not believed


@dataclass(frozen=True)
class Reading:
    """One inference of a stream.

    `number` counts from 0. `sample`: index after the last sample that it read. `scores` are the
    int8 values of output 0, `top` the label of the highest. `event`: the label that was recognised
    now, or None, with its averaged `score` in the units of `scores`. Counters count the front end's
    work since the reading before, and the inference. `dropped`: samples lost so far.
    """

    number: int
    sample: int
    time_us: int
    scores: NDArray[np.int8]
    top: str
    event: str | None
    score: int | None
    front_counter: int
    infer_counter: int
    dropped: int


@dataclass(frozen=True)
class StreamTotals:
    """A stream that has ended. `samples`, `results`, `dropped` as the device counted them.

    `lost_results`: readings that never arrived here. `seconds`: how long it took;
    `real_time_factor`: seconds of samples per second, 0.0 where the rate is not known.
    """

    samples: int
    results: int
    dropped: int
    lost_results: int
    seconds: float
    real_time_factor: float


class ReadingStream:
    """Iterate once to play the samples and get the readings; then `totals` says how it went.

    `stop` ends it soon, with totals; so does leaving the loop, without.
    """

    totals: StreamTotals | None = None

    def __init__(
        self,
        channel: Channel,
        info: DeviceInfo,
        samples: Samples | Iterable[Samples] | None,
        *,
        paced: bool = False,
        on_sent: Callable[[int], None] | None = None,
    ) -> None:
        """`samples`: int16 [n], or [n, channels], or an iterable of them; None for a real sensor.

        `paced`: none is sent before a real sensor would have it. `on_sent` gets how many have
        arrived. Raises ConfigError for samples that the device's
        sensor does not take, and for none where it needs them.
        """
        if not info.features:
            raise ConfigError(
                f"the firmware of {info.board} ({info.model}) has no front end and cannot stream",
                "flash a model whose card says how to listen: tinyml models",
            )
        if (samples is not None) != info.is_virtual:
            raise ConfigError(
                f"the firmware of {info.board} listens to its {info.sensor} sensor",
                "play recordings to it" if info.is_virtual else "tinyml flash --sensor virtual",
            )
        chunks = [samples] if isinstance(samples, np.ndarray) else samples or ()
        self._channel = channel
        self._info = info
        self._on_sent = on_sent
        pace = _Pace(info.sample_rate_hz) if paced and info.sample_rate_hz else None
        self._outbox = Outbox(iter(chunks), info.max_payload - SensorSamples.fixed_bytes(), pace)
        self._received = 0
        self._next_number = 0
        self._stopped = False

    def stop(self) -> None:
        """End the stream soon, from any thread, also when nothing comes from the device."""
        self._stopped = True

    def status(self) -> Status:
        """Return the device's status, as `Device.status` does, without losing a reading."""
        return Status.unpack(
            self._channel.request(
                INFO, Info(InfoSection.STATUS), limit=_STATUS_BYTES, keep_events=True
            )
        )

    def __iter__(self) -> Iterator[Reading]:
        started = time.monotonic()
        self._channel.request(STREAM, StreamRequest(Action.START))
        ended: Totals | None = None
        try:
            while ended is None:
                if self._stopped:
                    ended = Totals.unpack(self._channel.request(STREAM, StreamRequest(Action.STOP)))
                    break
                # One frame out, then whatever has come in: a slow source delays no reading.
                frame = self._channel.receive(Deadline(0)) if self._send_one() else self._receive()
                if frame is None:
                    continue
                if frame.type == RESULT.number:
                    yield self._reading(StreamResult.unpack(frame.payload))
                elif frame.type == CREDIT.number:
                    self._outbox.credit(Credit.unpack(frame.payload))
                    if self._on_sent is not None:
                        self._on_sent(self._outbox.arrived)
                elif frame.type == ENDED.number:
                    ended = Totals.unpack(frame.payload)
                elif frame.type == ERROR.number:
                    ended = self._error(frame)
        finally:
            if ended is None:
                self._stop_quietly()
        if self._on_sent is not None and not self._stopped:
            self._on_sent(ended.samples)  # the last of them are not acknowledged otherwise
        self.totals = self._sum_up(ended, time.monotonic() - started)

    def _send_one(self) -> bool:
        """Send the next frame of samples if the device has room; return whether there was one."""
        message = next(self._outbox.allowed(), None)
        if message is not None:
            self._channel.send(SENSOR, message, Deadline(SILENT_S))
        return message is not None

    def _receive(self) -> Frame | None:
        """Return the next frame, or None when there is something else to do.

        On silence, send again what may have been lost.
        """
        deadline = Deadline(SILENT_S)
        while not deadline.passed:
            quiet = deadline.within(QUIET_S)
            while not quiet.passed:
                frame = self._channel.receive(quiet.within(_TURN_S))
                if frame is not None or self._stopped or self._outbox.is_ready:
                    return frame
            self._channel.same_boot(deadline)
            if self._info.is_virtual and not self._outbox.has_credit:
                self._channel.request(STREAM, StreamRequest(Action.START))
            for message in self._outbox.again():
                self._channel.send(SENSOR, message, deadline)
        raise DeviceTimeout(
            f"{self._channel.name} was silent for {SILENT_S:g} s in the middle of a stream "
            f"(after sample {self._outbox.arrived:,})"
        )

    def _reading(self, result: StreamResult) -> Reading:
        labels = self._info.labels
        known = result.event == NO_LABEL or result.event < len(labels)
        if result.top >= len(labels) or not known or len(result.scores) != len(labels):
            raise DeviceError(f"{self._channel.name} sent a result that cannot be: {result!r}")
        self._received += 1
        self._next_number = result.number + 1
        recognised = result.event != NO_LABEL
        return Reading(
            number=result.number,
            sample=result.sample,
            time_us=result.time_us,
            scores=np.frombuffer(result.scores, np.int8),
            top=labels[result.top],
            event=labels[result.event] if recognised else None,
            score=result.score if recognised else None,
            front_counter=result.front_counter,
            infer_counter=result.infer_counter,
            dropped=result.dropped,
        )

    def _error(self, frame: Frame) -> Totals | None:
        error = Error.unpack(frame.payload)
        if error.code == ErrorCode.BAD_FRAME:
            return None  # what was lost is asked for by CREDIT, or sent again after a silence
        if error.code == ErrorCode.STATE and Flag.RESPONSE in frame.flags:
            # The stream does not run any more: ENDED was lost, or the device restarted.
            self._channel.same_boot(Deadline(SILENT_S))
            return Totals.unpack(self._channel.request(STREAM, StreamRequest(Action.STOP)))
        self._channel.refuse(error)

    def _stop_quietly(self) -> None:
        """Stop the stream on a device that may no longer be there."""
        try:
            self._channel.request(STREAM, StreamRequest(Action.STOP), timeout_s=QUIET_S)
        except DeviceError:
            return

    def _sum_up(self, ended: Totals, seconds: float) -> StreamTotals:
        rate = self._info.sample_rate_hz
        return StreamTotals(
            samples=ended.samples,
            results=ended.results,
            dropped=ended.dropped,
            lost_results=max(0, ended.results - self._received),
            seconds=seconds,
            real_time_factor=ended.samples / rate / seconds if rate and seconds else 0.0,
        )


class _Pace:
    """The clock of a sensor that starts when it is first asked: how many samples it has by now."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._step = max(1, round(rate_hz * _TURN_S))  # few large frames, not many small ones
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
        self, source: Iterator[Samples], frame_bytes: int, pace: _Pace | None = None
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
