"""SPLIT_V: one of the parts of a tensor along a constant axis, of constant sizes."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Array, unsupported_anywhere
from tinyml.compiler.ops._piece import along, axis_of, check_piece, piece, piece_call
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take up to 6 axes, constant int32 sizes (input 1; one may be -1) and a constant axis."""
    for position in (1, 2):
        if graph.input(op, position).data is None:
            raise unsupported_anywhere(op, graph.input(op, position), "needs constants")
    check_piece(op, graph, _taken(op, graph))


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the part of the constant input."""
    return piece(op, graph, _taken(op, graph))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_split_v: a walk over what is taken."""
    return piece_call(op, graph, "tml_split_v", _taken(op, graph))


def _taken(op: Op, graph: Graph) -> list[range]:
    shape = graph.input(op, 0).shape
    sizes, axes = graph.input(op, 1).data, graph.input(op, 2).data
    assert sizes is not None
    assert axes is not None
    if axes.size != 1 or op.part >= sizes.size:
        raise ModelError(f"operator {op} has {axes.size} axes and {sizes.size} sizes")
    axis = axis_of(op, int(axes.reshape(-1)[0]), len(shape))
    parts = [int(size) for size in sizes.reshape(-1)]
    rest = shape[axis] - sum(size for size in parts if size >= 0)
    parts = [rest if size < 0 else size for size in parts]
    start = sum(parts[: op.part])
    return along(shape, axis, range(start, start + parts[op.part]))
