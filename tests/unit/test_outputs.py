"""Output folders: what a project holds, who writes into it, and what is not replaced unasked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinyml import cli
from tinyml.cli import outputs
from tinyml.errors import ConfigError
from tinyml.firmware import origin
from tinyml.firmware.origin import Origin

GOLDEN = Path(__file__).parents[1] / "golden"
MODEL = next(iter(sorted(GOLDEN.glob("conv_2d/*.tflite"))))


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    return folder


def generated(*arguments: str, code: int = 0) -> None:
    assert cli.main(["generate", *arguments]) == code


def model_of(folder: str) -> str:
    text = Path(folder, "src", "model", "model.c").read_text(encoding="utf-8")
    return text.splitlines()[0]


def test_a_project_folder_knows_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    generated("gesture", "--board", "nano33ble", "--runtime", "compiled", "--out", "ring")
    assert origin.read(Path("ring")) == Origin("gesture", "nano33ble", "compiled")
    first = model_of("ring")
    capsys.readouterr()
    generated("--out", "ring", "--json")
    document = json.loads(capsys.readouterr().out)
    assert (document["model"], document["board"]) == ("gesture", "nano33ble")
    assert document["runtime"] == "compiled"
    assert model_of("ring") == first
    generated("gesture", "--out", "ring")  # the same model: the same board and runtime
    assert origin.read(Path("ring")) == Origin("gesture", "nano33ble", "compiled")
    generated("--out", "new")  # a folder that holds nothing gets the default model and board
    assert origin.read(Path("new")) == Origin("keyword_spotting", "qemu-m4", "compiled")


@pytest.mark.parametrize(
    "other", [["keyword_spotting"], ["--board", "qemu-m4"], [str(MODEL), "--board", "nano33ble"]]
)
def test_a_folder_of_something_else_is_replaced_only_by_force(
    other: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    generated("gesture", "--board", "nano33ble", "--runtime", "compiled", "--out", "ring")
    first = model_of("ring")
    generated(*other, "--runtime", "compiled", "--out", "ring", code=2)
    told = capsys.readouterr().err
    assert "ring holds gesture for nano33ble under the compiled runtime, not " in told
    assert "--force" in told
    assert model_of("ring") == first
    generated(*other, "--runtime", "compiled", "--out", "ring", "--force")
    assert origin.read(Path("ring")) != Origin("gesture", "nano33ble", "compiled")


def test_a_project_remembers_its_options_and_moves_with_its_model(tmp_path: Path) -> None:
    model = Path("models", "m.tflite")
    model.parent.mkdir()
    model.write_bytes(MODEL.read_bytes())
    generated(str(model), "--out", "deep/project")
    generated("keyword_spotting", "--threshold", "0.75", "--out", "strict")
    there = origin.read(Path("strict"))
    assert there is not None
    assert there.threshold == 0.75
    config = "".join(file.read_text() for file in Path("strict", "src").rglob("*.h"))
    generated("--out", "strict")
    assert "".join(file.read_text() for file in Path("strict", "src").rglob("*.h")) == config
    Path.cwd().rename(tmp_path / "moved")
    os.chdir(tmp_path / "moved")
    assert origin.read(Path("deep/project")) == Origin("models/m.tflite", "qemu-m4", "compiled")
    generated("--out", "deep/project")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 9}', '{"format": 1, "x": 2}'])
def test_a_damaged_origin_is_none(content: str) -> None:
    Path("p").mkdir()
    Path("p", origin.FILE).write_text(content)
    assert origin.read(Path("p")) is None


def test_two_commands_on_one_folder_the_second_names_the_first() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom tinyml.cli import outputs\n"
        "with outputs.lock(Path('out')):\n    print('held', flush=True)\n    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(ConfigError, match=f"out is being written by process {holder.pid}"),
            outputs.lock(Path("../cwd/out")),
        ):
            raise AssertionError
        with outputs.lock(Path("other")):
            pass
        holder.communicate("\n", timeout=30)
    with outputs.lock(Path("out")):  # it ended: nothing has to be cleaned up
        pass


def test_a_cache_that_cannot_be_written_locks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", "/proc/tinyml")
    with outputs.lock(Path("out")), outputs.lock(Path("out")):
        pass


def test_a_bundle_is_replaced_only_by_force(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine").mkdir()
    Path("mine", "card.json").write_text("{}")
    outputs.require_new(Path("absent"), force=False)
    outputs.require_new(Path("mine"), force=True)
    for command in (["train", "gesture"], ["quantize", "n.h5", "--representative", "r.npy"]):
        assert cli.main([*command, "--out", "mine"]) == 2
        assert "mine holds a bundle already" in capsys.readouterr().err


def test_the_model_that_is_taken_is_named_where_others_could_be_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["inspect"]) == 0
    assert "no MODEL" not in capsys.readouterr().err
    for folder in ("mine", "build/theirs"):
        Path(folder).mkdir(parents=True)
        Path(folder, "card.json").write_text("{}")
    assert cli.main(["inspect"]) == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first == (
        "no MODEL is named: keyword_spotting is taken; here are also build/theirs, mine"
    )
