"""The client against a device in Python, over lines that lose, repeat, damage and invent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import fake_device as fake
import numpy as np
import pytest
from fake_device import Clock, FakeDevice, FakeLink
from hypothesis import given
from hypothesis import strategies as st

from tinyml.device import channel, deadline
from tinyml.device.client import Device
from tinyml.device.links import ReplayLink
from tinyml.errors import DataError, DeviceError, DeviceTimeout
from tinyml.protocol import frames
from tinyml.protocol import messages as p

INPUT = np.arange(fake.INPUT_BYTES, dtype=np.int64).astype(np.int8).reshape(fake.INPUT_SHAPE)
OUTPUT = np.frombuffer(fake.output_of(INPUT.tobytes()), np.int8).reshape(1, 4)

Change = Callable[[int, bytes], bytes]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def connect(device: FakeDevice, clock: Clock, **link: Any) -> Device:
    return Device(FakeLink(device, clock, **link), "fake")


def test_info_says_what_the_device_is_with_nothing_that_commands_a_terminal(clock: Clock) -> None:
    info = connect(FakeDevice(), clock).info
    assert (info.board, info.runtime, info.model) == ("fake\\x1b[31m", "compiled", "tiny")
    assert info.sha256 == bytes(range(32)).hex()
    assert [(t.name, t.shape, t.dtype) for t in (*info.inputs, *info.outputs)] == [
        ("in", (1, 40, 30), "int8"),
        ("out", (1, 4), "int8"),
    ]
    assert info.labels == fake.LABELS  # raw: what shows them escapes them
    assert info.parameters["stream.background"] == (0.0, 1.0)
    assert (info.sample_rate_hz, info.counter_unit) == (16000, "instructions")
    assert [(s.op_index, s.tensor_index, s.channels) for s in info.steps] == [
        (0, 5, (0, 2)),
        (3, 9, None),
    ]


def test_what_the_device_prints_and_logs_reaches_the_caller(clock: Clock) -> None:
    said: list[str] = []
    link = FakeLink(FakeDevice(), clock)
    link.pending += link.device.restart()
    Device(link, "fake", on_text=said.append, on_log=said.append)
    assert said == ["started", "booting\r\n"] or said == ["booting\r\n", "started"]


def test_an_inference(clock: Clock) -> None:
    inference = connect(FakeDevice(), clock).infer([INPUT], repeat=2)
    assert inference.outputs[0].dtype == np.int8
    np.testing.assert_array_equal(inference.outputs[0], OUTPUT)
    assert (inference.time_us, inference.counter) == (12, 690)


def test_layers_and_their_tensors(clock: Clock) -> None:
    device = connect(FakeDevice(), clock)
    layers = device.layers([INPUT])
    assert [(one.step, one.op_index, one.tensor_index) for one in layers] == [(0, 0, 5), (1, 3, 9)]
    assert device.layer(0) == INPUT.tobytes()[:700]
    assert device.layer(1) == OUTPUT.tobytes()


def test_bench_returns_one_counter_per_inference(clock: Clock) -> None:
    device = connect(FakeDevice(), clock)
    device.infer([INPUT])
    assert device.bench(70) == list(range(1000, 1070))


def test_status(clock: Clock) -> None:
    status = connect(FakeDevice(), clock).status()
    assert (status.arena_used, status.stack_used, status.stack) == (90, 600, 8192)


@pytest.mark.parametrize(
    "array",
    [INPUT.astype(np.uint8), INPUT.reshape(-1), INPUT[:, :-1]],
    ids=["dtype", "rank", "shape"],
)
def test_inputs_of_another_shape_or_dtype_are_refused(
    clock: Clock, array: np.ndarray[Any, Any]
) -> None:
    device = connect(FakeDevice(), clock)
    with pytest.raises(DataError, match=r"input 'in' is int8 \[1, 40, 30\]"):
        device.infer([array])
    with pytest.raises(DataError, match="has 1 inputs, got 2"):
        device.infer([INPUT, INPUT])


def lose(*numbers: int) -> Change:
    return lambda number, data: b"" if number in numbers else data


def damage(*numbers: int) -> Change:
    def change(number: int, data: bytes) -> bytes:
        return data[:6] + bytes([data[6] ^ 0x10]) + data[7:] if number in numbers else data

    return change


@pytest.mark.parametrize("way", ["to_device", "to_host"])
@pytest.mark.parametrize("change", [lose, damage])
@pytest.mark.parametrize("number", range(12))
def test_a_lost_or_damaged_frame_is_made_up_for(
    clock: Clock, way: str, change: Callable[..., Change], number: int
) -> None:
    device = connect(FakeDevice(), clock, **{way: change(number)})
    np.testing.assert_array_equal(device.infer([INPUT]).outputs[0], OUTPUT)
    assert clock.now - 1000 < 40  # no deadline was used up


def test_a_body_with_a_lost_piece_is_asked_for_again(clock: Clock) -> None:
    """Frames within one answer: the second of several pieces is missing, once."""
    losses = iter([True])

    def drop_second(number: int, data: bytes) -> bytes:
        frames = data.split(b"\0\0")
        if len(frames) > 4 and next(losses, False):
            return b"\0\0".join(frames[:1] + frames[2:])
        return data

    device = connect(FakeDevice(), clock, to_host=drop_second)
    device.infer([INPUT])
    assert device.layer(0) == INPUT.tobytes()[:700]
    assert not next(losses, False)


@pytest.mark.parametrize("noise", [b"\xff" * 700 + b"\0", b"hello\r\n\0", bytes(range(256)) * 9])
def test_noise_before_every_answer_does_no_harm(clock: Clock, noise: bytes) -> None:
    device = connect(FakeDevice(), clock, to_host=lambda number, data: noise + b"\0" + data)
    np.testing.assert_array_equal(device.infer([INPUT]).outputs[0], OUTPUT)


def test_answers_that_come_twice_are_taken_once(clock: Clock) -> None:
    device = connect(FakeDevice(), clock, to_host=lambda number, data: data + data)
    np.testing.assert_array_equal(device.infer([INPUT]).outputs[0], OUTPUT)
    assert device.layer(0) == INPUT.tobytes()[:700]


def test_what_an_earlier_connection_left_on_the_line_is_not_believed(clock: Clock) -> None:
    link = FakeLink(FakeDevice(), clock)
    stale = p.HelloReply(nonce=1, boot_id=2, version_min=1, version_max=1, max_payload=9, window=9)
    link.pending += frames.Frame(p.HELLO.number, 0, stale.pack(), frames.Flag.RESPONSE).encode()
    link.pending += frames.Frame(p.RESULT.number, 0, b"?", frames.Flag.EVENT).encode()
    assert Device(link, "fake").info.max_payload == 512


def test_silence_is_a_timeout_within_the_deadline(clock: Clock) -> None:
    with pytest.raises(DeviceTimeout, match="fake does not answer"):
        Device(FakeLink(FakeDevice(), clock, to_device=lambda number, data: b""), "fake")
    assert 10 <= clock.now - 1000 < 11


def test_a_device_that_falls_silent_is_a_timeout_within_the_deadline(clock: Clock) -> None:
    link = FakeLink(FakeDevice(), clock)
    device = Device(link, "fake")
    link.device.feed = lambda data: b""  # type: ignore[method-assign]
    before = clock.now
    with pytest.raises(DeviceTimeout):
        device.status()
    assert clock.now - before < 11


def test_a_flood_is_a_timeout_within_the_deadline(clock: Clock) -> None:
    class Flood(FakeLink):
        def read(self, n: int, deadline: Any) -> bytes:
            self._clock.now += 0.01
            return frames.Frame(
                p.LOG.number, 0, p.Log("me again").pack(), frames.Flag.EVENT
            ).encode()

    with pytest.raises(DeviceTimeout):
        Device(Flood(FakeDevice(), clock), "fake")


def test_a_link_that_fails_is_closed(clock: Clock) -> None:
    link = FakeLink(FakeDevice(), clock)
    link.gone = True
    with pytest.raises(DeviceError, match="has gone"):
        Device(link, "fake")
    assert link.closed


def test_a_fault_is_told_with_its_registers(clock: Clock) -> None:
    device = connect(FakeDevice(faults_on="INFER"), clock)
    with pytest.raises(DeviceError) as caught:
        device.infer([INPUT])
    assert caught.value.message == (
        "fake stopped: BusFault accessing memory (address 0xdead0000) at 0x00001234 "
        "[pc=00001234 lr=00005679 sp=20001000 xpsr=01000000 cfsr=00008200 hfsr=40000000]"
    )


def test_reset_revives_a_device_that_faulted(clock: Clock) -> None:
    firmware = FakeDevice(faults_on="INFER")
    device = connect(firmware, clock)
    with pytest.raises(DeviceError):
        device.infer([INPUT])
    firmware.faults_on = ""
    boot = device.info.boot_id
    device.reset()
    assert device.info.boot_id != boot
    np.testing.assert_array_equal(device.infer([INPUT]).outputs[0], OUTPUT)


def test_a_device_that_faults_at_every_start_says_so(clock: Clock) -> None:
    firmware = FakeDevice()
    device = connect(firmware, clock)
    firmware.faults_on = "HELLO"
    with pytest.raises(DeviceError, match="BusFault"):
        device.reset()


@pytest.mark.parametrize("when", range(1, 4))
def test_a_restart_is_noticed_and_never_gives_a_result(clock: Clock, when: int) -> None:
    """Between any two requests of an inference: the inputs are lost, so a result would be wrong."""
    link = FakeLink(FakeDevice(), clock)
    device = Device(link, "fake")
    first = link._writes

    def restart(number: int, data: bytes) -> bytes:
        if number == first + when:
            link.pending += link.device.restart()
        return data

    link._to_device = restart
    with pytest.raises(DeviceError, match="fake restarted"):
        device.infer([INPUT])
    np.testing.assert_array_equal(device.infer([INPUT]).outputs[0], OUTPUT)


def test_a_restart_that_swallows_a_request_is_noticed(clock: Clock) -> None:
    link = FakeLink(FakeDevice(), clock)
    device = Device(link, "fake")
    first = link._writes

    def swallow(number: int, data: bytes) -> bytes:
        if number == first:
            link.device.restart()
            return b""
        return data

    link._to_device = swallow
    with pytest.raises(DeviceError, match="fake restarted"):
        device.infer([INPUT])


def test_another_protocol_version_is_named(clock: Clock) -> None:
    with pytest.raises(DeviceError, match="speaks protocol 2 to 2, this tinyml 1 to 1"):
        connect(FakeDevice(version=2), clock)


TENSOR = p.TensorRecord(9, 3, (*fake.INPUT_SHAPE, 1, 1, 1), 0.5, -3, fake.INPUT_BYTES, "in")
OUT = p.TensorRecord(9, 2, (1, 4, 1, 1, 1, 1), 1.0, 0, 4, "out")


@pytest.mark.parametrize(
    ("section", "records"),
    [
        (p.InfoSection.TENSORS, [TENSOR]),
        (p.InfoSection.TENSORS, [TENSOR, p.TensorRecord(9, 7, (1,) * 6, 1.0, 0, 1, "rank")]),
        (p.InfoSection.TENSORS, [TENSOR, p.TensorRecord(99, 1, (1,) * 6, 1.0, 0, 1, "dtype")]),
        (p.InfoSection.TENSORS, [TENSOR, p.TensorRecord(9, 1, (-1,) * 6, 1.0, 0, 1, "size")]),
        (
            p.InfoSection.TENSORS,
            [OUT, p.TensorRecord(9, 1, (1 << 30,) * 6, 1.0, 0, 1 << 30, "huge")],
        ),
        (p.InfoSection.STEPS, [p.StepInfo(0, 0, 1 << 31, ())] * 2),
        (p.InfoSection.STEPS, [p.StepInfo(0, 0, 1, ())]),
        (p.InfoSection.LABELS, [p.Label("yes")] * 5),
        (p.InfoSection.LABELS, [p.Label("x" * 255)] * 5000),
        (p.InfoSection.STATUS, []),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_believed(
    clock: Clock, section: p.InfoSection, records: list[frames.Record]
) -> None:
    firmware = FakeDevice(claims={section: records})
    if section == p.InfoSection.STATUS:
        firmware.claims[section] = [p.Label("not a status")]
    with pytest.raises(DeviceError):
        connect(firmware, clock).status()


@given(st.lists(st.binary(max_size=700), max_size=5))
def test_a_device_that_talks_rubbish_is_an_error_and_nothing_else(chunks: list[bytes]) -> None:
    with pytest.raises(DeviceError):
        Device(ReplayLink(chunks, closes=True), "rubbish")


@given(st.data())
def test_hostile_frames_give_a_result_or_an_error(data: st.DataObject) -> None:
    """Well-formed frames with any content, in place of some answers."""
    kinds = st.sampled_from([message.number for message in p.MESSAGES])
    any_frame = st.builds(
        frames.Frame,
        kinds,
        st.integers(0, 255),
        st.binary(max_size=100),
        st.builds(frames.Flag, st.integers(0, 15)),
    )

    def replace(number: int, answer: bytes) -> bytes:
        hostile = data.draw(st.lists(any_frame, max_size=3))
        return b"".join(frame.encode() for frame in hostile) + answer

    clock = Clock()
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(DeviceError):
        patch.setattr(deadline, "time", SimpleNamespace(monotonic=clock.monotonic))
        # Chance would let the same frames fit one connection and not the next.
        fixed = SimpleNamespace(randbelow=lambda below: below // 2, randbits=lambda bits: bits)
        patch.setattr(channel, "secrets", fixed)
        connect(FakeDevice(), clock, to_host=replace).status()
