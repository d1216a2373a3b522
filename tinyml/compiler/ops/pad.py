"""PAD: a border of zeros (the zero point) around int8, int16, int32 or float32, up to 5 axes."""

from __future__ import annotations

import numpy as np

from tinyml.compiler.call import Call, Learned, Ref
from tinyml.compiler.ops import Array, require_dtype, unsupported_anywhere
from tinyml.compiler.ops._constant import data
from tinyml.compiler.ops._walk import byte_walk, row_major
from tinyml.errors import ModelError
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op, Tensor

_MAX_RANK = 5


def check(op: Op, graph: Graph) -> None:
    """Take up to 5 axes and constant int32 paddings [rank, 2] of at least 0."""
    source, paddings, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    require_dtype(op, source, "int8", "int16", "int32", "float32")
    require_dtype(op, target, source.dtype)
    require_dtype(op, paddings, "int32")
    if len(source.shape) > _MAX_RANK:
        raise unsupported_anywhere(op, source, f"rank {len(source.shape)}, more than {_MAX_RANK}")
    if paddings.data is None:
        raise unsupported_anywhere(op, paddings, "needs constant paddings")
    if paddings.elements != 2 * len(source.shape) or paddings.data.min(initial=0) < 0:
        raise ModelError(f"operator {op}: {paddings} does not fit {source}")
    sizes = zip(source.shape, _paddings(op, graph), strict=True)
    if target.shape != tuple(size + before + after for size, (before, after) in sizes):
        raise ModelError(f"operator {op} cannot turn {source} into {target}")
    if source.dtype == "int8":
        target.zero_point  # noqa: B018 - raises ModelError where there is not exactly one


def evaluate(op: Op, graph: Graph) -> Array:
    """Return the constant input with its border."""
    return np.pad(data(op, graph), _paddings(op, graph), constant_values=_zero(graph.output(op)))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_pad, which fills the output and copies the input into it."""
    return bordered(op, graph, "tml_pad", _zero(graph.output(op)))


def bordered(op: Op, graph: Graph, kernel: str, fill: int) -> Call:
    """The call of a kernel with the arguments of `tml_pad`; `fill` is the byte of the border."""
    source, target = graph.input(op, 0), graph.output(op)
    item = DTYPES[source.dtype].bytes
    strides = row_major(target.shape)
    corner = (before for before, _ in _paddings(op, graph))
    first = sum(stride * before for stride, before in zip(strides, corner, strict=True)) * item
    walk = byte_walk(source.shape, row_major(source.shape), strides, item)
    args = (Ref(source.index), Ref(target.index), target.bytes, Learned(fill), first, walk)
    return Call(kernel, args)


def _zero(target: Tensor) -> int:
    """The byte that stands for zero in `target`."""
    return target.zero_point if target.dtype == "int8" else 0


def _paddings(op: Op, graph: Graph) -> list[tuple[int, int]]:
    data = graph.input(op, 1).data
    assert data is not None
    return [(int(before), int(after)) for before, after in data.reshape(-1, 2)]
