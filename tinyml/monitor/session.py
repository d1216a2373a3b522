"""A monitoring session: what happens on a device, from the first answer to the end, as events.

Connects, streams or plays the sources, and when the device goes and comes back, goes on. Nothing
here knows who listens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml import device
from tinyml.datasets import clips
from tinyml.datasets.clips import Clip
from tinyml.device import Device, DeviceInfo, Reading
from tinyml.device.deadline import Deadline
from tinyml.errors import ConfigError, DeviceError, TinymlError
from tinyml.features import FrontEnd
from tinyml.measure import playback, stream_reference
from tinyml.monitor.events import (
    RECONNECTED,
    RESET,
    Attached,
    Bytes,
    Detached,
    DeviceStatus,
    Inferred,
    Played,
    Printed,
    Sensed,
    SessionEvent,
    Summed,
)
from tinyml.monitor.twin import Twin
from tinyml.protocol.messages import Trace
from tinyml.records import Board

RECONNECT_S = 60.0
_STATUS_S = 5.0  # how often the device is asked how it is
_AGAIN_S = 0.3  # between two attempts to reach a device that has gone
_PAUSE_S = 1.0  # whole pictures of any camera
_VALUE_BYTES = 2
_SHARE = 0.7  # of the line that a trace may take
_POINTS_PER_S = 100  # of a trace where not every sample has room

Tell = Callable[[SessionEvent], None]


@dataclass(frozen=True)
class SessionOptions:
    """What to watch. `paced`: sources play no faster than a sensor would give them.

    `on_miss` gets every clip that was not recognised as said. `threshold`: averaged score (0..1)
    that an event needs, None for that of the firmware. `reconnect_s`: how long a device that has
    gone may take to come back, 0 for no time at all. `rows`: whether to tell Seen and Sensed;
    `traffic`: whether to tell Bytes.
    """

    board: Board
    port: str | None = None
    sources: tuple[Path, ...] = ()
    paced: bool = True
    reconnect_s: float = RECONNECT_S
    rows: bool = False
    traffic: bool = False
    on_miss: Callable[[Clip, FrontEnd, DeviceInfo], None] = lambda clip, front_end, info: None
    threshold: float | None = None


class Session:
    """One device, watched. `run` tells; `stop` and `reset` may be called from any thread."""

    def __init__(self, options: SessionOptions, tell: Tell) -> None:
        self._options = options
        self._tell = tell
        self._port = options.port
        self._stopped = threading.Event()
        self._reset = threading.Event()
        self._end_stream: Callable[[], None] = _nothing
        self._clips: Sequence[Clip] = ()
        self._done = 0  # clips that are finished
        self._twin: Twin | None = None  # of the stream that runs
        self.info: DeviceInfo | None = None  # of the device that answered last

    def stop(self) -> None:
        """Have `run` end soon."""
        self._stopped.set()
        self._end_stream()

    def reset(self) -> None:
        """Restart the device's firmware, also one that has failed and is waited for."""
        self._reset.set()
        self._end_stream()

    def recent(self, seconds: float) -> tuple[FrontEnd, NDArray[np.int16]] | None:
        """Return the last `seconds` of what the device heard, where that is known here.

        From any thread. None before anything came, and where a real sensor's line has no room for
        every sample.
        """
        twin = self._twin
        samples = twin.recent(seconds) if twin is not None else np.empty(0, np.int16)
        return (twin.front_end, samples) if twin is not None and len(samples) else None

    def run(self) -> None:
        """Watch until stopped, or until all sources have been played.

        Raises DeviceError when the device is not there, or has gone and does not come back;
        ConfigError and DataError for a port or sources that are of no use.
        """
        connection: Device | None = self._connect()
        after = ""
        while connection is not None:
            try:
                with connection:
                    self._watch(connection, after)
                return
            except DeviceError as error:
                lost = error
            if self._stopped.is_set():
                return
            if not self._options.reconnect_s:
                raise lost
            self._tell(Detached(lost.message))
            connection = self._connect_again(lost)
            after = RECONNECTED

    def _watch(self, connection: Device, after: str) -> None:
        """Watch one connection, through resets of ours, until its stream ends."""
        while True:
            self.info = connection.info
            self._tell(Attached(connection.info, after))
            if self._options.sources:
                self._play(connection)
            elif connection.info.is_virtual:
                self._rest(connection)
            else:
                self._hear(connection)
            if self._stopped.is_set() or not self._reset.is_set():
                return
            self._reset.clear()
            connection.reset()
            after = RESET

    def _connect(self, restart: bool = False) -> Device:
        connection = device.connect(
            self._options.board,
            self._port,
            restart=restart,
            on_text=self._tell_text,
            on_log=lambda text: self._tell(Printed(text, is_log=True)),
            on_bytes=self._tell_bytes if self._options.traffic else None,
        )
        self._port = connection.serial_number or self._port  # its path may be another next time
        return connection

    def _connect_again(self, lost: DeviceError) -> Device | None:
        """Return a new connection to the same device, or None when it is no longer wanted."""
        deadline = Deadline(self._options.reconnect_s)
        while not self._stopped.is_set():
            restart = self._reset.is_set()
            self._reset.clear()
            try:
                return self._connect(restart)
            except TinymlError as error:
                reason = error.message
            if deadline.passed:
                raise DeviceError(
                    f"{lost.message}; it did not come back in {self._options.reconnect_s:g} s "
                    f"({reason})",
                    lost.hint,
                )
            self._stopped.wait(_AGAIN_S)
        return None

    def _rest(self, connection: Device) -> None:
        """Have the virtual sensor give what a real one gives at rest."""
        twin = self._twin = Twin(playback.front_end_of(connection.info))
        chunk = twin.front_end.pause(max(1, round(_PAUSE_S * twin.front_end.rate_hz)))

        def on_sent(arrived: int) -> None:
            if arrived > twin.arrived:
                indices = np.arange(twin.arrived, arrived) % len(chunk)
                self._tell_rows(twin, twin.arrived, chunk[indices])

        stream = connection.stream(_endless(chunk), paced=True, on_sent=on_sent)
        readings = playback.recognised(stream, connection.info, self._options.threshold)
        self._follow(connection, stream, readings, lambda reading: on_sent(reading.sample))

    def _hear(self, connection: Device) -> None:
        """Listen to the board's own sensor, and have it tell what that gives."""
        info = connection.info
        try:
            twin = self._twin = Twin(playback.front_end_of(info))
        except ConfigError:  # one that is not known here: only the results can be shown
            stream = connection.stream()
        else:
            stream = connection.stream(
                trace_step=self._trace_step(connection, twin.front_end),
                on_trace=lambda trace: self._tell_trace(twin, trace),
            )
        readings = playback.recognised(stream, info, self._options.threshold)
        self._follow(connection, stream, readings, lambda reading: None)

    def _trace_step(self, connection: Device, front_end: FrontEnd) -> int:
        """Return how many samples make a point of the trace: as few as the line has room for."""
        if not self._options.rows:
            return 0
        needed = front_end.rate_hz * front_end.channels * _VALUE_BYTES
        room = connection.line_rate() * _SHARE
        if needed <= room:
            return 1
        return max(2, front_end.rate_hz // _POINTS_PER_S)

    def _play(self, connection: Device) -> None:
        """Play the clips that are not finished yet."""
        front_end = playback.front_end_of(connection.info)
        self._clips = self._clips or clips.load(
            self._options.sources, front_end, connection.info.labels
        )
        first = self._done

        def on_sent(arrived: int) -> None:
            if arrived >= twin.arrived:
                number = first + play.clip_at(max(0, arrived - 1))
                clip, total = self._clips[number], len(play.samples)
                self._tell(Played(number, len(self._clips), clip.name, clip.said, arrived, total))
            if arrived > twin.arrived:
                self._tell_rows(twin, twin.arrived, play.samples[twin.arrived : arrived])

        def clip_of(reading: Reading) -> int:
            on_sent(reading.sample)  # what was read has arrived, though it may not be acknowledged
            return first + play.clip_at(max(0, reading.sample - 1))

        play = playback.Play(
            connection,
            self._clips[first:],
            paced=self._options.paced,
            threshold=self._options.threshold,
            on_sent=on_sent,
        )
        twin = self._twin = Twin(front_end)
        try:
            self._follow(connection, play, play, clip_of)
        finally:
            self._done += play.finished
            if play.finished:
                report = play.report()
                for clip, result in zip(play.clips, report.clips, strict=False):
                    if result.right is False:
                        self._options.on_miss(clip, front_end, connection.info)
                self._tell(Summed(report))

    def _follow(
        self,
        connection: Device,
        stream: device.ReadingStream | playback.Play,
        readings: Iterable[Reading],
        clip_of: Callable[[Reading], int | None],
    ) -> None:
        """Tell all `readings` of `stream`, and now and then how the device is."""
        self._end_stream = stream.stop
        if self._stopped.is_set() or self._reset.is_set():
            stream.stop()
        output = connection.info.outputs[0]
        next_status = Deadline(0)
        for reading in readings:
            inference = stream_reference.of_device(reading, output)
            scores = (reading.scores.astype(np.float32) - output.zero_point) * output.scale
            score = inference.heard.score if inference.heard else None
            self._tell(Inferred(reading, scores, score, clip_of(reading)))
            if next_status.passed:
                self._tell(DeviceStatus(stream.status(), connection.bad_frames))
                next_status = Deadline(_STATUS_S)
        self._tell(DeviceStatus(connection.status(), connection.bad_frames))

    def _tell_rows(self, twin: Twin, start: int, samples: NDArray[Any]) -> None:
        seen = twin.push(start, samples, rows=self._options.rows)
        if seen is not None:
            self._tell(seen)

    def _tell_trace(self, twin: Twin, trace: Trace) -> None:
        """Tell what a real sensor gave; of every sample, also the rows that come of them."""
        channels, each = twin.front_end.channels, 1 if trace.step == 1 else 2
        flat = np.frombuffer(trace.samples[: len(trace.samples) // 2 * 2], "<i2").astype(np.int16)
        points = len(flat) // (channels * each)
        if not trace.step or not points:
            return
        values = flat[: points * channels * each].reshape(points, channels, each)
        self._tell(Sensed(trace.index, trace.step, twin.front_end.rate_hz, values))
        if trace.step == 1:
            samples = values[:, 0, 0] if channels == 1 else values[:, :, 0]
            self._tell_rows(twin, trace.index, samples)

    def _tell_text(self, text: str) -> None:
        for line in text.splitlines():
            if line.strip():
                self._tell(Printed(line))

    def _tell_bytes(self, to_device: bool, data: bytes) -> None:
        self._tell(Bytes(to_device, data))


def _endless(chunk: NDArray[Any]) -> Iterator[NDArray[Any]]:
    while True:
        yield chunk


def _nothing(*_: object) -> None:
    """Do nothing: there is no stream to end, or no virtual sensor."""
