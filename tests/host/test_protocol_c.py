"""The device's end of the line, compiled for this machine under ASan and UBSan."""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from host_firmware import LABELS, HostDevice, build, stub
from line_noise import forged, torture
from line_peer import Refused

from tinyml.protocol import frames, messages
from tinyml.protocol.frames import Flag
from tinyml.protocol.messages import ErrorCode, InfoSection

pytestmark = pytest.mark.needs_cc

INPUTS, OUTPUTS = (700, 33), (1300, 5)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("plain"), *stub(INPUTS, OUTPUTS, stream=False))


@pytest.fixture
def device(program: Path) -> Iterator[HostDevice]:
    with HostDevice(program) as device:
        yield device


def tensors(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(-128, 126, n).astype(np.int8) for n in INPUTS]


def expected(inputs: list[np.ndarray]) -> list[bytes]:
    """What firmware/model.c computes."""
    outputs = []
    for o, size in enumerate(OUTPUTS):
        sums = sum(
            (x.astype(np.int64)[None] * (np.arange(len(x)) + 1 + np.arange(size)[:, None] + o)).sum(
                1
            )
            for x in inputs
        )
        outputs.append((np.asarray(sums) & 255).astype(np.uint8).tobytes())
    return outputs


def put(device: HostDevice, inputs: list[np.ndarray], chunk: int = 500) -> None:
    for index, tensor in enumerate(inputs):
        data = tensor.tobytes()
        for offset in range(0, len(data), chunk):
            ask = messages.Input(index, offset, data[offset : offset + chunk])
            reply = messages.InputReply.unpack(device.ask(messages.INPUT, ask))
            assert reply.next == min(offset + chunk, len(data))


def refused(
    device: HostDevice, message: messages.Message, record: messages.Record
) -> messages.Error:
    with pytest.raises(Refused) as caught:
        device.ask(message, record)
    assert caught.value.error.type == message.number
    return caught.value.error


def info(device: HostDevice, section: InfoSection) -> bytes:
    return device.ask(messages.INFO, messages.Info(section))


def test_hello_carries_the_nonce_and_one_boot_id(device: HostDevice) -> None:
    first, second = device.alive(), device.alive()
    assert first.boot_id == second.boot_id
    assert (first.version_min, first.version_max) == (messages.VERSION_MIN, frames.VERSION)
    assert (first.max_payload, first.window) == (frames.MAX_PAYLOAD, 1024)


def test_start_is_logged(program: Path) -> None:
    with HostDevice(program) as device:
        frame = device.next(lambda f: f.type == messages.LOG.number)
        assert frame.flags == Flag.EVENT
        assert messages.Log.unpack(frame.payload).text == "started"


def test_info_tells_everything(device: HostDevice) -> None:
    identity = messages.Identity.unpack(info(device, InfoSection.IDENTITY))
    assert (identity.board, identity.runtime, identity.model) == ("host", "stub", "stub")
    assert (identity.inputs, identity.outputs, identity.labels, identity.steps) == (2, 2, 4, 3)
    assert identity.counter_hz == 64000000
    found = messages.TensorRecord.unpack_all(info(device, InfoSection.TENSORS))
    assert [t.bytes for t in found] == [*INPUTS, *OUTPUTS]
    assert found[1] == messages.TensorRecord(9, 2, (1, 33, 1, 1, 1, 1), 0.5, -3, 33, "in1")
    assert [x.name for x in messages.Label.unpack_all(info(device, InfoSection.LABELS))] == [
        *LABELS
    ]
    assert info(device, InfoSection.PARAMETERS) == b""
    steps = messages.StepInfo.unpack_all(info(device, InfoSection.STEPS))
    assert steps[0] == messages.StepInfo(0, 10, 700, (0, 2, 5))
    assert steps[2] == messages.StepInfo(2, 12, 5, ())
    status = messages.Status.unpack(info(device, InfoSection.STATUS))
    assert (status.arena, status.arena_used, status.constants) == (1000, 900, 50)
    assert (status.stack, status.stack_used, status.bad_frames) == (8192, 512, 0)
    assert status.frames == 6


def test_inference_is_right_however_often_it_is_repeated(device: HostDevice) -> None:
    inputs = tensors(1)
    put(device, inputs)
    for repeat in (1, 5):
        body = device.ask(messages.INFER, messages.Infer(repeat))
        reply = messages.InferReply.unpack(body)
        assert reply.outputs == b"".join(expected(inputs))
        assert reply.counter == 7
    status = messages.Status.unpack(info(device, InfoSection.STATUS))
    assert status.inferences == 6


def test_layers_give_crc_and_tensor_of_every_step(device: HostDevice) -> None:
    inputs = tensors(2)
    put(device, inputs, chunk=507)
    results = [inputs[0].tobytes(), *expected(inputs)]
    layers = messages.Layer.unpack_all(device.ask(messages.LAYERS, messages.Layers()))
    assert [layer.crc for layer in layers] == [crc32(result) for result in results]
    assert all(layer.counter > 0 for layer in layers)
    for step, result in enumerate(results):
        body = device.ask(messages.LAYERS, messages.Layers(step))
        layer, end = messages.Layer.unpack_from(body, 0)
        assert body[end:] == result
        assert layer.crc == crc32(result)


