"""Shapes are known, so what is computed from them is too: it becomes a constant.

Keras' Flatten, for one, arrives as SHAPE, STRIDED_SLICE, PACK and RESHAPE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from tinyml.compiler.ops import concatenation, strided_slice
from tinyml.errors import ModelError
from tinyml.records import Folded
from tinyml.tflite import Graph, Op
from tinyml.tflite.graph import Array


def run(graph: Graph) -> tuple[Graph, tuple[Folded, ...]]:
    """Evaluate the operators below whose result no input of the model can change.

    Raises ModelError where a result does not have its tensor's shape.
    """
    tensors = list(graph.tensors)
    kept: list[Op] = []
    folded = []
    for op in graph.ops:
        current = replace(graph, tensors=tuple(tensors))
        value = None if set(op.outputs) & set(graph.outputs) else _value(op, current)
        if value is None:
            kept.append(op)
            continue
        target = current.output(op)
        if value.shape != target.shape:
            raise ModelError(f"operator {op} gives the shape {list(value.shape)}, not {target}")
        tensors[target.index] = replace(target, data=value.astype(target.dtype))
        folded.append(Folded(op.index, op.name, "its result is known beforehand"))
    return replace(graph, tensors=tuple(tensors), ops=tuple(kept)), tuple(folded)


def _value(op: Op, graph: Graph) -> Array | None:
    if op.name not in _EVALUATE or graph.output(op).dtype == "int8":
        return None
    inputs = [graph.input(op, position) for position in range(len(op.inputs))]
    if op.name != "SHAPE" and not all(tensor.is_constant for tensor in inputs):
        return None
    return _EVALUATE[op.name](op, graph)


def _data(op: Op, graph: Graph, position: int = 0) -> Array:
    data = graph.input(op, position).data
    assert data is not None
    return data


def _shape(op: Op, graph: Graph) -> Array:
    return np.array(graph.input(op, 0).shape, np.int64)


def _strided_slice(op: Op, graph: Graph) -> Array:
    strided_slice.check(op, graph)
    indices = [list(axis) for axis in strided_slice.ranges(op, graph)]
    taken: Array = _data(op, graph)[np.ix_(*indices)]
    return taken.reshape(graph.output(op).shape)


def _pack(op: Op, graph: Graph) -> Array:
    parts = [_data(op, graph, position) for position in range(len(op.inputs))]
    axis = int(op.option("axis", 0))
    if len({part.shape for part in parts}) != 1 or not -parts[0].ndim - 1 <= axis <= parts[0].ndim:
        raise ModelError(f"operator {op} cannot pack its inputs along axis {axis}")
    return np.stack(parts, axis)


def _concatenation(op: Op, graph: Graph) -> Array:
    concatenation.check(op, graph)
    parts = [_data(op, graph, position) for position in range(len(op.inputs))]
    return np.concatenate(parts, int(op.option("axis", 0)))


def _reshape(op: Op, graph: Graph) -> Array:
    source, target = graph.input(op, 0), graph.output(op)
    if source.elements != target.elements:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")
    return _data(op, graph).reshape(target.shape)


_EVALUATE: Mapping[str, Callable[[Op, Graph], Array]] = {
    "SHAPE": _shape,
    "STRIDED_SLICE": _strided_slice,
    "PACK": _pack,
    "CONCATENATION": _concatenation,
    "RESHAPE": _reshape,
}
