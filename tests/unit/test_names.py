"""A model's name is an identifier, whatever its file is called."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tinyml import paths
from tinyml.model import bundle, names


@given(some.text(max_size=300))
def test_every_text_gives_a_name(text: str) -> None:
    name = names.identifier(text)
    assert names.IDENTIFIER.fullmatch(name)
    assert names.identifier(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("keyword_spotting", "keyword_spotting"),
        ("vww_96_int8", "vww_96_int8"),
        ("mein Modell", "mein_Modell"),
        ("café (1)", "cafe_1_"),
        ("..", "model"),
        ("-rf", "rf"),
        ("name.", "name"),
        ("`id`", "_id_"),
        ("네", "model"),
        ("x\nbuild_unflags = !id", "x_build_unflags_id"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert names.identifier(text) == name


def test_files_and_folders_are_named_by_the_rule(tmp_path: Path) -> None:
    shipped = paths.shared("models") / "gesture"
    file = tmp_path / "my model; $(id).tflite"
    shutil.copy(shipped / "model.tflite", file)
    assert bundle.load(str(file)).name == "my_model_id_"
    shutil.copytree(shipped, tmp_path / "it's mine")
    assert bundle.load(str(tmp_path / "it's mine")).name == "it_s_mine"
