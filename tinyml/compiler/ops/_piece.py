"""Copies of a piece of a tensor: a range of each axis, for elements of any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml.compiler.call import Call, Ref
from tinyml.compiler.ops import Array, require_dtype, unsupported
from tinyml.compiler.ops._constant import data, reshaped
from tinyml.compiler.ops._walk import MAX_RANK, byte_walk, row_major
from tinyml.errors import ModelError
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op

_MOVED = ("int8", "int16", "int32", "float32", "bool")


def check_piece(op: Op, graph: Graph, taken: Sequence[range], position: int = 0) -> None:
    """Check that `taken`, a range of each axis of input `position`, gives the output."""
    source, target = graph.input(op, position), graph.output(op)
    require_dtype(op, source, *_MOVED)
    require_dtype(op, target, source.dtype)
    if len(source.shape) > MAX_RANK:
        raise unsupported(op, source, f"rank {len(source.shape)}, more than {MAX_RANK}")
    within = all(
        0 <= index < size
        for axis, size in zip(taken, source.shape, strict=True)
        for index in axis[:: max(len(axis) - 1, 1)]
    )
    if not within or np.prod([len(axis) for axis in taken], dtype=np.int64) != target.elements:
        raise ModelError(f"operator {op} cannot take {target} from {source}")


def piece_call(
    op: Op, graph: Graph, kernel: str, taken: Sequence[range], position: int = 0
) -> Call:
    """The call of a kernel (input, output, first, walk) that copies `taken` of input `position`."""
    source, target = graph.input(op, position), graph.output(op)
    item = DTYPES[source.dtype].bytes
    strides = row_major(source.shape)
    counts = [len(axis) for axis in taken]
    walk = byte_walk(
        counts,
        [stride * axis.step for stride, axis in zip(strides, taken, strict=True)],
        row_major(counts),
        item,
    )
    first = sum(stride * axis.start for stride, axis in zip(strides, taken, strict=True)) * item
    return Call(kernel, (Ref(source.index), Ref(target.index), first, walk))


def piece(op: Op, graph: Graph, taken: Sequence[range], position: int = 0) -> Array:
    """Return `taken` of the constant input `position`, in the output's shape."""
    return reshaped(op, graph, data(op, graph, position)[np.ix_(*(list(axis) for axis in taken))])


def axis_of(op: Op, axis: int, rank: int) -> int:
    """Return `axis` counted from 0; raises ModelError where a tensor of `rank` has it not."""
    if not -rank <= axis < rank:
        raise ModelError(f"operator {op}: a tensor of rank {rank} has no axis {axis}")
    return axis % rank


def along(shape: Sequence[int], axis: int, part: range) -> list[range]:
    """The whole of every axis of `shape`, but of `axis` only `part`."""
    return [part if index == axis else range(size) for index, size in enumerate(shape)]
