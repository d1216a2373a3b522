"""RESHAPE: the bytes of its input under another shape; nothing runs."""

from __future__ import annotations

from tinyml.compiler.ops import Array
from tinyml.compiler.ops._constant import data, reshaped
from tinyml.tflite import Graph, Op

RENAMES = True


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the constant input in the output's shape."""
    return reshaped(op, graph, data(op, graph))
