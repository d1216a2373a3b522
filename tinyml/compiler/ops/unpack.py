"""UNPACK: a tensor without one of its axes, at each index along it, of any stored dtype."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Array
from tinyml.compiler.ops._piece import along, axis_of, check_piece, piece, piece_call
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take up to 6 axes."""
    check_piece(op, graph, _taken(op, graph))


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the part of the constant input."""
    return piece(op, graph, _taken(op, graph))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_unpack: a walk over what is taken."""
    return piece_call(op, graph, "tml_unpack", _taken(op, graph))


def _taken(op: Op, graph: Graph) -> list[range]:
    shape = graph.input(op, 0).shape
    axis = axis_of(op, int(op.option("axis", 0)), len(shape))
    return along(shape, axis, range(op.part, op.part + 1))
