"""Scalar replacement of operators: one of several outputs becomes one operator for each of them.

SPLIT and UNPACK are so many copies; a step of the compiled model has one result.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.records import Folded
from tinyml.tflite import Graph, Op


def run(graph: Graph) -> tuple[Graph, tuple[Folded, ...]]:
    """Divide every operator of several outputs; its parts keep its index, name and options."""
    ops: list[Op] = []
    for op in graph.ops:
        parts = enumerate(op.outputs) if len(op.outputs) > 1 else ()
        ops += [replace(op, outputs=(output,), part=part) for part, output in parts] or [op]
    return replace(graph, ops=tuple(ops)), ()
