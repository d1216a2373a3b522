"""Dead code elimination: operators whose results nobody reads are not computed."""

from __future__ import annotations

from dataclasses import replace

from tinyml.records import Folded
from tinyml.tflite import Graph, Op


def run(graph: Graph) -> tuple[Graph, tuple[Folded, ...]]:
    """Drop every operator that no output of the model depends on."""
    needed = {graph.storage(index) for index in (*graph.outputs, *graph.initial)}
    kept: list[Op] = []
    folded = []
    for op in reversed(graph.ops):
        # An operator without outputs is there for its side effect.
        if not op.outputs or any(index in needed for index in op.outputs):
            kept.append(op)
            needed |= {graph.storage(index) for index in op.inputs if index >= 0}
        else:
            folded.append(Folded(op.index, op.name, "no output of the model depends on it"))
    running = {op.index for op in kept}  # another of its outputs may be read
    folded = [gone for gone in folded if gone.op_index not in running]
    return replace(graph, ops=tuple(reversed(kept))), tuple(folded)
