"""Values of constants, for operators that are evaluated before run time."""

from __future__ import annotations

from tinyml.compiler.ops import Array
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def data(op: Op, graph: Graph, position: int = 0) -> Array:
    """Return the value of the constant input `position`, in its shape and dtype."""
    value = graph.input(op, position).data
    assert value is not None
    return value


def reshaped(op: Op, graph: Graph, value: Array) -> Array:
    """Return `value` in the output's shape; raises ModelError where it has not as many elements."""
    source, target = graph.input(op, 0), graph.output(op)
    if value.size != target.elements:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")
    return value.reshape(target.shape)
