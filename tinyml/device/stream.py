"""Streaming inference: a result for every stride of what a device's sensor hears.

Results carry numbers: what the line loses is asked for again, and what cannot be had any more is
counted, never invented. How samples and events travel is `transfer`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.device.channel import Channel
from tinyml.device.identity import DeviceInfo
from tinyml.device.outbox import Outbox, Pace
from tinyml.device.refusal import RequestRefused
from tinyml.device.transfer import Transfer, TransferKind
from tinyml.errors import ConfigError, DeviceError
from tinyml.protocol.messages import (
    INFO,
    NO_LABEL,
    RESEND,
    RESULT,
    STREAM,
    TRACE,
    WATCH,
    Action,
    ErrorCode,
    Info,
    InfoSection,
    Resend,
    SensorSamples,
    Status,
    StreamRequest,
    StreamResult,
    Totals,
    Trace,
    Watch,
)

Samples = NDArray[Any]
_STATUS_BYTES = 1024
_MOST_RESENT = 64  # missing results that are asked for at a time: no device keeps more
_STREAM = TransferKind(
    message=STREAM,
    start=StreamRequest(Action.START),
    stop=StreamRequest(Action.STOP),
    events=(RESULT, TRACE),
    totals=Totals.unpack,
    ends_in_silence=False,
)


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

    `lost_results`: readings that never arrived here; `resent`: those that the line lost at first.
    `seconds`: how long it took; `real_time_factor`: seconds of samples per second, 0.0 where the
    rate is not known.
    """

    samples: int
    results: int
    dropped: int
    lost_results: int
    seconds: float
    real_time_factor: float
    resent: int = 0


class ReadingStream:
    """Iterate once to play the samples and get the readings; then `totals` says how it went.

    Readings come in order of their numbers and once each. `stop` ends it soon, with totals; so does
    leaving the loop, without.
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
        trace_step: int = 0,
        on_trace: Callable[[Trace], None] = lambda trace: None,
    ) -> None:
        """`samples`: int16 [n], or [n, channels], or an iterable of them; None for a real sensor.

        `paced`: none is sent before a real sensor would have it. `on_sent` gets how many have
        arrived. `on_trace` gets what the sensor gives, as `Watch.step` says; nothing from firmware
        that cannot tell. Raises ConfigError for samples that the device's sensor does not take, and
        for none where it needs them.
        """
        _require_sensor(info, samples is not None)
        self._channel = channel
        self._info = info
        outbox = None
        if samples is not None:
            chunks = [samples] if isinstance(samples, np.ndarray) else samples
            pace = Pace(info.sample_rate_hz) if paced and info.sample_rate_hz else None
            room = info.max_payload - SensorSamples.fixed_bytes()
            outbox = Outbox(iter(chunks), room, pace)
        self._transfer = Transfer(channel, _STREAM, outbox, on_start=self._watch, on_sent=on_sent)
        self._trace_step = trace_step
        self._on_trace = on_trace
        self.stop = self._transfer.stop
        self._received = 0
        self._resent = 0
        self._next_number = 0
        self._resends = True  # whether the firmware keeps results, which older ones do not

    def _watch(self) -> None:
        if not self._trace_step:
            return
        try:
            self._channel.request(WATCH, Watch(self._trace_step), keep_events=True)
        except RequestRefused as refusal:
            if refusal.code != ErrorCode.UNSUPPORTED:
                raise

    def status(self) -> Status:
        """Return the device's status, as `Device.status` does, without losing a reading."""
        return Status.unpack(
            self._channel.request(
                INFO, Info(InfoSection.STATUS), limit=_STATUS_BYTES, keep_events=True
            )
        )

    def __iter__(self) -> Iterator[Reading]:
        started = time.monotonic()
        for frame in self._transfer.events():
            if frame.type == RESULT.number:
                yield from self._in_order(StreamResult.unpack(frame.payload))
            else:
                self._on_trace(Trace.unpack(frame.payload))
        ended = self._transfer.totals
        assert ended is not None  # that is how `events` ends
        yield from self._missing(ended.results)
        self.totals = self._sum_up(ended, time.monotonic() - started)

    def _in_order(self, result: StreamResult) -> Iterator[Reading]:
        """Yield what is missing before a result, and it; nothing for one that came already."""
        self._require_possible(result)
        if result.number >= self._next_number:
            yield from self._missing(result.number)
            yield self._reading(result)

    def _missing(self, end: int) -> Iterator[Reading]:
        """Ask for the results from the next one on to before `end`; yield what the device has."""
        for number in range(max(self._next_number, end - _MOST_RESENT), end):
            if not self._resends:
                return
            try:
                payload = self._channel.request(RESEND, Resend(number), keep_events=True)
            except RequestRefused as refusal:
                self._resends = refusal.code != ErrorCode.UNSUPPORTED
                continue
            result = StreamResult.unpack(payload)
            if result.number != number:
                raise DeviceError(
                    f"{self._channel.name} sent result {result.number} for number {number}"
                )
            self._require_possible(result)
            self._resent += 1
            yield self._reading(result)

    def _require_possible(self, result: StreamResult) -> None:
        """Raise DeviceError for a result that no model of these labels has."""
        labels = self._info.labels
        known = result.event == NO_LABEL or result.event < len(labels)
        if result.top >= len(labels) or not known or len(result.scores) != len(labels):
            raise DeviceError(f"{self._channel.name} sent a result that cannot be: {result!r}")

    def _reading(self, result: StreamResult) -> Reading:
        labels = self._info.labels
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

    def _sum_up(self, ended: Totals, seconds: float) -> StreamTotals:
        rate = self._info.sample_rate_hz
        return StreamTotals(
            samples=ended.samples,
            results=ended.results,
            dropped=ended.dropped,
            lost_results=max(0, ended.results - self._received),
            seconds=seconds,
            real_time_factor=ended.samples / rate / seconds if rate and seconds else 0.0,
            resent=self._resent,
        )


def _require_sensor(info: DeviceInfo, is_played_to: bool) -> None:
    if not info.features:
        raise ConfigError(
            f"the firmware of {info.board} ({info.model}) has no front end and cannot stream",
            "flash a model whose card says how to listen: tinyml models",
        )
    if is_played_to != info.is_virtual:
        raise ConfigError(
            f"the firmware of {info.board} listens to its {info.sensor} sensor",
            "play recordings to it" if info.is_virtual else "tinyml flash --sensor virtual",
        )
