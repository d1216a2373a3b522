"""A recording: samples of a device's sensor come to the host; a virtual sensor is played to first.

Whatever a device sends is bounded by what was asked for, and what is missing is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml.device.channel import Channel
from tinyml.device.deadline import Deadline
from tinyml.device.identity import DeviceInfo
from tinyml.device.stream import QUIET_S, SILENT_S, Outbox
from tinyml.errors import ConfigError, DeviceError, DeviceTimeout
from tinyml.protocol.frames import Flag, Frame
from tinyml.protocol.messages import (
    CAPTURE,
    CHUNK,
    CREDIT,
    ENDED,
    ERROR,
    SENSOR,
    Action,
    Capture,
    Captured,
    Chunk,
    Credit,
    Error,
    ErrorCode,
    SensorSamples,
    Totals,
)

Samples = NDArray[np.int16]
OnChunk = Callable[[Samples], None]
MAX_VALUES = 1 << 26  # int16 values of one recording: 128 MiB
_VALUE_BYTES = 2
_PROBE_VALUES = 12_000  # about a second of the slowest line
_PATIENCE = 60.0  # times its own length, and as many seconds, that a recording may take


@dataclass(frozen=True)
class SensorRecording:
    """What a sensor gave: int16 [n], or [n, channels] where there are several.

    `overruns`: samples lost on the device before they were read. `lost`: samples that never arrived
    here; what follows them closes up. `room`: samples that fit into the device's memory while the
    line is busy. `seconds`: how long it took.
    """

    samples: Samples
    rate_hz: int
    overruns: int
    lost: int
    room: int
    seconds: float


def record(
    channel: Channel,
    info: DeviceInfo,
    count: int,
    rate_hz: int,
    channels: int,
    played: Samples | None = None,
    on_chunk: OnChunk | None = None,
) -> SensorRecording:
    """Record `count` samples per channel, or fewer where what is `played` ends before.

    `on_chunk` gets the samples as they come. Raises ConfigError for samples to play with another
    sensor than the virtual one, and for that one without; DeviceError and DeviceTimeout where the
    device refuses, restarts, falls silent or sends what cannot be.
    """
    if not info.features:
        raise ConfigError(
            f"the firmware of {info.board} ({info.model}) has no sensor",
            "flash a model that listens: tinyml models",
        )
    if (played is not None) != info.is_virtual:
        raise ConfigError(
            f"the firmware of {info.board} listens to its {info.sensor} sensor",
            "play recordings to it with --source" if info.is_virtual else "leave --source out",
        )
    if not 0 < count * channels <= MAX_VALUES:
        raise ConfigError(
            f"a recording of {count:,} samples is not possible",
            f"at most {MAX_VALUES // channels:,} samples; record several",
        )
    recorder = _Recorder(channel, info, Capture(Action.START, channels, rate_hz, count), played)
    return recorder.run(on_chunk)


def line_rate(channel: Channel, info: DeviceInfo) -> float:
    """Measure how many bytes of samples a second come over the line, without a sensor."""
    probe = _Recorder(channel, info, Capture(Action.START, 1, 0, _PROBE_VALUES), None)
    recording = probe.run(None)
    return len(recording.samples) * _VALUE_BYTES / max(recording.seconds, 1e-6)


def room(channel: Channel, channels: int) -> int:
    """Return how many samples fit into the device's memory while the line is busy."""
    ask = Capture(Action.START, channels, 0, 1)
    reply = Captured.unpack(channel.request(CAPTURE, ask))
    channel.request(CAPTURE, Capture(Action.STOP))
    return reply.room


