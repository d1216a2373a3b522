"""The text commands of MLPerf Tiny, byte for byte, compiled for this machine with sanitizers."""

from __future__ import annotations

import ctypes
import functools
import os
import random
import re
import select
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from host_firmware import BOARD, build, stub
from line_noise import burst
from mlperf_line import BANNER, READY, Runner, quantized, reconstruction_error, scores

from tinyml import paths, runtimes
from tinyml.firmware import mlperf
from tinyml.model import bundle
from tinyml.model.oracle import Oracle
from tinyml.protocol import frames, messages
from tinyml.records import DEFAULT_OPTIONS, TensorInfo

pytestmark = pytest.mark.needs_cc

SCALE, ZERO_POINT = 0.5, -3  # of the stub model
TEXT_INPUT = messages.Input(0, 0, b"ab%name%" * 30)
KNOWN = ("name", "timestamp", "profile", "db", "infer", "results")
COMMANDS = (
    b"name", b"timestamp", b"profile", b"db print", b"db load 20", b"db load 490", b"infer 1 0",
    b"infer", b"results", b"db", b"what is it", b"x" * 79, b"x" * 90, b"\r\nname", b"na\0me",
)  # fmt: skip


class TextDevice:
    """A running firmware whose output is taken as it comes."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.runner = Runner(self.send, self.receive)

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def receive(self, timeout_s: float = 0.1) -> bytes:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], timeout_s)[0]:
            return b""
        return os.read(self.process.stdout.fileno(), 65536)

    def boot(self) -> bytes:
        """Return everything up to the first time it is ready."""
        came = b""
        while not came.endswith(READY):
            came += self.receive(20.0)
        return came

    def close(self) -> None:
        """End it: it must have nothing left to say and no sanitizer may have struck."""
        rest, _ = self.process.communicate(timeout=20)
        assert (rest, self.process.returncode) == (b"", 0)


def stub_program(folder: Path, profile: mlperf.Profile) -> Path:
    """Build the firmware with the stub model in place of the benchmark's."""
    size = int(np.prod(profile.shape))
    model, source = stub((size,), (profile.outputs,), stream=False)
    text = source.files["model.c"].replace("#define MOST 4096", f"#define MOST {max(size, 4096)}")
    source = replace(
        source,
        files={"model.c": text},
        inputs=(TensorInfo("in", "int8", profile.shape, SCALE, ZERO_POINT),),
        outputs=(TensorInfo("out", "int8", (1, profile.outputs), SCALE, ZERO_POINT),),
    )
    return build(folder, model, source)


def stub_outputs(values: np.ndarray, count: int) -> np.ndarray:
    """What firmware/model.c computes."""
    flat = values.ravel().astype(np.int64)
    indices = np.arange(flat.size)
    sums = [int((flat * (indices + 1 + i)).sum()) & 255 for i in range(count)]
    return np.array(sums, np.uint8).view(np.int8)


Programs = Callable[[mlperf.Profile], Path]

FED: dict[str, Callable[[np.ndarray, TensorInfo], np.ndarray]] = {
    "int8": lambda sent, _: sent,
    "uint8": lambda sent, _: (sent.astype(np.int16) - 128).astype(np.int8),
    "float32": lambda sent, info: quantized(sent, info.scale, info.zero_point),
}  # what the model gets of what the benchmark sends


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return functools.cache(lambda one: stub_program(tmp_path_factory.mktemp(one.name), one))


@pytest.fixture
def program(programs: Programs) -> Path:
    return programs(mlperf.PROFILES[0])


@pytest.fixture
def device(program: Path) -> Iterator[TextDevice]:
    device = TextDevice(program)
    device.boot()
    yield device
    device.close()


@pytest.fixture
def runner(device: TextDevice) -> Runner:
    return device.runner


def test_the_banner_comes_once_at_boot(program: Path) -> None:
    device = TextDevice(program)
    *_, text = device.boot().split(b"\0")
    assert re.fullmatch(BANNER, text)
    assert device.receive(0.3) == b""
    device.close()


