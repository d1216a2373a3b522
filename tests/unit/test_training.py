"""What training says before TensorFlow is needed."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import pytest
import recordings

from tinyml import cli, training
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


def test_wrong_input_is_named_before_tensorflow_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tensorflow", "tf_keras", "keras"):
        monkeypatch.setitem(sys.modules, name, None)  # an import would be a ToolError
    (tmp_path / "empty").mkdir()
    (tmp_path / "net.h5").write_bytes(b"no network")
    for arguments, said in (
        (["train", "keyword_spotting", "--data", "empty"], "empty"),
        (["train", "gesture", "--learn-from", "no_such_model"], "no_such_model"),
        (["quantize", "net.h5", "-R", "net.h5"], "net.h5 cannot be read as a model"),
        (["quantize", "none.h5", "-R", "missing.npz"], "none.h5 and missing.npz do not exist"),
    ):
        monkeypatch.chdir(tmp_path)
        capture = io.StringIO()
        with contextlib.redirect_stderr(capture):
            assert cli.main(arguments) == 2
        assert said in capture.getvalue()
        assert "TensorFlow" not in capture.getvalue()
