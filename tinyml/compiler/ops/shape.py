"""SHAPE: the shape of its input as a vector of integers, known before run time."""

from __future__ import annotations

import numpy as np

from tinyml.compiler.ops import Array
from tinyml.tflite import Graph, Op

NEEDS_SHAPES_ONLY = True


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the sizes of the axes of the input, int32 or int64 [rank]."""
    return np.array(graph.input(op, 0).shape, np.int64)