def test_bench_gives_one_counter_per_inference(device: HostDevice) -> None:
    put(device, tensors(3))
    body = device.ask(messages.BENCH, messages.Bench(count=70, warmup=2))
    assert struct.unpack("<70Q", body) == (7,) * 70


def test_no_inference_on_missing_input(device: HostDevice) -> None:
    inputs = tensors(4)
    assert refused(device, messages.INFER, messages.Infer(1)).code == ErrorCode.STATE
    put(device, inputs[:1])
    error = refused(device, messages.BENCH, messages.Bench(1, 0))
    assert (error.code, error.value) == (ErrorCode.STATE, 1)
    put(device, inputs)
    device.ask(messages.INPUT, messages.Input(0, 0, b"x"))
    assert refused(device, messages.LAYERS, messages.Layers()).code == ErrorCode.STATE


def test_a_failing_model_is_reported(device: HostDevice) -> None:
    inputs = tensors(5)
    inputs[0][0] = 127
    put(device, inputs)
    for message, record in (
        (messages.INFER, messages.Infer(1)),
        (messages.LAYERS, messages.Layers()),
        (messages.BENCH, messages.Bench(1, 1)),
    ):
        error = refused(device, message, record)
        assert (error.code, error.value) == (ErrorCode.MODEL, -2)


@pytest.mark.parametrize(
    ("message", "record", "text", "value"),
    [
        (messages.INFO, messages.Info(7), "section", 7),
        (messages.INFO, messages.Info(255), "section", 255),
        (messages.INPUT, messages.Input(2, 0), "index", 2),
        (messages.INPUT, messages.Input(0, 1, b"x"), "offset", 0),
        (messages.INPUT, messages.Input(0, 0xFFFFFFFF, b"x"), "offset", 0),
        (messages.INPUT, messages.Input(1, 0, bytes(34)), "length", 33),
        (messages.INFER, messages.Infer(0), "repeat", 0),
        (messages.BENCH, messages.Bench(0, 3), "count", 0),
        (messages.LAYERS, messages.Layers(3), "step", 3),
        (messages.RESET, messages.Reset(3), "target", 3),
        (messages.HELLO, messages.Info(1), "length", 1),
        (messages.INFO, messages.Nothing(), "length", 0),
        (messages.INPUT, messages.Hello(1), "length", 4),
    ],
)
def test_a_bad_argument_is_named(
    device: HostDevice, message: messages.Message, record: messages.Record, text: str, value: int
) -> None:
    error = refused(device, message, record)
    assert (error.code, error.text, error.value) == (ErrorCode.BAD_ARG, text, value)


def test_unknown_types_versions_and_flags(device: HostDevice) -> None:
    known = {m.number for m in messages.MESSAGES if m.request is not None}
    for number in {*range(256)} - known:
        error = refused(device, messages.Message("?", number), messages.Nothing())
        assert (error.code, error.value) == (ErrorCode.UNSUPPORTED, number)
    for version in (0, frames.VERSION + 1, 255):
        device.send(frames.Frame(1, 9, b"", version=version).encode())
        frame = device.next(lambda f: f.type == messages.ERROR.number)
        error = messages.Error.unpack(frame.payload)
        assert (frame.seq, error.code) == (9, ErrorCode.VERSION)
        assert (error.value & 255, error.value >> 8) == (messages.VERSION_MIN, frames.VERSION)
    device.send(frames.Frame(1, 10, messages.Hello(1).pack(), Flag.MORE).encode())
    frame = device.next(lambda f: f.type == messages.ERROR.number)
    assert messages.Error.unpack(frame.payload).text == "flags"


def test_an_echo_of_its_own_frames_is_not_answered(device: HostDevice) -> None:
    hello = messages.Hello(1).pack()
    for flags in (Flag.RESPONSE, Flag.EVENT, Flag.ERROR, Flag.RESPONSE | Flag.ERROR):
        device.send(frames.Frame(1, 77, hello, flags).encode())
    seq = device.request(messages.Hello(5), messages.HELLO.number)
    assert device.next(lambda f: bool(f.flags & Flag.RESPONSE)).seq == seq


def test_streaming_needs_a_front_end(device: HostDevice) -> None:
    put(device, tensors(9))
    for message, record in (
        (messages.STREAM, messages.StreamRequest(messages.Action.START)),
        (messages.SENSOR, messages.SensorSamples(0)),
    ):
        assert refused(device, message, record).code == ErrorCode.UNSUPPORTED
    device.ask(messages.INFER, messages.Infer(1))  # what is refused changes nothing


