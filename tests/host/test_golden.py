"""Every golden model, compiled for the host with sanitizers, against the oracle's vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import stored
from batch import HOST

pytestmark = pytest.mark.needs_cc


@pytest.mark.parametrize("folder", stored.FOLDERS, ids=lambda folder: folder.name)
def test_golden(folder: Path) -> None:
    assert stored.mismatches(folder, HOST) == []


def test_every_model_has_vectors_and_none_is_left_over() -> None:
    models = set(stored.GOLDEN.glob("*/*.tflite"))
    assert models
    assert models == {path.with_suffix(".tflite") for path in stored.GOLDEN.glob("*/*.npz")}


def test_a_wrong_vector_is_found(tmp_path: Path) -> None:
    name = "nothing"
    original = stored.GOLDEN / "pad" / f"{name}.tflite"
    (tmp_path / f"{name}.tflite").write_bytes(original.read_bytes())
    arrays = dict(np.load(original.with_suffix(".npz")))
    arrays["out0"][1, 0, 0] ^= 1
    np.savez(tmp_path / f"{name}.npz", **arrays)
    assert stored.mismatches(tmp_path, HOST) == [
        "nothing, vector 1: 1 of 6 elements of output 0 differ"
    ]
