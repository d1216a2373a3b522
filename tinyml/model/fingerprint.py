"""What a bundle keeps of a model to know it again by: golden vectors, and its quantization."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyml.model import vectors
from tinyml.model.oracle import Oracle
from tinyml.records import TensorInfo
from tinyml.tasks import Features

_COUNT = 8


def golden(model: bytes, seed: int, inputs: Sequence[Features] = ()) -> bytes:
    """Return an .npz of inputs in0, ... and the oracle's outputs out0, ..., one row per vector.

    `inputs` of a model with one input, each of its size, follow random ones.
    """
    oracle = Oracle(model)
    infos = [TensorInfo(one.name, one.dtype, one.shape) for one in oracle.inputs]
    rows = [one.arrays for one in vectors.random(infos, _COUNT, seed)]
    rows += [[one.reshape(infos[0].shape)] for one in inputs]
    answers = [oracle.run(row) for row in rows]
    arrays: dict[str, Any] = {
        f"in{i}": np.stack([row[i] for row in rows]) for i in range(len(infos))
    }
    arrays |= {f"out{i}": np.stack([one[i] for one in answers]) for i in range(len(answers[0]))}
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def quantization(model: bytes) -> dict[str, Any]:
    """Return scale and zero point of a model's first input and output, for its card."""
    oracle = Oracle(model)
    infos = {"input": oracle.inputs[0], "output": oracle.outputs[0]}
    return {
        name: {"scale": float(info.scale), "zero_point": int(info.zero_point)}
        for name, info in infos.items()
    }
