"""CONCATENATION: up to 10 tensors of one dtype and quantization, along any axis."""

from __future__ import annotations

import math

import numpy as np

from tinyml.compiler.call import Call, Ref, Struct
from tinyml.compiler.ops import Array, require_dtype, unsupported_anywhere
from tinyml.compiler.ops._constant import data
from tinyml.errors import ModelError
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op, Tensor

MAX_INPUTS = 10  # TML_CONCATENATION_INPUTS; TFLM has the same limit


def check(op: Op, graph: Graph) -> None:
    """Take up to 10 inputs of any stored dtype; int8 with the output's quantization."""
    target = graph.output(op)
    require_dtype(op, target, "int8", "int16", "int32", "int64", "float32", "bool")
    if not 1 <= len(op.inputs) <= MAX_INPUTS:
        raise unsupported_anywhere(op, target, f"{len(op.inputs)} inputs, not 1..{MAX_INPUTS}")
    if op.option("fused_activation_function", 0) != 0:
        raise unsupported_anywhere(op, target, "a fused activation")
    axis = _axis(op, target)
    if not 0 <= axis < len(target.shape):
        raise ModelError(f"operator {op}: {target} has no axis {op.option('axis', 0)}")
    parts = _parts(op, graph)
    for part in parts:
        require_dtype(op, part, target.dtype)
        same = (part.scales, part.zero_points) == (target.scales, target.zero_points)
        if target.dtype == "int8" and not same:
            raise unsupported_anywhere(op, part, "another scale or zero point than the output's")
        if _but(part.shape, axis) != _but(target.shape, axis):
            raise ModelError(f"operator {op}: {part} does not fit {target} along axis {axis}")
    if sum(part.shape[axis] for part in parts) != target.shape[axis]:
        raise ModelError(f"operator {op}: the inputs do not fill {target} along axis {axis}")


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the constants side by side."""
    parts = [data(op, graph, position) for position in range(len(op.inputs))]
    return np.concatenate(parts, _axis(op, graph.output(op)))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_concatenation, which moves whole blocks of bytes."""
    target = graph.output(op)
    axis = _axis(op, target)
    fields: dict[str, int | Ref] = {
        "count": len(op.inputs),
        "blocks": math.prod(target.shape[:axis]),
    }
    for index, part in enumerate(_parts(op, graph)):
        fields[f"inputs[{index}]"] = Ref(part.index)
        item = DTYPES[part.dtype].bytes
        fields[f"block_bytes[{index}]"] = math.prod(part.shape[axis:]) * item
    return Call("tml_concatenation", (Ref(target.index), Struct("tml_concatenation_t", fields)))


def _parts(op: Op, graph: Graph) -> list[Tensor]:
    return [graph.input(op, index) for index in range(len(op.inputs))]


def _axis(op: Op, target: Tensor) -> int:
    axis = int(op.option("axis", 0))
    return axis + len(target.shape) if axis < 0 else axis


def _but(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], -1, *shape[axis + 1 :])
