"""Streams into a device in Python, over lines that lose frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_device import RESULT_SAMPLES, Clock, FakeDevice, FakeLink
from numpy.typing import NDArray

from tinyml.device import deadline, outbox, stream, transfer
from tinyml.device.client import Device
from tinyml.device.stream import Reading
from tinyml.errors import ConfigError, DataError, DeviceError, DeviceTimeout
from tinyml.protocol import frames
from tinyml.protocol import messages as p

SAMPLES = np.arange(5000, dtype=np.int16)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def connect(clock: Clock, **link: Any) -> Device:
    return Device(FakeLink(FakeDevice(), clock, **link), "fake")


def numbers(readings: list[Reading]) -> list[tuple[int, int]]:
    return [(reading.number, reading.sample) for reading in readings]


EXPECTED = [(n, (n + 1) * RESULT_SAMPLES) for n in range(len(SAMPLES) // RESULT_SAMPLES)]


def chunks(size: int) -> Iterator[NDArray[np.int16]]:
    for start in range(0, len(SAMPLES), size):
        yield SAMPLES[start : start + size]


def test_every_reading_arrives_and_the_stream_ends(clock: Clock) -> None:
    arrived: list[int] = []
    playing = connect(clock).stream(SAMPLES, on_sent=arrived.append)
    readings = list(playing)
    assert numbers(readings) == EXPECTED
    first, third = readings[0], readings[2]
    assert (first.top, first.event, first.score) == ("yes", None, None)
    assert (third.event, third.score) == ("n\x1b[2Jo", 99)
    assert first.scores.tolist() == [1, 2, 127, -128]
    assert (first.front_counter, first.infer_counter, first.dropped) == (8, 9, 0)
    assert playing.totals is not None
    assert (playing.totals.samples, playing.totals.results) == (5000, 12)
    assert (playing.totals.lost_results, playing.totals.dropped) == (0, 0)
    assert arrived == sorted(arrived)


@pytest.mark.parametrize("size", [1, 7, 1000, 5000])
def test_chunks_of_any_size_are_the_same_stream(clock: Clock, size: int) -> None:
    assert numbers(list(connect(clock).stream(chunks(size)))) == EXPECTED


@pytest.mark.parametrize("count", [0, 1, RESULT_SAMPLES - 1])
def test_a_stream_too_short_for_a_reading_ends(clock: Clock, count: int) -> None:
    playing = connect(clock).stream(SAMPLES[:count])
    assert list(playing) == []
    assert playing.totals is not None
    assert playing.totals.samples == count


def losing(number: int) -> Callable[[int, bytes], bytes]:
    return lambda at, data: b"" if at == number else data


CONNECT_WRITES = 8


@pytest.mark.parametrize("number", range(CONNECT_WRITES, CONNECT_WRITES + 24))
def test_a_frame_lost_on_the_way_there_is_sent_again(clock: Clock, number: int) -> None:
    playing = connect(clock, to_device=losing(number)).stream(SAMPLES)
    assert numbers(list(playing)) == EXPECTED
    assert playing.totals is not None
    assert playing.totals.samples == len(SAMPLES)


@pytest.mark.parametrize("number", range(CONNECT_WRITES, CONNECT_WRITES + 24))
def test_events_lost_on_the_way_back_are_counted(clock: Clock, number: int) -> None:
    playing = connect(clock, to_host=losing(number)).stream(SAMPLES)
    readings = list(playing)
    assert set(numbers(readings)) <= set(EXPECTED)
    assert playing.totals is not None
    assert playing.totals.lost_results == len(EXPECTED) - len(readings)
    assert playing.totals.samples == len(SAMPLES)


def test_the_real_time_factor_is_about_samples(clock: Clock) -> None:
    playing = connect(clock).stream(SAMPLES)
    list(playing)
    assert playing.totals is not None
    assert playing.totals.real_time_factor == pytest.approx(
        len(SAMPLES) / 16000 / playing.totals.seconds
    )


def test_leaving_early_stops_the_stream_so_that_the_model_is_free(clock: Clock) -> None:
    device = connect(clock)
    for _ in device.stream(SAMPLES):
        break
    firmware = device._channel._link.device  # type: ignore[attr-defined]
    assert firmware.executed[-1] == "STREAM"
    assert firmware._stream is None


def test_an_endless_source_is_fetched_no_further_than_the_device_has_room(clock: Clock) -> None:
    fetched = 0

    def endless() -> Iterator[NDArray[np.int16]]:
        nonlocal fetched
        while True:
            fetched += 100
            yield SAMPLES[:100]

    for reading in connect(clock).stream(endless()):
        assert fetched <= reading.sample + 2000
        if reading.number == 20:
            break


def test_samples_of_another_kind_are_refused(clock: Clock) -> None:
    with pytest.raises(DataError, match=r"int16 samples of 1 channel, got float64 \[5\]"):
        list(connect(clock).stream(np.zeros(5)))


def test_samples_of_several_channels_are_interleaved_and_counted_once() -> None:
    samples = np.arange(30, dtype=np.int16).reshape(10, 3)
    outbox = stream.Outbox(iter([samples[:4], samples[4:]]), frame_bytes=20)
    outbox.credit(p.Credit(0, 8, 0))
    sent = list(outbox.allowed())
    assert [one.index for one in sent] == [0, 3, 6]
    assert b"".join(one.samples for one in sent) == samples[:8].tobytes()
    outbox.credit(p.Credit(8, 100, 0))
    assert [(one.index, one.samples) for one in outbox.allowed()] == [
        (8, samples[8:].tobytes()),
        (10, b""),
    ]


def test_channels_may_not_change_within_a_stream() -> None:
    outbox = stream.Outbox(iter([np.zeros((4, 3), np.int16), np.zeros((4, 2), np.int16)]), 20)
    outbox.credit(p.Credit(0, 8, 0))
    with pytest.raises(DataError, match=r"3 channels, got int16 \[4, 2\]"):
        list(outbox.allowed())


def test_firmware_without_a_front_end_cannot_stream(clock: Clock) -> None:
    device = Device(FakeLink(FakeDevice(streams=False), clock), "fake")
    with pytest.raises(ConfigError, match="no front end"):
        device.stream(SAMPLES)


def test_a_restart_in_the_middle_is_noticed(clock: Clock) -> None:
    device = connect(clock)
    readings = iter(device.stream(SAMPLES))
    next(readings)
    link: FakeLink = device._channel._link  # type: ignore[assignment]
    link.device.restart()
    link.pending.clear()
    with pytest.raises(DeviceError, match="fake restarted"):
        list(readings)


def test_silence_in_the_middle_is_a_timeout(clock: Clock) -> None:
    device = connect(clock)
    readings = iter(device.stream(SAMPLES))
    next(readings)
    link: FakeLink = device._channel._link  # type: ignore[assignment]
    link.device.feed = lambda data: b""  # type: ignore[method-assign]
    before = clock.now
    with pytest.raises(DeviceTimeout):
        list(readings)
    assert clock.now - before < 40


@pytest.mark.parametrize(
    "event",
    [
        (p.CREDIT, p.Credit(next=1 << 40, limit=1 << 41, rewind=0)),
        (p.RESULT, p.StreamResult(0, 0, 0, 0, 0, 0, 9, p.NO_LABEL, 0, b"1234")),
        (p.RESULT, p.StreamResult(0, 0, 0, 0, 0, 0, 0, 9, 0, b"1234")),
        (p.RESULT, p.StreamResult(0, 0, 0, 0, 0, 0, 0, p.NO_LABEL, 0, b"12345")),
    ],
)
def test_events_that_cannot_be_are_errors(
    clock: Clock, event: tuple[p.Message, frames.Record]
) -> None:
    message, record = event
    frame = frames.Frame(message.number, 0, record.pack(), frames.Flag.EVENT).encode()
    device = connect(clock, to_host=lambda at, data: data + (frame if at > CONNECT_WRITES else b""))
    with pytest.raises(DeviceError):
        list(device.stream(SAMPLES))


def test_a_device_that_allows_everything_gets_a_bounded_part_of_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "SILENT_S", 1.0)

    class Greedy(FakeDevice):
        def on_sensor(self, frame: frames.Frame, ask: p.SensorSamples) -> bytes:
            return b""

        def _credit(self, rewind: int = 0) -> bytes:
            return self._event(p.CREDIT, p.Credit(0, 1 << 60, 0))

    fetched = 0

    def endless() -> Iterator[NDArray[np.int16]]:
        nonlocal fetched
        while True:
            fetched += 100
            yield SAMPLES[:100]

    with pytest.raises(DeviceTimeout):
        list(Device(FakeLink(Greedy(), clock), "fake").stream(endless()))
    assert fetched <= 70_000


def test_a_sensor_of_the_board_s_own_is_listened_to(clock: Clock) -> None:
    device = FakeDevice(sensor="pdm")
    connection = Device(FakeLink(device, clock), "fake")
    readings = iter(connection.stream())
    assert numbers([next(readings) for _ in range(3)]) == EXPECTED[:3]
    with pytest.raises(DeviceTimeout):
        next(readings)
    assert device.executed.count("STREAM") == 3  # STOP at connection, START, STOP after the silence
    assert "SENSOR" not in device.executed


def test_samples_and_sensor_must_fit_each_other(clock: Clock) -> None:
    with pytest.raises(ConfigError, match="its pdm sensor") as caught:
        Device(FakeLink(FakeDevice(sensor="pdm"), clock), "fake").stream(SAMPLES)
    assert caught.value.hint == "tinyml flash --sensor virtual"
    with pytest.raises(ConfigError, match="its virtual sensor"):
        connect(clock).stream()


def test_a_paced_stream_sends_no_sample_before_its_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "time", SimpleNamespace(monotonic=clock.monotonic))
    started = clock.now
    early = []

    def on_sent(arrived: int) -> None:
        early.append(arrived - (clock.now - started) * 16000)

    playing = connect(clock).stream(SAMPLES, paced=True, on_sent=on_sent)
    assert numbers(list(playing)) == EXPECTED
    assert max(early[:-1]) <= 0.02 * 16000  # one step
    assert clock.now - started == pytest.approx(5000 / 16000, abs=0.1)


def test_a_stream_is_stopped_from_outside_with_its_totals(clock: Clock) -> None:
    playing = connect(clock).stream(chunks(100))
    readings = []
    for reading in playing:
        readings.append(reading)
        if len(readings) == 3:
            playing.stop()
    assert playing.totals is not None
    assert playing.totals.results >= 3
    assert len(readings) == 3


def test_a_device_that_says_nothing_can_be_stopped_too(clock: Clock) -> None:
    device = Device(FakeLink(FakeDevice(sensor="microphone"), clock), "fake")
    playing = device.stream()
    readings = []
    for reading in playing:
        readings.append(reading)
        if len(readings) == 3:  # it has no more to say
            playing.stop()
    assert playing.totals is not None
    assert playing.totals.results == 3


def test_asking_for_the_status_in_a_stream_loses_no_reading(clock: Clock) -> None:
    playing = connect(clock).stream(SAMPLES)
    readings = []
    for reading in playing:
        readings.append(reading)
        assert playing.status().stack == 8192
    assert numbers(readings) == EXPECTED
