"""The commands as a person types them, on the emulated board."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
MODEL = next(iter(sorted((GOLDEN / "conv_2d").glob("*.tflite"))))
OTHER = next(iter(sorted((GOLDEN / "fully_connected").glob("*.tflite"))))


class Shell:
    """Runs `tinyml` in a folder of its own, with emulated boards of its own."""

    def __init__(self, folder: Path, runtime: Path) -> None:
        self.folder = folder
        self._env = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "NO_COLOR": "1"}

    def __call__(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "tinyml", *map(str, arguments)],
            cwd=self.folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self(*arguments, "--json", code=code).stdout)
        return document


@pytest.fixture(scope="module")
def tinyml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    # Sockets have short names only: pytest's folders may be too deep.
    runtime = Path(tempfile.mkdtemp(prefix="tml"))
    shell = Shell(tmp_path_factory.mktemp("commands"), runtime)
    yield shell
    shell("devices", "--stop")
    shutil.rmtree(runtime)


def test_build_shows_what_it_takes_of_the_board(tinyml: Shell) -> None:
    shown = tinyml("build", MODEL).stdout
    assert "of 983,040 bytes" in shown
    assert "of 262,144 bytes" in shown
    document = tinyml.json("build", MODEL)
    assert document["schema"] == "tinyml.build/1"
    assert (tinyml.folder / document["elf"]).is_file()
    assert f"{document['flash_bytes']:,} of 983,040 bytes" in shown


def test_flash_starts_the_board_and_devices_stops_it(tinyml: Shell) -> None:
    assert f"qemu-m4 runs {MODEL.stem}" in tinyml("flash", MODEL).stdout
    (running,) = tinyml.json("devices")["devices"]
    assert (running["board"], running["model"]) == ("qemu-m4", MODEL.stem)
    assert "qemu-m4" in tinyml("devices").stdout
    tinyml("flash", OTHER)
    (replaced,) = tinyml.json("devices")["devices"]
    assert replaced["model"] == OTHER.stem
    assert replaced["pid"] != running["pid"]
    assert "stopped qemu-m4" in tinyml("devices", "--stop").stdout
    assert tinyml.json("devices")["devices"] == []


def test_flash_and_generate_give_documents(tinyml: Shell) -> None:
    document = tinyml.json("flash", MODEL)
    assert document["schema"] == "tinyml.flash/1"
    assert (document["board"], document["model"]) == ("qemu-m4", MODEL.stem)
    assert document["flash_bytes"] > 0
    shown = tinyml("flash", MODEL).stdout  # it has no stream that could be watched
    assert "tinyml monitor" not in shown
    assert f"tinyml validate {os.path.relpath(MODEL, tinyml.folder)} --board qemu-m4" in shown
    assert "tinyml monitor --board qemu-m4" in tinyml("flash").stdout
    refused = tinyml("flash", "absent", "--json", code=2)
    assert json.loads(refused.stdout)["schema"] == "tinyml.error/1"


def test_a_project_folder_is_built_as_what_it_is(tinyml: Shell) -> None:
    tinyml("generate", MODEL, "--out", "mine")
    assert tinyml.json("build", "--out", "mine")["model"] == MODEL.stem
    refused = tinyml("build", OTHER, "--out", "mine", code=2).stderr
    assert "mine holds " in refused
    assert tinyml.json("build", OTHER, "--out", "mine", "--force")["model"] == OTHER.stem


def test_models_are_compared_with_limits(tinyml: Shell) -> None:
    document = tinyml.json("compare", MODEL, OTHER, "--fail-if", "flash>+1000%", "ram>1", code=1)
    assert document["schema"] == "tinyml.compare/1"
    assert document["exceeded"] == ["ram>1"]
    flash = next(each for each in document["figures"] if each["name"] == "flash")
    assert (flash["before"], flash["after"]) == (
        tinyml.json("build", MODEL)["flash_bytes"],
        tinyml.json("build", OTHER)["flash_bytes"],
    )
    assert tinyml("compare", MODEL, MODEL, "--fail-if", "flash>+0").returncode == 0


def test_validate_proves_equality_layer_by_layer(tinyml: Shell) -> None:
    shown = tinyml("validate", MODEL, "--layers", "--count", 5).stdout
    assert shown.splitlines()[-1].startswith("PASSED: 5 of 5 inferences and 1 layers each")
    report = tinyml.json("validate", MODEL, "--layers", "--count", 5)
    assert report["schema"] == "tinyml.validate/1"
    assert report["passed"] is True
    assert (report["vectors"], report["mismatched_vectors"], report["worst"]) == (5, 0, 0)
    assert [layer["compared"] for layer in report["layers"]] == [5]
    assert report["counter_unit"] == "instructions"
    assert report["counter_min"] > 0
    assert 0 < report["stack_used_bytes"] <= report["stack_bytes"]


def test_validate_takes_vectors_from_files(tinyml: Shell) -> None:
    vectors = np.load(MODEL.with_suffix(".npz"))["in0"]
    np.savez(tinyml.folder / "v.npz", in0=vectors)
    report = tinyml.json("validate", MODEL, "--inputs", "v.npz")
    assert report["passed"]
    assert report["vectors"] == len(vectors)
    folder = tinyml.folder / "bins"
    folder.mkdir()
    for number, vector in enumerate(vectors):
        (folder / f"{number}.bin").write_bytes(vector.tobytes())
    assert tinyml.json("validate", MODEL, "--inputs", "bins")["values"] == report["values"]


def test_a_device_with_another_model_is_refused(tinyml: Shell) -> None:
    tinyml("flash", OTHER)
    (running,) = tinyml.json("devices")["devices"]
    shown = tinyml("validate", MODEL, "--port", running["line"], code=3).stderr
    assert f"the device runs {OTHER.stem}" in shown
    model = os.path.relpath(MODEL, tinyml.folder.resolve())
    assert f"hint: flash it first: tinyml flash {model} --board qemu-m4" in shown


def test_bench_counts_instructions(tinyml: Shell) -> None:
    document = tinyml.json("bench", MODEL, OTHER, "--count", 3)
    assert document["schema"] == "tinyml.bench/1"
    first, second = document["rows"]
    assert (first["model"], second["model"]) == (MODEL.stem, OTHER.stem)
    assert first["counter_min"] == first["counter_max"] > 0
    assert first["code_bytes"] == first["flash_bytes"] - first["constant_bytes"]
    shown = tinyml("bench", MODEL, "--count", 3).stdout
    assert f"{first['counter_median']:,}" in shown
    assert "not time" in shown


@pytest.fixture(scope="module")
def recordings(tinyml: Shell) -> Path:
    """Two of the shipped recordings with their labels."""
    examples = ROOT / "models" / "keyword_spotting" / "examples"
    folder = tinyml.folder / "recordings"
    folder.mkdir()
    for name in ("yes.wav", "no.wav", "examples.json"):
        shutil.copy(examples / name, folder)
    return folder


def test_a_stream_is_proved_inference_by_inference(tinyml: Shell, recordings: Path) -> None:
    report = tinyml.json("validate", "--stream", recordings)
    assert report["schema"] == "tinyml.stream/1"
    assert report["passed"] is report["proved"] is True
    assert report["inferences"] > 0
    assert (report["mismatched"], report["dropped"]) == (0, 0)
    assert [(clip["name"], clip["said"]) for clip in report["clips"]] == [
        ("no.wav", "no"),
        ("yes.wav", "yes"),
    ]
    assert 0 < report["front_counter_per_stride"] < report["counter_min"]


def test_monitor_plays_recordings_and_shows_what_was_heard(tinyml: Shell, recordings: Path) -> None:
    tinyml("flash")
    log = tinyml.folder / "monitor.log"
    lines = tinyml("monitor", "--source", recordings, "--json", "--log", log).stdout.splitlines()
    first, *_, last, summary = map(json.loads, lines)
    assert (first["schema"], first["kind"]) == ("tinyml.monitor/1", "device")
    assert first["model"] == "keyword_spotting"
    assert last["kind"] == "clips"
    assert (summary["kind"], summary["judged"], summary["dropped"]) == ("summary", 2, 0)
    assert [clip["said"] for clip in last["stream"]["clips"]] == ["no", "yes"]
    assert log.read_text().startswith("qemu-m4 runs keyword_spotting")
    assert tinyml("monitor", "--until", "runs keyword", "--timeout", 60).returncode == 0
    assert tinyml("monitor", "--until", "never said", "--timeout", 1, code=1).returncode == 1


def test_a_second_client_is_told_who_has_the_line(tinyml: Shell) -> None:
    tinyml("flash", MODEL)
    (running,) = tinyml.json("devices")["devices"]
    script = (
        "from tinyml import device\nfrom tinyml.firmware import boards\n"
        "with device.connect(boards.load('qemu-m4')):\n"
        "    print('connected', flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=tinyml._env,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "connected\n"
        shown = tinyml("monitor", "--timeout", 5, code=3).stderr
        assert str(holder.pid) in shown
        holder.communicate("\n", timeout=30)
    assert holder.returncode == 0
    assert running["board"] == "qemu-m4"


def test_monitor_without_a_device_says_how_to_start_one(tinyml: Shell) -> None:
    tinyml("devices", "--stop")
    assert "tinyml flash" in tinyml("monitor", code=3).stderr
