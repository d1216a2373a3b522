"""Aliasing: the output of RESHAPE and its kin becomes another name for the bytes of its input."""

from __future__ import annotations

from dataclasses import replace

from tinyml.compiler import ops
from tinyml.errors import ModelError
from tinyml.records import Folded
from tinyml.tflite import Graph, Op


def run(graph: Graph) -> tuple[Graph, tuple[Folded, ...]]:
    """Drop every operator that `ops.renames` names and alias its output tensor to its input."""
    aliases = dict(graph.aliases)
    folded = []
    kept: list[Op] = []
    for op in graph.ops:
        if not ops.renames(op.name) or graph.input(op, 0).is_constant:
            kept.append(op)
            continue
        source, target = graph.input(op, 0), graph.output(op)
        if source.dtype != target.dtype or source.elements != target.elements:
            raise ModelError(
                f"operator {op} cannot turn {source} into {target}",
                "export the model with fixed sizes: a batch size of 1",
            )
        aliases[target.index] = source.index
        folded.append(Folded(op.index, op.name, f"same bytes as tensor {source.index}"))
    return replace(graph, ops=tuple(kept), aliases=aliases), tuple(folded)
