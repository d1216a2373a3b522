"""Data capture: samples of a device's sensor, or of a virtual one that is played to.

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
from tinyml.device.outbox import Outbox
from tinyml.device.transfer import Transfer, TransferKind
from tinyml.errors import ConfigError, DeviceError
from tinyml.protocol.messages import (
    CAPTURE,
    CHUNK,
    Action,
    Capture,
    Captured,
    Chunk,
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
        self._name = channel.name
        self._ask = ask
        outbox = None
        if played is not None:
            outbox = Outbox(iter([played]), info.max_payload - SensorSamples.fixed_bytes())
        length_s = ask.count / ask.rate_hz if ask.rate_hz else 0.0
        deadline = Deadline(_PATIENCE * (1 + length_s))
        self._transfer = Transfer(channel, _kind(ask), outbox, deadline=deadline)
        self._parts: list[Samples] = []
        self._next = 0  # index after the last sample that came
        self._lost = 0
        self._overruns = 0

    def run(self, on_chunk: OnChunk | None) -> SensorRecording:
        """Do all of it; the device is told to stop where this ends early."""
        started = time.monotonic()
        for frame in self._transfer.events():
            samples = self._take(Chunk.unpack(frame.payload))
            if on_chunk is not None:
                on_chunk(samples)
        ended = self._transfer.totals
        assert ended is not None  # that is how `events` ends
        channels = self._ask.channels
        shape = (-1,) if channels == 1 else (-1, channels)
        samples = np.concatenate(self._parts or [np.empty(0, np.int16)]).reshape(shape)
        return SensorRecording(
            samples=samples,
            rate_hz=self._ask.rate_hz,
            overruns=max(self._overruns, ended.dropped),
            lost=self._lost + max(0, min(ended.samples, self._ask.count) - self._next),
            room=Captured.unpack(self._transfer.reply).room,
            seconds=time.monotonic() - started,
        )

    def _take(self, chunk: Chunk) -> Samples:
        values, odd = divmod(len(chunk.samples), _VALUE_BYTES)
        count, rest = divmod(values, self._ask.channels)
        end = chunk.index + count
        if odd or rest or count == 0 or chunk.index < self._next or end > self._ask.count:
            raise DeviceError(
                f"{self._name} sent {len(chunk.samples)} bytes for sample {chunk.index:,}; "
                f"expected were samples {self._next:,} to {self._ask.count:,}"
            )
        self._lost += chunk.index - self._next
        self._next = end
        self._overruns = max(self._overruns, chunk.dropped)
        samples: Samples = np.frombuffer(chunk.samples, "<i2").astype(np.int16)
        self._parts.append(samples)
        return samples


def _kind(ask: Capture) -> TransferKind:
    return TransferKind(
        message=CAPTURE,
        start=ask,
        stop=Capture(Action.STOP),
        events=(CHUNK,),
        totals=_totals,
        ends_in_silence=True,
    )


def _totals(reply: bytes) -> Totals:
    captured = Captured.unpack(reply)
    return Totals(captured.samples, 0, captured.dropped)
