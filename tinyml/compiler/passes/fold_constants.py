"""Constant folding: what no input of the model can change becomes a constant of the model.

Shapes are known, so what is computed from them is too: Keras' Flatten, for one, arrives as SHAPE,
STRIDED_SLICE, PACK and RESHAPE.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.compiler import ops
from tinyml.errors import ModelError
from tinyml.records import Folded
from tinyml.tflite import Graph, Op


def run(graph: Graph) -> tuple[Graph, tuple[Folded, ...]]:
    """Evaluate the operators that `ops.evaluate` can; an output of the model stays computed.

    Raises ModelError where a result does not have its tensor's shape.
    """
    tensors = list(graph.tensors)
    kept: list[Op] = []
    folded = []
    for op in graph.ops:
        current = replace(graph, tensors=tuple(tensors))
        value = None if set(op.outputs) & set(graph.outputs) else ops.evaluate(op, current)
        if value is None:
            kept.append(op)
            continue
        target = current.output(op)
        if value.shape != target.shape:
            raise ModelError(f"operator {op} gives the shape {list(value.shape)}, not {target}")
        tensors[target.index] = replace(target, data=value.astype(target.dtype))
        folded.append(Folded(op.index, op.name, "its result is known beforehand"))
    return replace(graph, tensors=tuple(tensors), ops=tuple(kept)), tuple(folded)
