"""A network of one's own, measured on labelled arrays: by the reference and as C for this host."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tinyml import cli
from tinyml.errors import ConfigError, DataError
from tinyml.measure import labelled_arrays
from tinyml.model import bundle

MODEL = bundle.load("gesture")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The model alone, which says neither task nor labels."""
    path = tmp_path / "mine.tflite"
    path.write_bytes(MODEL.model)
    return path


def _examples() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Golden inputs with the answers of the reference, one of them made wrong."""
    golden = np.load(MODEL.path / "golden.npz")
    targets = golden["out0"][:, 0].argmax(axis=1)
    targets[0] = (targets[0] + 1) % 3
    return golden["in0"][:, 0], targets


@pytest.mark.needs_cc
def test_int8_and_floats_give_the_same_figures(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values, targets = _examples()
    read = bundle.load(bare)
    found, _ = labelled_arrays.read(read, _saved(tmp_path / "int8.npz", values, targets))
    assert found.labels == ("0", "1", "2")
    assert MODEL.card.quantization is not None
    scale = MODEL.card.quantization["input"]
    real = (values.astype(np.float32) - scale.zero_point) * np.float32(scale.scale)
    _saved(tmp_path / "real.npz", real, targets)
    right = (len(targets) - 1) / len(targets)
    for name in ("int8.npz", "real.npz"):
        command = ["evaluate", str(bare), "--data", str(tmp_path / name), "--on", "oracle", "host"]
        assert cli.main([*command, "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["accuracy"] == pytest.approx(right)
        assert report["clips"] == len(targets)
        assert [place["different"] for place in report["places"]] == [0, 0]


def _saved(path: Path, inputs: np.ndarray, labels: np.ndarray) -> Path:  # type: ignore[type-arg]
    np.savez(path, inputs=inputs, labels=labels)
    return path


def test_what_does_not_fit_is_named(bare: Path, tmp_path: Path) -> None:
    values, targets = _examples()
    model = bundle.load(bare)
    for inputs, labels, said in (
        (values[:, :5], targets, "takes rows of"),
        (values, targets[:3], "and 3 labels"),
        (values, targets + 2, "3 classes, which are 0 to 2"),
        (values, targets.astype(np.float32), "no array `labels`"),
        (np.full(values.shape, np.nan, np.float32), targets, "finite floats"),
        (values.astype(np.int16), targets, "neither int8"),
    ):
        with pytest.raises(DataError, match=said):
            labelled_arrays.read(model, _saved(tmp_path / "wrong.npz", inputs, labels))
    with pytest.raises(DataError, match=r"cannot be read"):
        labelled_arrays.read(model, tmp_path / "missing.npz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"has no \.npz files"):
        labelled_arrays.read(model, tmp_path / "empty")


def test_a_model_without_classes_is_refused(tmp_path: Path) -> None:
    folder = Path(__file__).parents[1] / "golden" / "add"
    model = bundle.load(folder / "act_none.tflite")
    with pytest.raises(ConfigError, match="no int8 classifier"):
        labelled_arrays.read(model, tmp_path)
