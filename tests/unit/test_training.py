"""What training says before TensorFlow is needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import recordings

from tinyml import training
from tinyml.errors import ConfigError, ToolError
from tinyml.training.train import checkpoint_path, train


@pytest.mark.parametrize(
    ("name", "value"), [("epochs", 0), ("batch_size", 0), ("width", 0), ("seed", -1)]
)
def test_options_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name} is {value}, not"):
        training.Options(**{name: value})


def test_missing_tensorflow_comes_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    data = recordings.make(tmp_path / "tones", speakers=6)
    with pytest.raises(ToolError, match="needs TensorFlow") as caught:
        train("keyword_spotting", data, tmp_path / "out", training.Options(), lambda _: None)
    assert caught.value.hint == training.INSTALL
    assert not (tmp_path / "out").exists()
    assert not checkpoint_path(tmp_path / "out").exists()
