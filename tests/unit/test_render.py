"""Projects are complete, equal for equal input, and never take the place of other files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tinyml import files, paths, runtimes
from tinyml.errors import ConfigError
from tinyml.firmware import plan, render
from tinyml.firmware.config import FirmwareConfig
from tinyml.records import Board, Bundle, CSource, FeatureConfig, StreamConfig, TensorInfo

BOARD = Board("b", "A board", "qemu_m4", "cortex-m4", 983040, 262144, "qemu", "instructions",
              "compiled", {}, Path("b.ini"))  # fmt: skip
SOURCE = CSource(
    "compiled",
    {"model.c": "int x;\n", "deep/y.h": ""},
    (TensorInfo("in", "int8", (1, 49, 40), 0.1, 0),),
    (TensorInfo("out", "int8", (1, 3), 1 / 256, -128),),
    (),
    (),
    100,
    10,
)
STREAMING = Bundle(
    "words", b"", "ab" * 32, Path("words"), "keyword_spotting", ("a", "b", "c"),
    FeatureConfig("audio", {"sample_rate_hz": 16000, "stride_ms": 20, "gain": 0.5}),
    StreamConfig(2, 4, 0.75, 1000, (0,)),
)  # fmt: skip
BARE = Bundle("bare", b"", "cd" * 32, Path("bare.tflite"))


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime that gives SOURCE, whatever the model."""
    fake = SimpleNamespace(generate=lambda bundle, board, options: SOURCE)
    monkeypatch.setattr(runtimes, "load", lambda name: fake)


def contents(folder: Path) -> Mapping[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_project_has_every_part(tmp_path: Path) -> None:
    project = render.generate(plan.resolve(STREAMING, BOARD, "compiled"), tmp_path / "p")
    assert (project.path, project.bundle, project.source) == (tmp_path / "p", STREAMING, SOURCE)
    made = contents(tmp_path / "p")
    assert made["src/model/model.c"] == b"int x;\n"
    assert {
        "platformio.ini", "tinyml.json", "src/model/deep/y.h", "src/app/tml_line.c",
        "src/app/tml_protocol.h", "src/app/tml_config.h", "src/board/startup.c",
        "src/sensor/tml_virtual_sensor.c", "src/front_end/tml_front_end_audio.c",
        "src/features/audio.c", "src/features/audio.h", "src/features/recognizer.c",
    } <= made.keys()  # fmt: skip
    assert not [name for name in made if name.endswith((".j2", ".py", ".so")) and "src/" in name]


def test_a_model_without_features_has_no_stream(tmp_path: Path) -> None:
    render.generate(plan.resolve(BARE, BOARD, "compiled"), tmp_path / "p")
    made = contents(tmp_path / "p")
    absent = ("src/features", "src/front_end", "src/stream", "src/slot", "src/text")
    assert not [name for name in made if name.startswith(absent)]
    assert b"weak" in made["src/app/tml_absent.c"]  # which stands in for all of them


def test_equal_input_gives_equal_bytes_and_no_trace_of_the_place(tmp_path: Path) -> None:
    for name in ("p", "q"):
        render.generate(plan.resolve(STREAMING, BOARD, "compiled"), tmp_path / name)
    assert contents(tmp_path / "p") == contents(tmp_path / "q")
    for name, text in contents(tmp_path / "p").items():
        for place in (tmp_path, paths.shared("firmware_templates")):
            assert str(place).encode() not in text, name


def test_generating_again_touches_only_what_changed(tmp_path: Path) -> None:
    out = tmp_path / "p"
    render.generate(plan.resolve(STREAMING, BOARD, "compiled"), out)
    (out / ".pio").mkdir()
    (out / ".pio" / "object.o").write_text("built")
    (out / "notes.txt").write_text("mine")
    before = {name: (out / name).stat().st_ino for name in contents(out)}
    render.generate(plan.resolve(BARE, BOARD, "compiled"), out)
    assert (out / ".pio" / "object.o").read_text() == "built"
    assert (out / "notes.txt").read_text() == "mine"
    assert not (out / "src/features/audio.c").exists()
    assert (out / "src/model/model.c").stat().st_ino == before["src/model/model.c"]
    assert b"bare" in (out / "src/app/tml_config.h").read_bytes()
    assert set(json.loads((out / "tinyml.json").read_text())["files"]) == (
        contents(out).keys() - {".pio/object.o", "notes.txt", "tinyml.json"}
    )


def test_an_interrupted_update_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "p"
    render.generate(plan.resolve(STREAMING, BOARD, "compiled"), out)
    real, left = files.write, iter(range(4))

    def failing(file: Path, data: bytes) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(file, data)

    monkeypatch.setattr(files, "write", failing)
    with pytest.raises(KeyboardInterrupt):
        render.generate(plan.resolve(replace(BARE, name="other"), BOARD, "compiled"), out)
    monkeypatch.setattr(files, "write", real)
    render.generate(plan.resolve(BARE, BOARD, "compiled"), out)
    render.generate(plan.resolve(BARE, BOARD, "compiled"), tmp_path / "fresh")
    assert contents(out) == contents(tmp_path / "fresh")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for manifest in (None, "{}", "[]", "nonsense", '{"format": 9, "files": {}}',
                     '{"format": 1, "files": {"../x": []}}',
                     '{"format": 1, "files": {"/x": []}}'):  # fmt: skip
        if manifest is not None:
            (tmp_path / "tinyml.json").write_text(manifest)
        before = contents(tmp_path)
        with pytest.raises(ConfigError, match="not a project"):
            render.generate(plan.resolve(BARE, BOARD, "compiled"), tmp_path)
        assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["platformio.ini", "src/features/audio.c"])
