"""Bad input to the commands: a clear error with a hint, the right exit code, and nothing lost."""

from __future__ import annotations

import os
import random
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinyml import cli
from tinyml.media import wav

GOLDEN = Path(__file__).parents[1] / "golden"
MODEL = next(iter(sorted(GOLDEN.glob("conv_2d/*.tflite"))))
MODEL_VERBS = ("inspect", "generate", "build", "flash", "validate", "bench")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every command here runs in an empty folder."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def refused(
    capsys: pytest.CaptureFixture[str], code: int, arguments: list[str], *words: str
) -> None:
    """Run `tinyml arguments`; it must exit with `code`, an error with `words`, and a hint."""
    assert cli.main(arguments) == code
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    assert shown.err.startswith("error: ")
    assert "\nhint: " in shown.err
    for word in words:
        assert word in shown.err
    assert shown.out == ""


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


# Models


@pytest.mark.parametrize("verb", MODEL_VERBS)
def test_a_missing_model(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, 2, [verb, "absent.tflite"], "absent.tflite", "No such file")
    assert not list(Path.cwd().iterdir())


def _truncated(model: bytes) -> bytes:
    return model[: len(model) // 2]


def _random(model: bytes) -> bytes:
    return random.Random(0).randbytes(len(model))


def _random_behind_the_identifier(model: bytes) -> bytes:
    return model[:8] + _random(model)[8:]


def _empty(model: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("verb", MODEL_VERBS)
@pytest.mark.parametrize("damage", [_truncated, _random, _random_behind_the_identifier, _empty])
def test_a_damaged_model(
    verb: str, damage: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("damaged.tflite").write_bytes(damage(MODEL.read_bytes()))
    refused(capsys, 2, [verb, "damaged.tflite"], "damaged")
    assert [file.name for file in Path.cwd().iterdir()] == ["damaged.tflite"]


@pytest.mark.needs_data
@pytest.mark.parametrize("verb", ["generate", "build", "flash", "validate", "bench"])
def test_a_float_model(verb: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = data / "models" / "mlperf_tiny" / "kws_ref_model_float32.tflite"
    refused(capsys, 2, [verb, str(model)], "float", "int8")
    assert not list(Path.cwd().iterdir())


@pytest.mark.needs_data
def test_inspect_says_why_a_float_model_does_not_run(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = data / "models" / "mlperf_tiny" / "kws_ref_model_float32.tflite"
    assert cli.main(["inspect", str(model)]) == 2  # its table is printed nevertheless
    shown = capsys.readouterr().out
    assert "no: " in shown
    assert "float" in shown


# Recordings


def _wav(rate: int = 16000, channels: int = 1, bits: int = 16, frames: int = 1600) -> bytes:
    data = bytes(frames * channels * bits // 8)
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block, block, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_wav(rate=44100), ["44100 Hz", "16000 Hz"]),
        (_wav(channels=2), ["2 channels", "tinyml import "]),
        (_wav(bits=8), ["8-bit"]),
        (_wav(frames=0), ["holds no samples"]),
        (_wav()[:-500], ["truncated"]),
        (b"", []),
        (b"this is text", []),
    ],
    ids=["rate", "stereo", "8-bit", "empty", "truncated", "no-bytes", "text"],
)
@pytest.mark.parametrize("option", ["--inputs", "--stream"])
def test_a_recording_that_cannot_be_used(
    option: str, content: bytes, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("clips").mkdir()
    Path("clips", "word.wav").write_bytes(content)
    refused(capsys, 2, ["validate", option, "clips"], "word.wav", *words)
    assert [file.name for file in Path.cwd().iterdir()] == ["clips"], "it built before it looked"


def test_a_folder_without_recordings(capsys: pytest.CaptureFixture[str]) -> None:
    Path("clips").mkdir()
    refused(capsys, 2, ["validate", "--stream", "clips"], "clips")
    refused(capsys, 2, ["validate", "--stream", "absent"], "absent")


@pytest.mark.parametrize("place", ["oracle", "host", "device"])
def test_a_folder_that_is_no_data_set(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, 2, ["evaluate", "--on", place, "--data", "absent"], "absent")
    assert not list(Path.cwd().iterdir()), "it built before it looked"


def test_a_model_that_cannot_listen(capsys: pytest.CaptureFixture[str]) -> None:
    Path("clips").mkdir()
    wav.write(Path("clips", "word.wav"), np.zeros(16000, np.int16))
    refused(capsys, 2, ["validate", str(MODEL), "--stream", "clips"], "does not say how to listen")


@pytest.mark.parametrize("data", ["absent", "empty", "broken"])
def test_train_names_wrong_input_before_tensorflow_loads(data: str) -> None:
    Path("empty").mkdir()
    Path("broken", "yes").mkdir(parents=True)
    Path("broken", "yes", "a.wav").write_bytes(b"x")
    code = (
        "import sys\nfrom tinyml import cli\n"
        f"code = cli.main(['train', 'keyword_spotting', '--data', {data!r}, '--out', 'out'])\n"
        "print('tensorflow' in sys.modules)\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert data in done.stderr
    assert done.stdout == "False\n"


def test_quantize_names_all_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["quantize", "absent.keras", "--representative", "nothing.npz", "--out", "out"]
    refused(capsys, 2, given, "absent.keras and nothing.npz do not exist")


# The machine


def test_no_toolchain(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    refused(capsys, 3, ["build"], "arm-none-eabi-gcc", "gcc-arm-none-eabi")


def test_doctor_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert cli.main(["doctor"]) == 3
    shown = capsys.readouterr().out
    for name in ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi", "qemu-system-arm"):
        assert name in shown


@pytest.mark.needs_arm_gcc
@pytest.mark.needs_pio
def test_no_emulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("*"):
            link = programs / program.name
            if not program.name.startswith("qemu-system") and not link.is_symlink():
                link.symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))
    assert cli.main(["flash"]) == 3
    shown = capsys.readouterr().err
    assert "error: qemu-system-arm is not installed" in shown
    assert "apt-get install" in shown


# Where the output goes


def test_a_file_where_the_folder_should_be(capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken").write_text("mine")
    for out in ("taken", "taken/below"):
        refused(capsys, 2, ["generate", "--out", out], "taken")
    assert Path("taken").read_text() == "mine"


def test_a_folder_that_is_not_ours(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    Path("mine", "notes.txt").write_text("mine")
    refused(capsys, 2, ["generate", "--out", "mine"], "mine")
    assert contents(Path("mine")) == {"notes.txt": b"mine"}


def test_a_read_only_folder(capsys: pytest.CaptureFixture[str]) -> None:
    # /proc takes no folders, not even from root.
    refused(capsys, 2, ["generate", "--out", "/proc/tinyml"], "/proc/tinyml")


def test_a_full_disk() -> None:
    """No file may grow beyond a few kB, as on a disk with that much left."""
    limit = 4096
    done = subprocess.run(
        [sys.executable, "-m", "tinyml", "generate", "--out", "project"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert "File too large" in done.stderr
    assert "hint: " in done.stderr
    sizes = {file: len(content) for file, content in contents(Path.cwd()).items()}
    assert not [file for file, size in sizes.items() if size == limit], "a file was cut off"


def test_a_full_disk_under_the_output_of_a_command() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tinyml", "boards"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: No space left on device\n")
    assert "Traceback" not in done.stderr
