"""A device that means harm: the host keeps its memory, its terminal and its deadlines."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fake_device as fake
import numpy as np
import pytest
from fake_device import Clock, FakeDevice, FakeLink
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.device import deadline, mismatch
from tinyml.device.client import Device
from tinyml.device.identity import printable
from tinyml.errors import DeviceError, DeviceTimeout
from tinyml.firmware import sensors
from tinyml.protocol import frames
from tinyml.protocol import messages as p
from tinyml.records import Bundle, ModelSlot

PEAK_BYTES = 8 << 20
FLOOD_S = 0.05  # what a frame of the flood takes
INPUTS = [np.zeros(fake.INPUT_SHAPE, np.int8)]

Answer = Callable[[frames.Frame], Iterator[bytes]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


class Hostile(FakeLink):
    """A line whose device answers one message with what `answer` yields, as long as it is asked."""

    def __init__(self, clock: Clock, message: p.Message, answer: Answer) -> None:
        super().__init__(FakeDevice(), clock)
        self._message = message
        self._answer = answer
        self._endless: Iterator[bytes] | None = None

    def write(self, data: bytes, deadline: Any) -> int:
        for frame in frames.Receiver().feed(data):
            if frame.type == self._message.number:
                self._endless = self._answer(frame)
                return len(data)
        self._endless = None
        return super().write(data, deadline)

    def read(self, n: int, deadline: Any) -> bytes:
        if self._endless is not None and not deadline.passed:
            self._clock.now += FLOOD_S
            return next(self._endless, b"") or super().read(n, deadline)
        return super().read(n, deadline)


@contextmanager
def bounded() -> Iterator[None]:
    """Assert that what runs inside allocates little at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < PEAK_BYTES
    finally:
        tracemalloc.stop()


def pieces(step: int, flags: frames.Flag = frames.Flag.MORE, start: int = 0) -> Answer:
    """Full pieces of a reply for ever, each `step` bytes after the one before."""

    def answer(request: frames.Frame) -> Iterator[bytes]:
        offset = start
        while True:
            piece = p.Piece(offset % (1 << 32), bytes(500)).pack()
            yield frames.Frame(
                request.type, request.seq, piece, frames.Flag.RESPONSE | flags
            ).encode()
            offset += step

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pieces(500),
        pieces(0),
        pieces(499),
        pieces(500, start=4000),
        pieces(-500),
        pieces(3, frames.NO_FLAGS, 3),
    ],
    ids=["endless", "always from the start", "overlapping", "no start", "backwards", "no end"],
)
@pytest.mark.parametrize("message", [p.INFER, p.BENCH, p.LAYERS])
def test_a_reply_without_end(clock: Clock, message: p.Message, answer: Answer) -> None:
    device = Device(Hostile(clock, message, answer), "hostile")
    calls: dict[str, Callable[[], object]] = {
        "INFER": lambda: device.infer(INPUTS, timeout_s=3),
        "BENCH": lambda: device.bench(2, 0, timeout_s=3),
        "LAYERS": lambda: device.layers(INPUTS, timeout_s=3),
    }
    began = clock.now
    with bounded(), pytest.raises(DeviceError, match=r"with more than|did not answer"):
        calls[message.name]()
    assert clock.now - began < 12


@pytest.mark.parametrize("message", [p.HELLO, p.INFO])
@pytest.mark.parametrize(
    "unit",
    [
        frames.Frame(p.LOG.number, 0, p.Log("again").pack(), frames.Flag.EVENT).encode(),
        frames.Frame(p.RESULT.number, 0, bytes(500), frames.Flag.EVENT).encode(),
        b"text without end, and no zero in it ",
        b"\xff\x01" * 500,
        b"\0\x81\0" * 20,
    ],
    ids=["logs", "events", "text", "no zero", "damage"],
)
def test_noise_without_end(clock: Clock, message: p.Message, unit: bytes) -> None:
    def answer(request: frames.Frame) -> Iterator[bytes]:
        while True:
            yield unit * 4

    began = clock.now
    with bounded(), pytest.raises(DeviceTimeout):
        Device(Hostile(clock, message, answer), "hostile")
    assert clock.now - began < 25


@pytest.mark.parametrize("arrived", [0, 499, 0xFFFFFFFF])
def test_a_slot_that_says_it_has_what_was_not_sent(clock: Clock, arrived: int) -> None:
    def answer(request: frames.Frame) -> Iterator[bytes]:
        reply = p.LoadReply(arrived).pack()
        yield frames.Frame(request.type, request.seq, reply, frames.Flag.RESPONSE).encode()

    device = Device(Hostile(clock, p.LOAD, answer), "hostile")
    content = ModelSlot("00" * 32, 1000, bytes(1000))
    with pytest.raises(DeviceError, match=f"has {arrived} bytes of the model, was sent 508"):
        device.load(content, "model", "00" * 32)


@pytest.mark.parametrize(
    "parameter",
    [
        p.Parameter(float("nan"), "features.sample_rate_hz"),
        p.Parameter(float("inf"), "features.stride_ms"),
        p.Parameter(4.0, "stream.background"),
        p.Parameter(-1.0, "stream.background"),
        p.Parameter(0.5, "stream.background"),
    ],
)
def test_a_setting_that_cannot_be(clock: Clock, parameter: p.Parameter) -> None:
    firmware = FakeDevice(claims={p.InfoSection.PARAMETERS: [parameter]})
    with pytest.raises(DeviceError, match="a setting that cannot be"):
        Device(FakeLink(firmware, clock), "hostile")


def test_a_sensor_name_that_leads_elsewhere() -> None:
    assert sensors.driver("motion", "imu") is not None
    for name in ("../../sensors/motion/imu", "*", "", "imu/."):
        assert sensors.driver("motion", name) is None


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_nothing_that_a_device_says_commands_a_terminal(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert "\x1b" not in shown
    assert printable(shown) == shown


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_names_logs_and_refusals_are_shown_harmless(text: str) -> None:
    """Whatever INFO, LOG and ERROR hold: what reaches a caller is printable."""
    text = text.encode()[:200].decode("utf-8", "ignore")
    clock, said = Clock(), list[str]()
    original, deadline.time = deadline.time, SimpleNamespace(monotonic=clock.monotonic)  # type: ignore
    try:
        firmware = FakeDevice(claims={p.InfoSection.LABELS: [p.Label(text)] * 4})

        def answer(request: frames.Frame) -> Iterator[bytes]:
            log = p.Log(text).pack()
            yield frames.Frame(p.LOG.number, 0, log, frames.Flag.EVENT).encode()
            error = p.Error(p.ErrorCode.STATE, request.type, 0, text).pack()
            flags = frames.Flag.RESPONSE | frames.Flag.ERROR
            yield frames.Frame(p.ERROR.number, request.seq, error, flags).encode()

        link = Hostile(clock, p.INFER, answer)
        link.device = firmware
        device = Device(link, "hostile", on_log=said.append)
        assert device.info.labels == (text,) * 4  # to be compared; shown they are harmless:
        bundle = Bundle("m", b"", "", Path("m"), labels=("yes",))
        assert mismatch.of_labels(device.info, bundle).actual.isprintable()
        with pytest.raises(DeviceError) as caught:
            device.infer(INPUTS)
        assert caught.value.message.isprintable()
        assert all(line.isprintable() for line in said)
    finally:
        deadline.time = original  # type: ignore[attr-defined]
