"""The fingerprint of a model in its bundle: golden vectors, and scales of input and output."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyml import tflite
from tinyml.errors import ModelError
from tinyml.model import vectors
from tinyml.model.oracle import Array, Oracle
from tinyml.records import Quantization

_COUNT = 8


def golden(model: bytes, seed: int, inputs: Sequence[Sequence[Array]] = ()) -> bytes:
    """Return an .npz of inputs in0, ... and the oracle's outputs out0, ..., one row per vector.

    `inputs`, for each inference those of the model, follow random ones. Inputs of which the oracle
    dies (a wide softmax of equal scores) are left out; raises ModelError where it is all of them.
    """
    oracle = Oracle(model)
    infos = [tensor.info for tensor in oracle.inputs]
    rows = [vector.arrays for vector in vectors.random(infos, _COUNT, seed)]
    rows += [
        [values.reshape(info.shape) for values, info in zip(row, infos, strict=True)]
        for row in inputs
    ]
    rows, outputs = _answered(oracle, rows)
    arrays: dict[str, Any] = {
        f"in{i}": np.stack([row[i] for row in rows]) for i in range(len(infos))
    }
    arrays |= {f"out{i}": np.stack([row[i] for row in outputs]) for i in range(len(outputs[0]))}
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _answered(
    oracle: Oracle, rows: Sequence[list[Array]]
) -> tuple[list[list[Array]], list[list[Array]]]:
    answered, outputs = [], []
    for row in rows:
        try:
            outputs.append(oracle.run(row))
        except ModelError as error:
            refusal = error
            continue
        answered.append(row)
    if not answered:
        raise refusal
    return answered, outputs


def quantization(model: bytes) -> dict[str, Quantization]:
    """Return scale and zero point of a model's first `input` and `output`, for its card."""
    graph = tflite.read(model)
    tensors = {"input": graph.inputs[0], "output": graph.outputs[0]}
    return {
        name: Quantization(float(graph.tensors[i].scale), int(graph.tensors[i].zero_point))
        for name, i in tensors.items()
    }
