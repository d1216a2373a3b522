"""Recordings from a device in Python, over lines that lose frames, and from hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_device import ROOM, Clock, FakeDevice, FakeLink

from tinyml.device import deadline
from tinyml.device.client import Device
from tinyml.errors import ConfigError, DeviceError, DeviceTimeout, TinymlError
from tinyml.protocol import frames
from tinyml.protocol import messages as p

SAMPLES = np.arange(5000, dtype=np.int16)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def connect(clock: Clock, device: FakeDevice | None = None, **link: Any) -> Device:
    return Device(FakeLink(device or FakeDevice(), clock, **link), "fake")


def test_a_virtual_sensor_gives_back_what_is_played(clock: Clock) -> None:
    heard: list[np.ndarray] = []
    recording = connect(clock).record(5000, 16000, 1, SAMPLES, heard.append)
    assert np.array_equal(recording.samples, SAMPLES)
    assert np.array_equal(np.concatenate(heard), SAMPLES)
    assert (recording.overruns, recording.lost, recording.room) == (0, 0, ROOM)


def test_a_recording_ends_with_what_is_played_or_when_there_is_enough(clock: Clock) -> None:
    device = connect(clock)
    assert len(device.record(9000, 16000, 1, SAMPLES).samples) == 5000
    assert np.array_equal(device.record(700, 16000, 1, SAMPLES).samples, SAMPLES[:700])


def test_a_sensor_of_its_own_is_heard(clock: Clock) -> None:
    recording = connect(clock, FakeDevice(sensor="imu")).record(1000, 100, 3)
    assert np.array_equal(recording.samples, np.arange(3000).reshape(1000, 3))


def losing(number: int) -> Callable[[int, bytes], bytes]:
    return lambda at, data: b"" if at == number else data


@pytest.mark.parametrize("number", range(8, 30))
def test_frames_lost_on_the_way_there_are_sent_again(clock: Clock, number: int) -> None:
    recording = connect(clock, to_device=losing(number)).record(5000, 16000, 1, SAMPLES)
    assert np.array_equal(recording.samples, SAMPLES)
    assert recording.lost == 0


@pytest.mark.parametrize("number", range(8, 30))
def test_samples_lost_on_the_way_back_are_counted(clock: Clock, number: int) -> None:
    recording = connect(clock, to_host=losing(number)).record(5000, 16000, 1, SAMPLES)
    assert len(recording.samples) + recording.lost == 5000
    assert set(recording.samples) <= set(SAMPLES)


def test_overruns_are_told(clock: Clock) -> None:
    device = FakeDevice(sensor="pdm", overruns=17)
    assert connect(clock, device).record(1000, 16000).overruns == 17


def test_the_line_is_measured_without_the_sensor(clock: Clock) -> None:
    device = connect(clock, FakeDevice(sensor="pdm"))
    assert device.line_rate() > 0
    assert device.room(1) == ROOM


@pytest.mark.parametrize(("sensor", "played"), [("pdm", SAMPLES), ("virtual", None)])
def test_only_a_virtual_sensor_is_played_to(clock: Clock, sensor: str, played: Any) -> None:
    with pytest.raises(ConfigError, match="listens to its"):
        connect(clock, FakeDevice(sensor=sensor)).record(100, 16000, 1, played)
    with pytest.raises(ConfigError, match="has no sensor"):
        connect(clock, FakeDevice(streams=False)).record(100, 16000, 1, played)


def test_no_recording_is_larger_than_memory(clock: Clock) -> None:
    with pytest.raises(ConfigError, match="not possible"):
        connect(clock, FakeDevice(sensor="pdm")).record(1 << 27, 16000)


class Hostile(FakeDevice):
    """Sends whatever a test wants when a recording starts."""

    def __init__(self, *chunks: p.Chunk) -> None:
        super().__init__(sensor="pdm")
        self.chunks = chunks

    def on_capture(self, frame: frames.Frame, ask: p.Capture) -> bytes:
        out = frames.Frame(
            frame.type, frame.seq, p.Captured(0, 0, 0xFFFFFFFF).pack(), frames.Flag(1)
        )
        return out.encode() + b"".join(self._event(p.CHUNK, one) for one in self.chunks)


@pytest.mark.parametrize(
    "chunk",
    [
        p.Chunk(0, 0, b""),  # nothing, for ever
        p.Chunk(0, 0, b"abc"),
        p.Chunk(90, 0, bytes(22)),  # beyond what was asked for
        p.Chunk(0xFFFFFFFF, 0, bytes(2)),
        p.Chunk(100, 0, bytes(2)),
    ],
)
def test_chunks_that_cannot_be_are_refused(clock: Clock, chunk: p.Chunk) -> None:
    with pytest.raises(DeviceError, match="sent"):
        connect(clock, Hostile(chunk)).record(100, 16000)


def test_samples_that_come_twice_are_refused(clock: Clock) -> None:
    chunk = p.Chunk(0, 0, bytes(20))
    with pytest.raises(DeviceError, match="expected were samples 10 to 100"):
        connect(clock, Hostile(chunk, chunk)).record(100, 16000)


def test_a_device_that_falls_silent_is_given_up(clock: Clock) -> None:
    link = FakeLink(FakeDevice(), clock)
    device = Device(link, "fake")

    def cut(values: np.ndarray) -> None:
        link.read = _silence(link, clock)  # type: ignore[method-assign]

    with pytest.raises(DeviceTimeout):
        device.record(5000, 16000, 1, SAMPLES, cut)


def _silence(link: FakeLink, clock: Clock) -> Any:
    def read(n: int, deadline: Any) -> bytes:
        clock.now += deadline.left() + 0.001
        return b""

    return read


def test_a_device_that_went_away_is_an_error(clock: Clock) -> None:
    link = FakeLink(FakeDevice(), clock)
    device = Device(link, "fake")
    link.gone = True
    with pytest.raises(TinymlError):
        device.record(5000, 16000, 1, SAMPLES)
