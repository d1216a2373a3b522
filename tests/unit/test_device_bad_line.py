"""What a bad line costs: nothing twice, nothing unnoticed, and never more time than was given."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import fake_device as fake
import numpy as np
import pytest
from fake_device import RESULT_SAMPLES, Clock, FakeDevice, FakeLink

from tinyml.device import channel, deadline
from tinyml.device.channel import Channel
from tinyml.device.client import Device
from tinyml.device.deadline import Deadline
from tinyml.device.links import SocketLink
from tinyml.errors import DeviceError, DeviceTimeout
from tinyml.protocol import frames
from tinyml.protocol import messages as p

INPUT = np.arange(fake.INPUT_BYTES, dtype=np.int64).astype(np.int8).reshape(fake.INPUT_SHAPE)
SAMPLES = np.arange(5000, dtype=np.int16)
NUMBERS = list(range(len(SAMPLES) // RESULT_SAMPLES))
ROUND_TRIP_S = 0.01

Change = Callable[[int, bytes], bytes]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


class SlowLink(FakeLink):
    """A line on which every frame to the device takes a round trip, and some requests longer."""

    def __init__(self, *args: Any, busy: dict[str, float] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self._busy = busy or {}
        self._free = 0.0  # when the device will have done what it was asked
        self._coming: list[tuple[float, bytes]] = []

    def write(self, data: bytes, deadline: Any) -> int:
        before, executed = len(self.pending), len(self.device.executed)
        taken = super().write(data, deadline)
        answer = bytes(self.pending[before:])
        del self.pending[before:]
        done = self.device.executed[executed:]
        self._free = max(self._free, self._clock.now) + sum(self._busy.get(n, 0.0) for n in done)
        self._coming.append((self._free + ROUND_TRIP_S, answer))
        return taken

    def read(self, n: int, deadline: Any) -> bytes:
        if not self.pending and self._coming:
            when, answer = self._coming[0]
            if when <= self._clock.now + deadline.left():
                self._clock.now = max(self._clock.now, when)
                self.pending += answer
                del self._coming[0]
                return bytes(self.pending) and super().read(n, deadline)
        return super().read(n, deadline)


def damaging(every: int) -> Change:
    """Flip a bit of every so many frames, whichever way they go."""
    count = itertools.count(1)

    def change(number: int, data: bytes) -> bytes:
        parts = data.split(b"\0")
        for at, part in enumerate(parts):
            if part and next(count) % every == 0:
                middle = len(part) // 2
                flipped = part[middle] ^ 1 or 2  # no zero, which would end the frame
                parts[at] = part[:middle] + bytes([flipped]) + part[middle + 1 :]
        return b"\0".join(parts)

    return change


def seconds_of_inferences(clock: Clock, **link: Any) -> float:
    device = Device(SlowLink(FakeDevice(), clock, **link), "fake")
    began = clock.now
    for _ in range(20):
        device.infer([INPUT])
    return clock.now - began


def test_a_sixth_of_all_frames_damaged_takes_at_most_three_times_as_long(clock: Clock) -> None:
    clean = seconds_of_inferences(clock)
    change = damaging(6)
    assert seconds_of_inferences(clock, to_device=change, to_host=change) < 3 * clean


@pytest.mark.parametrize("way", ["to_device", "to_host"])
def test_a_lost_reply_costs_no_more_than_the_silence_that_tells_of_it(
    clock: Clock, way: str
) -> None:
    lost: list[int] = []

    def lose_one(number: int, data: bytes) -> bytes:
        if not lost and device is not None and number == device._channel._link._writes - 1:  # type: ignore[attr-defined]
            lost.append(number)
            return b""
        return data

    device: Device | None = None
    device = Device(SlowLink(FakeDevice(), clock, **{way: lose_one}), "fake")
    began = clock.now
    device.infer([INPUT])
    assert lost
    assert clock.now - began < 1.0


@pytest.mark.parametrize(("name", "seconds"), [("LAYERS", 20.0), ("BENCH", 50.0), ("INFER", 9.0)])
def test_what_takes_the_device_long_is_done_once(clock: Clock, name: str, seconds: float) -> None:
    firmware = FakeDevice()
    device = Device(SlowLink(firmware, clock, busy={name: seconds}), "fake")
    device.send_inputs([INPUT])
    {
        "LAYERS": lambda: device.layers([INPUT]),
        "BENCH": lambda: device.bench(3, 0),
        "INFER": lambda: device.infer([INPUT]),
    }[name]()
    assert firmware.executed.count(name) == 1
    assert firmware.executed.count("HELLO") < 40  # the device's own buffer is small


def losing_results(*lost: int) -> Change:
    """Lose RESULT events by their numbers, once each."""
    left = set(lost)

    def change(number: int, data: bytes) -> bytes:
        kept = []
        for frame in frames.Receiver().feed(data):
            is_event = frame.type == p.RESULT.number and frames.Flag.EVENT in frame.flags
            if is_event and (result := p.StreamResult.unpack(frame.payload).number) in left:
                left.remove(result)
            else:
                kept.append(frame.encode())
        return b"".join(kept)

    return change


@pytest.mark.parametrize("lost", [(0,), (4,), (11,), (10, 11), (0, 3, 4, 5), tuple(NUMBERS)])
def test_results_that_the_line_lost_are_sent_again(clock: Clock, lost: tuple[int, ...]) -> None:
    device = Device(FakeLink(FakeDevice(), clock, to_host=losing_results(*lost)), "fake")
    stream = device.stream(SAMPLES)
    readings = list(stream)
    assert [reading.number for reading in readings] == NUMBERS
    assert [reading.event for reading in readings if reading.event] == [device.info.labels[3]]
    assert stream.totals is not None
    assert (stream.totals.lost_results, stream.totals.resent) == (0, len(lost))


def test_results_that_firmware_does_not_keep_are_counted_as_lost(clock: Clock) -> None:
    firmware = FakeDevice(resends=False)
    stream = Device(FakeLink(firmware, clock, to_host=losing_results(2, 7)), "fake").stream(SAMPLES)
    assert [reading.number for reading in stream] == [n for n in NUMBERS if n not in (2, 7)]
    assert stream.totals is not None
    assert (stream.totals.lost_results, stream.totals.resent) == (2, 0)


def test_a_result_that_comes_many_times_is_one(clock: Clock) -> None:
    def repeat(number: int, data: bytes) -> bytes:
        repeated = []
        for frame in frames.Receiver().feed(data):
            repeated += [frame.encode()] * (50 if frame.type == p.RESULT.number else 1)
        return b"".join(repeated)

    stream = Device(FakeLink(FakeDevice(), clock, to_host=repeat), "fake").stream(SAMPLES)
    assert [reading.number for reading in stream] == NUMBERS
    assert stream.totals is not None
    assert stream.totals.lost_results == 0


def test_readings_that_came_before_a_stop_are_not_lost(clock: Clock) -> None:
    stream = Device(FakeLink(FakeDevice(), clock), "fake").stream(SAMPLES)
    count = 0
    for _ in stream:
        count += 1
        stream.stop()
    assert stream.totals is not None
    assert stream.totals.lost_results == 0
    assert stream.totals.results == count


class Flood(FakeLink):
    """A line that never stops to give whole frames, whatever it is asked."""

    def __init__(self, clock: Clock, frame: frames.Frame) -> None:
        super().__init__(FakeDevice(), clock)
        self._unit = frame.encode()
        self.floods = True

    def read(self, n: int, deadline: Any) -> bytes:
        if not self.floods:
            return super().read(n, deadline)
        self._clock.now += 0.02
        return (self._unit * (n // len(self._unit)))[:n]


FLOODS = {
    "errors": frames.Frame(
        p.ERROR.number, 0, p.Error(p.ErrorCode.BAD_FRAME, 0, 1, "").pack(), frames.Flag.EVENT
    ),
    "results": frames.Frame(p.RESULT.number, 0, bytes(47), frames.Flag.EVENT),
    "stale replies": frames.Frame(
        p.HELLO.number, 0, p.HelloReply(1, 2, 1, 1, 512, 512).pack(), frames.Flag.RESPONSE
    ),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_whole_frames_outlasts_no_deadline(clock: Clock, kind: str) -> None:
    link = Flood(clock, FLOODS[kind])
    began = clock.now
    with pytest.raises(DeviceTimeout, match="does not answer"):
        Channel(link, "fake", str).hello(Deadline(1.0))
    assert clock.now - began < 1.1


@pytest.mark.parametrize("kind", ["errors", "results"])
def test_a_flood_outlasts_no_request(clock: Clock, kind: str) -> None:
    link = Flood(clock, FLOODS[kind])
    link.floods = False
    device = Device(link, "fake")
    link.floods = True
    began = clock.now
    with pytest.raises(DeviceTimeout, match="stopped answering"):
        device.status()
    assert clock.now - began < channel.REQUEST_S + 0.5


def test_a_device_that_stops_answering_is_not_taken_for_another_firmware(clock: Clock) -> None:
    link = FakeLink(FakeDevice(), clock)
    device = Device(link, "fake")
    link.device.feed = lambda data: b""  # type: ignore[method-assign]
    with pytest.raises(DeviceTimeout, match="fake stopped answering") as caught:
        device.infer([INPUT], timeout_s=5)
    assert "no firmware" not in caught.value.hint


def test_a_protocol_of_another_time_is_refused(clock: Clock) -> None:
    class Later(FakeDevice):
        def on_hello(self, frame: frames.Frame, ask: p.Hello) -> bytes:
            reply = p.HelloReply(ask.nonce, 1, 5, 9, 512, 4096)
            return frames.Frame(frame.type, frame.seq, reply.pack(), frames.Flag.RESPONSE).encode()

    with pytest.raises(DeviceError, match="speaks protocol 5 to 9, this tinyml 1 to 1"):
        Device(FakeLink(Later(), clock), "fake")


def test_frames_of_another_version_are_not_taken(clock: Clock) -> None:
    def renumber(number: int, data: bytes) -> bytes:
        return b"".join(
            frames.Frame(f.type, f.seq, f.payload, f.flags, version=9).encode()
            for f in frames.Receiver().feed(data)
        )

    with pytest.raises(DeviceError, match="speaks protocol 9 to 9"):
        Device(FakeLink(FakeDevice(), clock, to_host=renumber), "fake")


def test_two_ends_that_both_have_much_to_say_do_not_wait_for_each_other() -> None:
    """The device says all it has before it reads anything: its buffers and ours are too small."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    log = frames.Frame(p.LOG.number, 0, p.Log("x" * 200).pack(), frames.Flag.EVENT).encode()
    device = frames.Receiver()
    heard: list[frames.Frame] = []

    def be_the_device() -> None:
        for _ in range(2000):
            theirs.sendall(log)
        while data := theirs.recv(65536):
            heard.extend(device.feed(data))

    thread = threading.Thread(target=be_the_device, daemon=True)
    thread.start()
    logs: list[str] = []
    line = Channel(SocketLink(ours, "fake"), "fake", str, on_log=logs.append)
    for index in range(400):
        line.send(p.SENSOR, p.SensorSamples(index, bytes(500)), Deadline(60))
    while len(logs) < 2000:
        assert line.receive(Deadline(1)) is None
    line.close()
    thread.join(60)
    theirs.close()
    assert [p.SensorSamples.unpack(frame.payload).index for frame in heard] == list(range(400))
