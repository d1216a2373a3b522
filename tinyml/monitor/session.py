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
from tinyml.device import Device, Reading
from tinyml.device.deadline import Deadline
from tinyml.errors import DeviceError, TinymlError
from tinyml.features import FrontEnd
from tinyml.measure import playback
from tinyml.monitor.events import (
    RECONNECTED,
    RESET,
    Attached,
    Bytes,
    Detached,
    DeviceStatus,
    Event,
    Inferred,
    Played,
    Printed,
    Seen,
    Summed,
)
from tinyml.records import Board

RECONNECT_S = 60.0
_STATUS_S = 5.0  # how often the device is asked how it is
_AGAIN_S = 0.3  # between two attempts to reach a device that has gone
_PAUSE_S = 1.0  # whole pictures of any camera

Tell = Callable[[Event], None]


@dataclass(frozen=True)
class SessionOptions:
    """What to watch. `paced`: sources play no faster than a sensor would give them.

    `threshold`: averaged score (0..1) that an event needs, None for that of the firmware.

    `reconnect_s`: how long a device that has gone may take to come back, 0 for no time at all.
    `rows`: whether to tell Seen; `traffic`: whether to tell Bytes.
    """

    board: Board
    port: str | None = None
    sources: tuple[Path, ...] = ()
    paced: bool = True
    reconnect_s: float = RECONNECT_S
    rows: bool = False
    traffic: bool = False
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

    def stop(self) -> None:
        """Have `run` end soon."""
        self._stopped.set()
        self._end_stream()

    def reset(self) -> None:
        """Restart the device's firmware, also one that has failed and is waited for."""
        self._reset.set()
        self._end_stream()

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
            self._tell(Attached(connection.info, after))
            if self._options.sources:
                self._play(connection)
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

    def _hear(self, connection: Device) -> None:
        """Listen to the board's own sensor; the virtual one is at rest."""
        samples = None
        on_sent: Callable[[int], None] = _nothing
        if connection.info.is_virtual:
            front_end = playback.front_end_of(connection.info)
            chunk = front_end.pause(max(1, round(_PAUSE_S * front_end.rate_hz)))
            samples = _endless(chunk)
            twin = _Twin(front_end, lambda start, end: chunk[np.arange(start, end) % len(chunk)])
            on_sent = lambda arrived: self._tell_rows(twin, arrived)  # noqa: E731
        stream = connection.stream(samples, paced=True, on_sent=on_sent)
        readings = playback.recognised(stream, connection.info, self._options.threshold)
        self._follow(connection, stream, readings, lambda reading: on_sent(reading.sample))

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
            self._tell_rows(twin, arrived)

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
        twin = _Twin(front_end, lambda start, end: play.samples[start:end])
        try:
            self._follow(connection, play, play, clip_of)
        finally:
            self._done += play.finished
            if play.finished:
                self._tell(Summed(play.report()))

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
            inference = playback.of_device(reading, output)
            scores = (reading.scores.astype(np.float32) - output.zero_point) * output.scale
            score = inference.heard.score if inference.heard else None
            self._tell(Inferred(reading, scores, score, clip_of(reading)))
            if next_status.passed:
                self._tell(DeviceStatus(stream.status(), connection.bad_frames))
                next_status = Deadline(_STATUS_S)
        self._tell(DeviceStatus(connection.status(), connection.bad_frames))

    def _tell_rows(self, twin: _Twin, arrived: int) -> None:
        if not self._options.rows:
            twin.arrived = max(twin.arrived, arrived)
        elif (seen := twin.upto(arrived)) is not None:
            self._tell(seen)

    def _tell_text(self, text: str) -> None:
        for line in text.splitlines():
            if line.strip():
                self._tell(Printed(line))

    def _tell_bytes(self, to_device: bool, data: bytes) -> None:
        self._tell(Bytes(to_device, data))


class _Twin:
    """The host's own front end, fed with the samples that the device has."""

    def __init__(
        self, front_end: FrontEnd, samples: Callable[[int, int], NDArray[np.int16]]
    ) -> None:
        """`samples` returns those from one index to another."""
        self._front_end = front_end
        self._samples = samples
        self.arrived = 0
        self._rows = 0

    def upto(self, arrived: int) -> Seen | None:
        """Return the rows that the samples up to `arrived` complete, None where there are none."""
        if arrived <= self.arrived:
            return None
        rows = self._front_end.push(self._samples(self.arrived, arrived))
        self.arrived = arrived
        seen = Seen(self._rows, rows)
        self._rows += len(rows)
        return seen if len(rows) else None


def _endless(chunk: NDArray[Any]) -> Iterator[NDArray[Any]]:
    while True:
        yield chunk


def _nothing(*_: object) -> None:
    """Do nothing: there is no stream to end, or no virtual sensor."""