def test_who_it_is(runner: Runner) -> None:
    assert runner.ask("name") == ["m-name-dut-[tinyml-host]"]
    assert runner.ask("profile") == [
        "m-profile-[ULPMark for tinyML Firmware V0.0.1]",
        "m-model-[kws01]",
    ]
    (lap,) = runner.ask("timestamp")
    assert lap.startswith("m-lap-us-")
    assert int(lap.removeprefix("m-lap-us-")) > 0


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("db", "e-[Command 'db' requires a subcommand]"),
        ("db load", "e-[Command 'db load' requires the # of bytes]"),
        ("db load 0", "e-[Command 'db load' must be >0 bytes]"),
        ("db load -1", "e-[Command 'db load' must be >0 bytes]"),
        ("db load x", "e-[Command 'db load' must be >0 bytes]"),
        ("db load 491", "e-[Command 'db load' must be <=490 bytes]"),
        ("db load 99999999999999999999", "e-[Command 'db load' must be <=490 bytes]"),
        ("db 00", "e-[Command 'db load' must come first]"),
        ("db 0", "e-[Insufficent number of hex digits]"),
        ("infer", "e-[Inference requires 490 bytes of input]"),
        ("infer 0", "e-[Inference iterations must be >0]"),
        ("infer -2", "e-[Inference iterations must be >0]"),
        ("infer 1 -1", "e-[Inference warmup must be >=0]"),
        ("results", "e-[Command 'infer' must come first]"),
        ("start", "e-[Unknown command: start]"),
        ("Name", "e-[Unknown command: Name]"),
        ("names 1 2", "e-[Unknown command: names]"),
        (" ", "e-[Unknown command: ]"),
        ("na\x07me", "e-[Unknown command: na?me]"),
        ("x" * 80, f"e-[Unknown command: {'x' * 80}]"),
        ("x" * 81, "e-[Command is longer than 80 characters]"),
        ("db " + "0" * 1000, "e-[Command is longer than 80 characters]"),
    ],
)
def test_errors(runner: Runner, command: str, reply: str) -> None:
    assert runner.ask(command) == [reply]
    assert runner.ask("name") == ["m-name-dut-[tinyml-host]"]


def test_line_ends_and_spaces_between_commands_do_not_matter(runner: Runner) -> None:
    assert runner.ask("\r\nna\nme \r\n") == ["m-name-dut-[tinyml-host]"]
    assert runner.ask("  db   load  5 more") == ["m-[Expecting 5 bytes]"]


def test_a_percent_sign_alone_is_no_command(device: TextDevice) -> None:
    device.send(b"%%%")
    assert device.receive(0.3) == b""


def test_bytes_are_loaded_and_printed(runner: Runner) -> None:
    assert runner.ask("db load 18") == ["m-[Expecting 18 bytes]"]
    assert runner.ask("db print") == []
    assert runner.ask("db 00017fFf80") == []
    assert runner.ask("db 0g") == ["e-[Invalid hex digit '0g']"]
    assert runner.ask("db 0102-30") == ["e-[Insufficent number of hex digits]"]
    assert runner.ask("db 0102 ff") == []
    assert runner.ask("db aAbBcCdDeEfFxx") == ["e-[Invalid hex digit 'xx']"]
    assert runner.ask("db print") == ["m-buffer-00-01-7f-ff-80-01-02"]
    assert runner.ask("db 0102030405060708090a") == []
    assert runner.ask("db 11ffffzz") == ["m-load-done"]  # what is too much is not looked at
    assert runner.ask("db 11") == ["e-[Command 'db load' must come first]"]
    assert runner.ask("db print") == [
        "m-buffer-00-01-7f-ff-80-01-02-01",
        "m-buffer-02-03-04-05-06-07-08-09",
        "m-buffer-0a-11",
    ]
    assert runner.ask("infer 1 0") == ["e-[Inference requires 490 bytes of input]"]


@pytest.mark.parametrize("profile", mlperf.PROFILES, ids=lambda profile: profile.name)
def test_inputs_are_converted_and_results_are_right(
    programs: Programs, profile: mlperf.Profile
) -> None:
    device = TextDevice(programs(profile))
    device.boot()
    rng = np.random.default_rng(1)
    size = int(np.prod(profile.shape))
    sent = {
        "int8": rng.integers(-128, 127, size).astype(np.int8),
        "uint8": rng.integers(0, 255, size).astype(np.uint8),
        "float32": (rng.integers(-280, 280, size) / 4).astype("<f4"),  # half of them lie halfway
    }[profile.encoding]
    sent[0] = 1  # not what the stub fails at
    fed = FED[profile.encoding](sent, TensorInfo("in", "int8", profile.shape, SCALE, ZERO_POINT))
    outputs = stub_outputs(fed, profile.outputs)
    if profile.reconstructs:
        expected = [reconstruction_error(outputs, SCALE, ZERO_POINT, sent)]
    else:
        expected = scores(outputs, SCALE, ZERO_POINT)
    runner = device.runner
    assert runner.ask("profile")[1] == f"m-model-[{profile.name}]"
    runner.load(sent.tobytes())
    assert runner.infer() == expected
    for count, warmup in ((1, 0), (3, 2)):  # the stub destroys its input in every inference
        assert runner.infer(f" {count} {warmup}", count, warmup) == expected
    assert runner.infer(" 2", 2) == expected
    (line,) = runner.ask("results")
    assert runner.results_in(line) == expected
    device.close()


