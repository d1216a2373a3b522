"""PACK: up to 10 tensors of one shape and dtype, stacked along a new axis."""

from __future__ import annotations

import math

import numpy as np

from tinyml.compiler.call import Call, Ref, Struct
from tinyml.compiler.ops import Array, require_dtype, unsupported
from tinyml.compiler.ops._constant import data
from tinyml.compiler.ops._piece import axis_of
from tinyml.compiler.ops.concatenation import MAX_INPUTS
from tinyml.errors import ModelError
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take inputs of one shape and the output's dtype."""
    target = graph.output(op)
    require_dtype(op, target, "int8", "int16", "int32", "int64", "float32")
    if not 1 <= len(op.inputs) <= MAX_INPUTS:
        raise unsupported(op, target, f"{len(op.inputs)} inputs, not 1..{MAX_INPUTS}")
    axis = _axis(op, graph)
    wanted = (*target.shape[:axis], *target.shape[axis + 1 :])
    for position in range(len(op.inputs)):
        part = graph.input(op, position)
        require_dtype(op, part, target.dtype)
        if part.shape != wanted or target.shape[axis] != len(op.inputs):
            raise ModelError(f"operator {op} cannot pack {part} into {target} along axis {axis}")


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the stacked constants."""
    parts = [data(op, graph, position) for position in range(len(op.inputs))]
    return np.stack(parts, _axis(op, graph))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_pack, which moves whole blocks of bytes."""
    target = graph.output(op)
    axis = _axis(op, graph)
    block = math.prod(target.shape[axis + 1 :]) * DTYPES[target.dtype].bytes
    fields: dict[str, int | Ref] = {
        "count": len(op.inputs),
        "blocks": math.prod(target.shape[:axis]),
    }
    for position, index in enumerate(op.inputs):
        fields[f"inputs[{position}]"] = Ref(index)
        fields[f"block_bytes[{position}]"] = block
    return Call("tml_pack", (Ref(target.index), Struct("tml_concatenation_t", fields)))


def _axis(op: Op, graph: Graph) -> int:
    return axis_of(op, int(op.option("axis", 0)), len(graph.output(op).shape))
