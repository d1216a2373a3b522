"""PACK: tensors stacked along a new axis; where they are constants."""

from __future__ import annotations

import numpy as np

from tinyml.compiler.ops import Array
from tinyml.compiler.ops._constant import data
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the stacked constants; raises ModelError where their shapes differ."""
    parts = [data(op, graph, position) for position in range(len(op.inputs))]
    axis = int(op.option("axis", 0))
    if len({part.shape for part in parts}) != 1 or not -parts[0].ndim - 1 <= axis <= parts[0].ndim:
        raise ModelError(f"operator {op} cannot pack its inputs along axis {axis}")
    return np.stack(parts, axis)