def test_a_model_that_fails_says_why(runner: Runner) -> None:
    runner.load(bytes([127]) + bytes(489))
    assert runner.ask("infer 1 0") == [
        "m-warmup-start-0",
        "m-warmup-done",
        "m-infer-start-1",
        "e-[Inference failed: -2]",
    ]
    assert runner.ask("infer 1 1") == ["m-warmup-start-1", "e-[Inference failed: -2]"]
    assert runner.ask("results") == ["e-[Command 'infer' must come first]"]


def test_floats_that_make_no_sense(programs: Programs) -> None:
    (profile,) = (one for one in mlperf.PROFILES if one.encoding == "float32")
    device = TextDevice(programs(profile))
    device.boot()
    for value, error in ((1e30, "inf"), (-np.inf, "inf"), (np.nan, "nan")):
        device.runner.load(np.array([0, *[value] * 639], "<f4").tobytes())
        assert device.runner.infer(" 1 0", 1, 0) == [error]
    device.close()


def test_frames_and_text_share_the_line(device: TextDevice) -> None:
    hello = frames.Frame(messages.HELLO.number, 5, messages.Hello(9).pack()).encode()
    device.runner.load(bytes(range(245)) * 2)
    expected = device.runner.infer(" 1 0", 1, 0)
    device.send(hello + b"name%" + hello + b"\r\nresults%")
    came = b""
    while came.count(READY) < 2:
        came += device.receive(20.0)
    first, name, second, results = [part for part in came.split(b"\0") if part]
    for reply in (first, second):
        frame = frames.decode(reply)
        assert frame is not None
        assert frame.type == messages.HELLO.number
    assert name == b"m-name-dut-[tinyml-host]\r\n" + READY
    assert results == f"m-results-[{','.join(expected)}]\r\n".encode() + READY


def test_an_inference_of_one_dialect_is_none_of_the_other(device: TextDevice) -> None:
    device.runner.load(bytes(490))
    device.runner.infer(" 1 0", 1, 0)
    chunk = frames.Frame(messages.INPUT.number, 1, messages.Input(0, 0, bytes(490)).pack())
    infer = frames.Frame(messages.INFER.number, 2, messages.Infer(1).pack())
    device.send(infer.encode())
    refused = frames.decode(device.receive(20.0).strip(b"\0"))
    assert refused is not None
    assert messages.Error.unpack(refused.payload).code == messages.ErrorCode.STATE
    device.send(chunk.encode() + infer.encode())
    came = b""
    while came.count(b"\0") < 4:
        came += device.receive(20.0)
    assert device.runner.ask("results") == ["e-[Command 'infer' must come first]"]


def heard(data: bytes) -> list[str]:
    """Return the commands in what is sent to a device that hears no frame in it as text."""
    commands = []
    for number, part in enumerate(data.split(b"\0")):
        may_be_text = all(32 <= byte < 127 or byte in b"\r\n" for byte in part[:2])
        if number == 0 or may_be_text:
            *complete, _ = part.translate(None, b"\r\n").split(b"%")
            commands += [command.decode("latin-1") for command in complete if command]
    return commands


def test_fuzz_text_between_damaged_frames(program: Path) -> None:
    """A megabyte: every command is answered once, nothing else is, and good frames are too."""
    rng = random.Random(4)
    forged = [
        frames.Frame(1, 1, messages.Hello(7).pack()).encode(),
        frames.Frame(
            messages.INPUT.number, 1, messages.Input(0, 0, b"ab%name%" * 30).pack()
        ).encode(),
    ]
    cases: list[Callable[[], bytes]] = [
        lambda: burst(rng, forged)[0],
        lambda: rng.choice(forged),
        lambda: rng.choice(COMMANDS) + b"%",
        lambda: b"db " + rng.randbytes(rng.randrange(40)).hex().encode() + b"%",
        lambda: rng.randbytes(rng.randrange(300)),
        lambda: bytes(rng.choices(range(32, 127), k=rng.randrange(200))),
    ]
    sent = b"".join(rng.choice(cases)() for _ in range(6000)) + b"\0"
    assert len(sent) > 1_000_000
    done = subprocess.run([program], input=sent, capture_output=True, check=True, timeout=300)
    replies = b"".join(part for part in done.stdout.split(b"\0") if b"m-ready" in part)
    commands = heard(sent)
    assert replies.count(READY) == replies.count(b"m-ready") == 1 + len(commands) > 1000
    unknown = sum(command.split(" ")[0] not in KNOWN for command in commands if len(command) <= 80)
    assert unknown >= replies.count(b"Unknown command") > 100
    receiver = frames.Receiver()
    greetings = sum(frame.type == messages.HELLO.number for frame in receiver.feed(sent))
    came = [frames.decode(part) for part in done.stdout.split(b"\0")]
    answers = [frame for frame in came if frame and frame.type == messages.HELLO.number]
    assert len(answers) == greetings > 100