def test_reset(program: Path) -> None:
    device = HostDevice(program)
    assert device.ask(messages.RESET, messages.Reset(messages.ResetTarget.APPLICATION)) == b""
    assert device.wait() == 40


def test_a_model_forgets_without_a_restart(device: HostDevice) -> None:
    put(device, tensors(6))
    reset = messages.Reset(messages.ResetTarget.MODEL)
    assert device.ask(messages.RESET, reset) == b""
    device.ask(messages.INFER, messages.Infer(1))  # its inputs are still there


def test_asking_again_for_an_inference_does_not_run_it_again(device: HostDevice) -> None:
    put(device, tensors(7))
    first = device.ask(messages.INFER, messages.Infer(1), seq=200)
    assert device.ask(messages.INFER, messages.Infer(1), seq=200) == first
    assert messages.Status.unpack(info(device, InfoSection.STATUS)).inferences == 1
    device.ask(messages.INFER, messages.Infer(1), seq=200)  # something else came between
    assert messages.Status.unpack(info(device, InfoSection.STATUS)).inferences == 2


def test_a_board_without_bootloader_says_so(device: HostDevice) -> None:
    device.ask(messages.RESET, messages.Reset(messages.ResetTarget.BOOTLOADER))
    frame = device.next(lambda f: f.type == messages.ERROR.number)
    assert messages.Error.unpack(frame.payload).text == "target"


def test_after_a_fault_only_reset_works(program: Path) -> None:
    device = HostDevice(program, "fault")
    for _ in range(2):
        frame = device.next(lambda f: f.type == messages.FAULT.number)
        assert messages.Fault.unpack(frame.payload).registers == (1, 2, 3, 4, 5, 6, 7, 8)
        device.request(messages.Hello(1), messages.HELLO.number)
    device.request(messages.Reset(0), messages.RESET.number)
    assert device.wait() == 40


def test_text_between_frames_is_let_pass(device: HostDevice) -> None:
    device.send(b"name%\r\nprofile%" + b"printable\tnoise " * 100)
    device.alive()
    assert messages.Status.unpack(info(device, InfoSection.STATUS)).bad_frames == 0


def test_damage_is_counted_and_reported_seldom(device: HostDevice) -> None:
    good = frames.Frame(1, 1, messages.Hello(7).pack()).encode()
    damaged = [
        good[:-2] + b"\0",  # cut
        good[:5] + bytes([good[5] ^ 0x40]) + good[6:],  # a bit
        b"\0\xff\x01\0",  # no COBS
        b"\0\xff" + bytes([5]) * 1200 + b"\0",  # oversize
        b"\0\x01\0",  # nothing in it
    ]
    device.send(b"".join(damaged))
    device.alive()
    status = messages.Status.unpack(info(device, InfoSection.STATUS))
    assert status.bad_frames == len(damaged)
    assert status.frames == 2
    device.send(b"\0\x81\0" * 10000)  # 30,000 bytes take 2.6 s: about ten reports
    reports = []
    seq = device.request(messages.Hello(3), messages.HELLO.number)
    while True:
        frame = device.next(lambda f: True)
        if frame.flags & Flag.RESPONSE and frame.seq == seq:
            break
        error = messages.Error.unpack(frame.payload)
        assert (frame.flags, error.code) == (Flag.EVENT | Flag.ERROR, ErrorCode.BAD_FRAME)
        reports.append(error.value)
    assert 8 <= len(reports) <= 12
    assert reports == sorted(reports)


def test_a_host_that_talks_hears_of_every_frame_it_lost(device: HostDevice) -> None:
    for count in range(1, 20):
        device.send(b"\0\x81\x82\0")
        event = device.next(lambda frame: frame.type == messages.ERROR.number)
        error = messages.Error.unpack(event.payload)
        assert (error.code, error.value) == (ErrorCode.BAD_FRAME, count)
        device.alive()


def test_a_frame_is_found_right_after_damage(device: HostDevice) -> None:
    hello = frames.Frame(1, 200, messages.Hello(7).pack()).encode()
    for cut in range(1, len(hello)):
        device.send(hello[:cut] + hello)  # the second frame's zero ends the first one's remains
        assert device.next(lambda f: f.type == 1).seq == 200


def test_every_frame_that_python_makes_is_understood(device: HostDevice) -> None:
    rng = random.Random(6)
    put(device, tensors(6))
    for size in (*range(0, 12), 253, 254, 255, 506, 507):
        for data in (bytes(size), b"\xff" * size, rng.randbytes(size)):
            ask = messages.Input(0, 0, data)
            reply = messages.InputReply.unpack(device.ask(messages.INPUT, ask))
            assert reply.next == size


@pytest.mark.parametrize("seed", range(4))
def test_fuzz_no_crash_no_false_accept(device: HostDevice, seed: int) -> None:
    """A megabyte in all; scripts/fuzz_line sends more of it."""
    put(device, tensors(seed))
    torture(device, 250_000, seed, Counter(), frames=forged())