class _Recorder:
    """One capture, from START to its end."""

    def __init__(
        self, channel: Channel, info: DeviceInfo, ask: Capture, played: Samples | None
    ) -> None:
        self._channel = channel
        self._ask = ask
        self._outbox: Outbox | None = None
        if played is not None:
            self._outbox = Outbox(iter([played]), info.max_payload - SensorSamples.fixed_bytes())
        self._parts: list[Samples] = []
        self._next = 0  # index after the last sample that came
        self._lost = 0
        self._overruns = 0
        self._ended = False

    def run(self, on_chunk: OnChunk | None) -> SensorRecording:
        """Do all of it; the device is told to stop where this ends early."""
        length_s = self._ask.count / self._ask.rate_hz if self._ask.rate_hz else 0.0
        deadline = Deadline(_PATIENCE * (1 + length_s))
        started = time.monotonic()
        reply = Captured.unpack(self._channel.request(CAPTURE, self._ask))
        try:
            while not self._ended:
                self._turn(deadline, on_chunk)
        finally:
            if not self._ended:
                self._stop_quietly()
        channels = self._ask.channels
        shape = (-1,) if channels == 1 else (-1, channels)
        samples = np.concatenate(self._parts or [np.empty(0, np.int16)]).reshape(shape)
        return SensorRecording(
            samples, self._ask.rate_hz, self._overruns, self._lost, reply.room,
            time.monotonic() - started,
        )  # fmt: skip

    def _turn(self, deadline: Deadline, on_chunk: OnChunk | None) -> None:
        sent = self._send_one(deadline)
        frame = self._channel.receive(Deadline(0)) if sent else self._receive(deadline)
        if frame is None:
            return
        if frame.type == CHUNK.number and Flag.EVENT in frame.flags:
            samples = self._take(Chunk.unpack(frame.payload))
            if on_chunk is not None:
                on_chunk(samples)
        elif frame.type == CREDIT.number and self._outbox is not None:
            self._outbox.credit(Credit.unpack(frame.payload))
        elif frame.type == ENDED.number:
            totals = Totals.unpack(frame.payload)
            self._end(totals.samples, totals.dropped)
        elif frame.type == ERROR.number:
            self._error(frame)

    def _send_one(self, deadline: Deadline) -> bool:
        """Play the next frame of samples if the device has room; return whether there was one."""
        message = next(self._outbox.allowed(), None) if self._outbox is not None else None
        if message is not None:
            self._channel.send(SENSOR, message, deadline)
        return message is not None

    def _receive(self, deadline: Deadline) -> Frame | None:
        """Return the next frame; on silence, ask for what may have been lost."""
        silent = deadline.within(SILENT_S)
        while not silent.passed:
            frame = self._channel.receive(silent.within(QUIET_S))
            if frame is not None:
                return frame
            self._channel.same_boot(silent)
            if self._outbox is None:  # a real sensor is never silent: the end was lost
                self._finish()
                return None
            for message in self._outbox.again():
                self._channel.send(SENSOR, message, silent)
        raise DeviceTimeout(
            f"{self._channel.name} did not finish a recording in time (it stopped at sample "
            f"{self._next:,} of {self._ask.count:,})"
        )

    def _take(self, chunk: Chunk) -> Samples:
        values, odd = divmod(len(chunk.samples), _VALUE_BYTES)
        count, rest = divmod(values, self._ask.channels)
        end = chunk.index + count
        if odd or rest or count == 0 or chunk.index < self._next or end > self._ask.count:
            raise DeviceError(
                f"{self._channel.name} sent {len(chunk.samples)} bytes for sample {chunk.index:,}; "
                f"expected were samples {self._next:,} to {self._ask.count:,}"
            )
        self._lost += chunk.index - self._next
        self._next = end
        self._overruns = max(self._overruns, chunk.dropped)
        samples: Samples = np.frombuffer(chunk.samples, "<i2").astype(np.int16)
        self._parts.append(samples)
        return samples

    def _error(self, frame: Frame) -> None:
        error = Error.unpack(frame.payload)
        if error.code == ErrorCode.BAD_FRAME:
            return  # what was lost is asked for by CREDIT, or sent again after a silence
        if error.code == ErrorCode.STATE and Flag.RESPONSE in frame.flags:
            self._channel.same_boot(Deadline(SILENT_S))
            self._finish()  # nothing records any more: ENDED was lost
            return
        self._channel.refuse(error)

    def _finish(self) -> None:
        """Ask the device how far it came, which ends the capture there too."""
        done = Captured.unpack(self._channel.request(CAPTURE, Capture(Action.STOP)))
        self._end(done.samples, done.dropped)

    def _end(self, samples: int, dropped: int) -> None:
        self._lost += max(0, min(samples, self._ask.count) - self._next)
        self._overruns = max(self._overruns, dropped)
        self._ended = True

    def _stop_quietly(self) -> None:
        try:
            self._channel.request(CAPTURE, Capture(Action.STOP), timeout_s=QUIET_S)
        except DeviceError:
            return
