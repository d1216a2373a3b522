"""STRIDED_SLICE: every n-th element of a range of each axis, up to 4 axes, bounds constant."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Array, require_dtype, unsupported_anywhere
from tinyml.compiler.ops._piece import piece, piece_call
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

_MAX_RANK = 4


def check(op: Op, graph: Graph) -> None:
    """Take up to 4 axes and constant int32 bounds; refuse ellipsis and new axes, as TFLM does."""
    source, target = graph.input(op, 0), graph.output(op)
    require_dtype(op, source, "int8", "int16", "int32", "float32", "bool")
    require_dtype(op, target, source.dtype)
    if len(source.shape) > _MAX_RANK:
        raise unsupported_anywhere(op, source, f"rank {len(source.shape)}, more than {_MAX_RANK}")
    for position, name in ((1, "begin"), (2, "end"), (3, "strides")):
        values = graph.input(op, position)
        require_dtype(op, values, "int32")
        if values.data is None:
            raise unsupported_anywhere(op, values, f"needs a constant {name}")
        if values.elements != len(source.shape):
            raise ModelError(f"operator {op}: {values} does not fit {source}")
    for mask in ("ellipsis_mask", "new_axis_mask", "offset"):
        if op.option(mask, 0):
            raise unsupported_anywhere(op, source, f"the option {mask}")
    if tuple(ranges_shape(op, graph)) != target.shape:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")


def evaluate(op: Op, graph: Graph) -> Array:
    """Return what is taken from the constant input."""
    return piece(op, graph, ranges(op, graph))


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_strided_slice: a walk over what is taken."""
    return piece_call(op, graph, "tml_strided_slice", ranges(op, graph))


def ranges(op: Op, graph: Graph) -> list[range]:
    """The indices taken from each axis of the input, as TFLite's strided_slice_logic.h has them.

    A dropped axis gives one index. Needs constant bounds; raises ModelError for a step of 0 and
    UnsupportedOpError for a dropped axis with a negative step or a start beyond it.
    """
    source = graph.input(op, 0)
    columns = []
    for position in (1, 2, 3):
        data = graph.input(op, position).data
        assert data is not None
        columns.append([int(value) for value in data.reshape(-1)])
    begin_mask, end_mask = op.option("begin_mask", 0), op.option("end_mask", 0)
    result = []
    for axis, (size, begin, end, step) in enumerate(zip(source.shape, *columns, strict=True)):
        if step == 0:
            raise ModelError(f"operator {op}: a step of 0 along axis {axis} of {source}")
        first = None if begin_mask >> axis & 1 else begin
        if _drops(op, axis):
            start = slice(first, None, step).indices(size)[0]
            if step < 0 or start >= size:
                raise unsupported_anywhere(
                    op, source, f"axis {axis} dropped at {start} with step {step}"
                )
            result.append(range(start, start + 1))
        else:
            last = None if end_mask >> axis & 1 else end
            result.append(range(*slice(first, last, step).indices(size)))
    return result


def ranges_shape(op: Op, graph: Graph) -> list[int]:
    """The shape of the output: the lengths of `ranges`, less the dropped axes."""
    return [len(axis) for index, axis in enumerate(ranges(op, graph)) if not _drops(op, index)]


def _drops(op: Op, axis: int) -> bool:
    return bool(op.option("shrink_axis_mask", 0) >> axis & 1)
