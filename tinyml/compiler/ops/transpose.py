"""TRANSPOSE: int8, int16 or float32, up to 5 axes in another order."""

from __future__ import annotations

import numpy as np

from tinyml.compiler.call import Call, Ref
from tinyml.compiler.ops import Array, require_dtype, unsupported_anywhere
from tinyml.compiler.ops._constant import data
from tinyml.compiler.ops._walk import byte_walk, row_major
from tinyml.errors import ModelError
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op

_MAX_RANK = 5


def check(op: Op, graph: Graph) -> None:
    """Take up to 5 axes and a constant permutation of them."""
    source, order, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    require_dtype(op, source, "int8", "int16", "float32")
    require_dtype(op, target, source.dtype)
    if len(source.shape) > _MAX_RANK:
        raise unsupported_anywhere(op, source, f"rank {len(source.shape)}, more than {_MAX_RANK}")
    if order.data is None:
        raise unsupported_anywhere(op, order, "needs a constant permutation")
    axes = _axes(op, graph)
    if sorted(axes) != list(range(len(source.shape))):
        raise ModelError(f"operator {op}: {order} is no permutation of the axes of {source}")
    if target.shape != tuple(source.shape[axis] for axis in axes):
        raise ModelError(f"operator {op} cannot turn {source} into {target}")


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the constant input with its axes in the other order."""
    return np.transpose(data(op, graph), _axes(op, graph))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_transpose: a walk along the output."""
    source, target = graph.input(op, 0), graph.output(op)
    strides = row_major(source.shape)
    walk = byte_walk(
        target.shape,
        [strides[axis] for axis in _axes(op, graph)],
        row_major(target.shape),
        DTYPES[source.dtype].bytes,
    )
    return Call("tml_transpose", (Ref(source.index), Ref(target.index), walk))


def _axes(op: Op, graph: Graph) -> list[int]:
    order = graph.input(op, 1).data
    assert order is not None
    return [int(axis) for axis in order.reshape(-1)]
