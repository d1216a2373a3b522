"""The committed golden vectors are what the pinned oracle computes today."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml.model.oracle import Oracle

GOLDEN = Path(__file__).parent.parent / "golden"
FOLDERS = sorted({path.parent for path in GOLDEN.glob("*/*.tflite")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_vectors_are_the_oracles(folder: Path) -> None:
    for path in sorted(folder.glob("*.tflite")):
        oracle = Oracle(path.read_bytes(), path.stem)
        vectors = np.load(path.with_suffix(".npz"))
        oracle.restart()  # of a model that keeps state the vectors are one sequence
        for row in range(len(vectors["in0"])):
            inputs = [vectors[f"in{index}"][row] for index in range(len(oracle.inputs))]
            for index, output in enumerate(oracle.step(inputs)):
                expected = vectors[f"out{index}"][row]
                assert output.dtype == expected.dtype
                assert output.tobytes() == expected.tobytes(), f"{path.name}, vector {row}"
