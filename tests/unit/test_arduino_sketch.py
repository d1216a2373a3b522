"""An Arduino sketch: what is in it, and of what there can be none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyml.errors import ConfigError
from tinyml.firmware import arduino_sketch, boards, plan, render
from tinyml.model import bundle

MODEL = "keyword_spotting"


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def make(out: Path, board: str = "nano33ble", runtime: str = "tflm") -> dict[str, bytes]:
    render.generate_sketch(plan.resolve(bundle.load(MODEL), boards.load(board), runtime), out)
    return files(out)


def test_equal_input_gives_equal_bytes_and_no_place_is_named(tmp_path: Path) -> None:
    first, second = make(tmp_path / "a" / "words"), make(tmp_path / "b" / "words")
    assert first == second
    assert not [name for name, contents in first.items() if str(tmp_path).encode() in contents]
    assert make(tmp_path / "a" / "words") == first  # brought up to date, where nothing changed


def test_every_header_lies_beside_who_includes_it(tmp_path: Path) -> None:
    made = make(tmp_path / "words")
    assert {Path(name).parent.as_posix() for name in made} == {".", "src"}
    for name, contents in made.items():
        for header in re.findall(rb'#include "(tml_\w+\.h|model\.h)"', contents):
            assert f"src/{header.decode()}" in made, name
    assert b'#include "src/tml_app.h"' in made["words.ino"]
    assert b"<TensorFlowLite.h>" in made["words.ino"]
    assert not [name for name in made if "main" in name]


def test_what_platformio_s_options_say_is_said(tmp_path: Path) -> None:
    made = make(tmp_path / "words")
    board = boards.load("nano33ble")
    readme = made["README.md"].decode()
    for library in board.options["custom_tflm"].split():
        assert library in readme
    assert board.options["custom_arduino_core"] in readme
    speed = b'#pragma GCC optimize("O2")'
    assert made["src/tml_model_tflm.cpp"].startswith(speed)
    assert made["src/audio_fft.c"].startswith(speed)
    assert speed not in made["src/tml_app.c"] + made["src/tml_app.h"]


def test_names_in_options_are_followed() -> None:
    options = {"lib_deps": "a@1\n${this.custom_b}", "custom_b": "https://x/b.git#0"}
    assert arduino_sketch.libraries(options) == ["a@1", "https://x/b.git#0"]
    assert arduino_sketch.libraries({}) == []


@pytest.mark.parametrize(
    ("board", "runtime", "folder", "why"),
    [
        ("qemu-m4", "compiled", "words", "qemu-m4 has no Arduino core"),
        ("spresense", "tflm", "words", "the tflm runtime cannot be compiled"),
        ("nano33ble", "compiled", "two words", "'two words' is no name"),
        ("nano33ble", "compiled", "words.", "'words.' is no name"),
    ],
)
def test_where_there_can_be_no_sketch_nothing_is_written(
    board: str, runtime: str, folder: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=why):
        make(tmp_path / folder, board, runtime)
    assert not (tmp_path / folder).exists()