def test_numbers_are_written_as_printf_writes_them(tmp_path: Path) -> None:
    template = paths.shared("firmware_templates") / "mlperf" / "tml_decimal.c"
    library = tmp_path / "decimal.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", template, "-o", library], check=True)
    functions = ctypes.CDLL(str(library))
    out = ctypes.create_string_buffer(24)
    functions.tml_decimal_f32.argtypes = [ctypes.c_char_p, ctypes.c_float]
    functions.tml_decimal_u64.argtypes = [ctypes.c_char_p, ctypes.c_uint64]
    functions.tml_decimal_f32.restype = functions.tml_decimal_u64.restype = ctypes.c_char_p

    def check(value: float) -> None:
        assert functions.tml_decimal_f32(out, value).decode() == f"{value:.3f}"

    for number in (0, 1, 9, 10, 2**32 - 1, 2**64 - 1):
        assert functions.tml_decimal_u64(out, number).decode() == str(number)
    rng = np.random.default_rng(7)
    halves = np.arange(-4096, 4096) / np.float32(16)  # 0.0625 and 0.1875 lie halfway
    steps = np.arange(-255, 256).astype(np.float32)
    bits = rng.integers(0, 1 << 32, 100_000, dtype=np.uint64).astype(np.uint32).view(np.float32)
    sensible = bits[np.abs(bits) < 2.0**54]
    scaled = [steps * np.float32(scale) for scale in rng.uniform(1e-4, 1, 100)]
    for value in np.concatenate([halves, sensible, steps / 256, *scaled]).astype(np.float32):
        check(float(value))
    for value in (0.0, -0.0, -0.0001, 1e-45, 2.0**53, 2.0**24, float("inf"), -float("inf")):
        check(value)
    assert functions.tml_decimal_f32(out, float("nan")) == b"nan"
    assert functions.tml_decimal_f32(out, 2.0**54) == b"inf"
    assert len(f"{-(2.0**54 - 2**30):.3f}") < 24


REAL = {
    "kws01": "kws_ref_model",
    "vww01": "vww_96_int8",
    "ic01": "pretrainedResnet_quant",
    "ad01": "ad01_int8",
}


def inputs_of(profile: mlperf.Profile, info: TensorInfo, data: Path) -> Iterator[np.ndarray]:
    """Yield some inputs as the benchmark has them: recordings where there are some."""
    if profile.name == "kws01":
        for file in sorted((data / "kws" / "mlperf_kws01_mfcc_int8").glob("*.bin"))[:10]:
            yield np.frombuffer(file.read_bytes(), np.int8).reshape(profile.shape)
        return
    rng = np.random.default_rng(3)
    for _ in range(3):
        if profile.encoding == "uint8":
            yield rng.integers(0, 256, profile.shape).astype(np.uint8)
        else:
            reach = info.scale * 140  # some of it is clipped
            yield (rng.uniform(-reach, reach, profile.shape) - info.zero_point * info.scale).astype(
                np.float32
            )


@pytest.mark.needs_data
@pytest.mark.parametrize("profile", mlperf.PROFILES, ids=lambda profile: profile.name)
def test_the_benchmarks_models_give_what_the_oracle_gives(
    data: Path, tmp_path: Path, profile: mlperf.Profile
) -> None:
    chosen = bundle.load(str(data / "models" / "mlperf_tiny" / f"{REAL[profile.name]}.tflite"))
    source = runtimes.load("compiled").generate(chosen, BOARD, DEFAULT_OPTIONS)
    oracle, info, output = Oracle(chosen.model), source.inputs[0], source.outputs[0]
    device = TextDevice(build(tmp_path, chosen, source))
    device.boot()
    for sent in inputs_of(profile, info, data):
        fed = FED[profile.encoding](sent, info)
        (outputs,) = oracle.run([fed])
        expected = scores(outputs, output.scale, output.zero_point)
        if profile.reconstructs:
            values = sent.ravel()
            error = reconstruction_error(outputs, output.scale, output.zero_point, values)
            expected = [error]
        device.runner.load(sent.tobytes())
        assert device.runner.infer(" 1 1", 1, 1) == expected
    device.close()


def test_every_error_that_the_firmware_knows_is_asked_for_here() -> None:
    source = Path(__file__).parents[2] / "firmware_templates" / "mlperf" / "tml_mlperf.c"
    errors = set(re.findall(r'"(e-\[[^"]*)"', source.read_text()))
    assert len(errors) > 10
    asked = Path(__file__).read_text()
    assert {error for error in errors if error.rstrip("-") not in asked} == set()