def test_edited_files_are_neither_overwritten_nor_removed(tmp_path: Path, name: str) -> None:
    render.generate(plan.resolve(STREAMING, BOARD, "compiled"), tmp_path)
    (tmp_path / name).write_text("mine\n")
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match=f"changed.*{re.escape(name)}"):
        render.generate(plan.resolve(BARE, BOARD, "compiled"), tmp_path)
    assert contents(tmp_path) == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match=re.escape(str(out))):
            render.generate(plan.resolve(BARE, BOARD, "compiled"), out)


def test_what_has_no_template_is_named() -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        render.render(plan.of_source(BARE, replace(BOARD, template="nowhere"), SOURCE))
    motion = replace(STREAMING, features=FeatureConfig("sonar", {}))
    with pytest.raises(ConfigError, match="sonar"):
        render.render(plan.of_source(motion, BOARD, SOURCE))


@pytest.mark.parametrize(
    ("bundle", "source", "message"),
    [
        (replace(STREAMING, labels=("a", "b")), SOURCE, "3 scores and 2 labels"),
        (STREAMING, replace(SOURCE, inputs=SOURCE.inputs * 2), "one int8 input"),
        (STREAMING, replace(SOURCE, inputs=(TensorInfo("in", "uint8", (1,)),)), "uint8"),
        (replace(STREAMING, labels=("a", "b", "x" * 256)), SOURCE, "longer than 255"),
        (replace(BARE, labels=("x",) * 255), SOURCE, "255 labels"),
        (replace(STREAMING, features=FeatureConfig("audoi", {})), SOURCE, "audoi"),
        (replace(STREAMING, features=FeatureConfig("recognizer", {})), SOURCE, "no front end"),
        (replace(STREAMING, features=FeatureConfig("audio", {"stride_ms": 99})), SOURCE, "99"),
        (replace(STREAMING, stream=StreamConfig(0, 1, 0.5, 0)), SOURCE, "stride_frames is 0"),
    ],
)
def test_facts_that_contradict_one_another_are_refused(
    bundle: Bundle, source: CSource, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        FirmwareConfig(plan.of_source(bundle, BOARD, source))


def test_input_offsets_are_aligned() -> None:
    inputs = tuple(TensorInfo("in", "int8", (n,)) for n in (5, 16, 17))
    config = FirmwareConfig(plan.of_source(BARE, BOARD, replace(SOURCE, inputs=inputs)))
    assert config.input_offsets == [0, 16, 32, 64]


def test_settings_reach_the_firmware() -> None:
    config = render.render(plan.of_source(STREAMING, BOARD, SOURCE))[
        "src/app/tml_config.h"
    ].decode()
    assert "#define TML_FEATURE_STRIDE_MS 20\n" in config
    assert "#define TML_FEATURE_GAIN 0.5f\n" in config
    assert "#define TML_STREAM_STRIDE_ROWS 2\n" in config
    assert ".threshold = 64" in config  # 0.75 * 256 - 128
    assert 'X("stream.threshold", 0.75)' in config
    assert '#define TML_BOARD "b"\n' in config
