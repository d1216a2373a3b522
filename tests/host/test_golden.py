"""Every golden model, compiled for the host with sanitizers, against the oracle's vectors."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from batch import Batch, generate

from tinyml.records import CSource

GOLDEN = Path(__file__).parent.parent / "golden"
MODELS = sorted(GOLDEN.glob("*/*.tflite"))

pytestmark = pytest.mark.needs_cc


@lru_cache(maxsize=1)
def built(folder: Path) -> tuple[dict[str, CSource], Batch]:
    """Generate and compile all models of one operator."""
    sources = {
        path.stem: generate(path.stem, path.read_bytes()) for path in folder.glob("*.tflite")
    }
    return sources, Batch(sources)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_golden(path: Path) -> None:
    sources, batch = built(path.parent)
    source = sources[path.stem]
    expected = np.load(path.with_suffix(".npz"))
    inputs = [expected[f"in{index}"] for index in range(len(source.inputs))]
    vectors = list(zip(*inputs, strict=True))
    assert vectors
    for row, (outputs, steps) in enumerate(batch.run(path.stem, vectors)):
        for index, output in enumerate(outputs):
            wanted = expected[f"out{index}"][row]
            assert output.dtype == wanted.dtype
            differing = np.flatnonzero(output.reshape(-1) != wanted.reshape(-1))
            assert output.tobytes() == wanted.tobytes(), (
                f"vector {row}, output {index}: {len(differing)} of {wanted.size} elements differ, "
                f"first at {differing[:1]}"
            )
        for step, data in zip(source.steps, steps, strict=True):
            key = f"tensor{step.tensor_index}"
            if key in expected.files:
                assert data == expected[key][row].tobytes(), f"vector {row}, {step}"


def test_every_model_has_vectors_and_none_is_left_over() -> None:
    assert MODELS
    vectors = {path.with_suffix(".tflite") for path in GOLDEN.glob("*/*.npz")}
    assert vectors == set(MODELS)
