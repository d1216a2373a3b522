"""GATHER: slices of a tensor by int32 indices along an axis, of any stored dtype."""

from __future__ import annotations

import math

import numpy as np

from tinyml.compiler.call import Call, Ref, Struct
from tinyml.compiler.ops import Array, require_dtype, unsupported
from tinyml.compiler.ops._constant import data
from tinyml.compiler.ops._piece import axis_of
from tinyml.errors import ModelError
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take constant indices within the axis, or indices that are computed; no batch dimensions."""
    source, indices, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    require_dtype(op, source, "int8", "int16", "int32", "float32")
    require_dtype(op, target, source.dtype)
    require_dtype(op, indices, "int32")
    if op.option("batch_dims", 0) != 0:
        raise unsupported(op, source, f"{op.option('batch_dims')} batch dimensions")
    axis = _axis(op, graph)
    wanted = (*source.shape[:axis], *indices.shape, *source.shape[axis + 1 :])
    if target.shape != wanted:
        raise ModelError(f"operator {op} cannot gather {target} from {source} along axis {axis}")
    if indices.data is not None:
        least, most = indices.data.min(initial=0), indices.data.max(initial=0)
        if least < 0 or most >= source.shape[axis]:
            raise ModelError(f"operator {op} gathers indices {least}..{most} of {source}")


def evaluate(op: Op, graph: Graph) -> Array:
    """Return what is gathered from the constant input."""
    return np.take(data(op, graph), data(op, graph, 1), _axis(op, graph))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_gather."""
    source, indices, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    axis = _axis(op, graph)
    params = Struct(
        "tml_gather_t",
        {
            "outer": math.prod(source.shape[:axis]),
            "size": source.shape[axis],
            "count": indices.elements,
            "block_bytes": math.prod(source.shape[axis + 1 :]) * DTYPES[source.dtype].bytes,
        },
    )
    return Call("tml_gather", (Ref(source.index), Ref(indices.index), Ref(target.index), params))


def _axis(op: Op, graph: Graph) -> int:
    return axis_of(op, int(op.option("axis", 0)), len(graph.input(op, 0).shape))
