"""SLICE: a range of each axis, constant, of any stored dtype."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Array, unsupported_anywhere
from tinyml.compiler.ops._piece import check_piece, piece, piece_call
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take up to 6 axes and constant begins (input 1) and sizes (input 2; -1: to the end)."""
    source = graph.input(op, 0)
    for position in (1, 2):
        bounds = graph.input(op, position)
        if bounds.data is None:
            raise unsupported_anywhere(op, bounds, "needs constants")
        if bounds.elements != len(source.shape):
            raise ModelError(f"operator {op}: {bounds} does not fit {source}")
    check_piece(op, graph, _taken(op, graph))


def evaluate(op: Op, graph: Graph) -> Array:
    """Return what is taken from the constant input."""
    return piece(op, graph, _taken(op, graph))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_slice: a walk over what is taken."""
    return piece_call(op, graph, "tml_slice", _taken(op, graph))


def _taken(op: Op, graph: Graph) -> list[range]:
    begins, sizes = graph.input(op, 1).data, graph.input(op, 2).data
    assert begins is not None
    assert sizes is not None
    pairs = zip(begins.reshape(-1).tolist(), sizes.reshape(-1).tolist(), strict=True)
    return [
        range(begin, whole if size < 0 else begin + size)
        for (begin, size), whole in zip(pairs, graph.input(op, 0).shape, strict=True)
    ]
