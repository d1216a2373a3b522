"""SPLIT: one of the equal parts of a tensor along a constant axis, of any stored dtype."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Array, unsupported_anywhere
from tinyml.compiler.ops._piece import along, axis_of, check_piece, piece, piece_call
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take up to 6 axes and a constant int32 axis, which is input 0."""
    axis = graph.input(op, 0)
    if axis.data is None or axis.elements != 1:
        raise unsupported_anywhere(op, axis, "needs one constant axis")
    check_piece(op, graph, _taken(op, graph), 1)


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the part of the constant input."""
    return piece(op, graph, _taken(op, graph), 1)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_split: a walk over what is taken."""
    return piece_call(op, graph, "tml_split", _taken(op, graph), 1)


def _taken(op: Op, graph: Graph) -> list[range]:
    shape, data = graph.input(op, 1).shape, graph.input(op, 0).data
    assert data is not None
    axis = axis_of(op, int(data.reshape(-1)[0]), len(shape))
    size = graph.output(op).shape[axis] if axis < len(graph.output(op).shape) else 0
    return along(shape, axis, range(op.part * size, (op.part + 1) * size))
