"""Where along an axis the largest or smallest value stands: ARG_MAX and ARG_MIN."""

from __future__ import annotations

import math

from tinyml.compiler.call import Call, Ref
from tinyml.compiler.ops import require_dtype, unsupported
from tinyml.compiler.ops._piece import axis_of
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 of any rank and quantization, and a constant axis."""
    source, axis, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    require_dtype(op, source, "int8")
    require_dtype(op, target, "int32")
    if axis.data is None or axis.elements != 1:
        raise unsupported(op, axis, "needs one constant axis")
    at = _axis(op, graph)
    if target.elements * source.shape[at] != source.elements:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")


def call(op: Op, graph: Graph, kernel: str) -> Call:
    """Return the call of `kernel` over [outer, size of the axis, inner]."""
    source, target = graph.input(op, 0), graph.output(op)
    axis = _axis(op, graph)
    outer, inner = math.prod(source.shape[:axis]), math.prod(source.shape[axis + 1 :])
    return Call(kernel, (Ref(source.index), Ref(target.index), outer, source.shape[axis], inner))


def _axis(op: Op, graph: Graph) -> int:
    data = graph.input(op, 1).data
    assert data is not None
    return axis_of(op, int(data.reshape(-1)[0]), len(graph.input(op, 0).shape))
