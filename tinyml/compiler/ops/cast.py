"""CAST: values in another dtype; where they are constants."""

from __future__ import annotations

from tinyml.compiler.ops import Array
from tinyml.compiler.ops._constant import data
from tinyml.tflite import Graph, Op


def evaluate(op: Op, graph: Graph) -> Array | None:
    """Return the constant integers in the output's dtype."""
    value = data(op, graph)
    return value if value.dtype.kind in "iub" else None
