"""Reductions of an int8 tensor over constant axes: which axes go, and the walks along both."""

from __future__ import annotations

import math

from tinyml.compiler.call import Call, Learned, Ref, Struct
from tinyml.compiler.ops import require_dtype, require_quantized, unsupported, unsupported_anywhere
from tinyml.compiler.ops._walk import MAX_RANK, row_major, walk
from tinyml.compiler.quant import INT32_MAX
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def check_reduction(op: Op, graph: Graph) -> None:
    """Check dtypes and quantization, and that the axes are constant and give the output."""
    source, axes, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    require_quantized(op, source, target)
    require_dtype(op, axes, "int32")
    if axes.data is None:
        raise unsupported(op, axes, "needs constant axes")
    rank = len(source.shape)
    if rank > MAX_RANK:
        raise unsupported(op, source, f"rank {rank}, more than {MAX_RANK}")
    if any(not -rank <= axis < rank for axis in axes.data.reshape(-1).tolist()):
        raise ModelError(f"operator {op}: {axes} is beyond the axes of {source}")
    kept, _ = split_axes(op, graph)
    if math.prod(source.shape[axis] for axis in kept) != target.elements:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")


def check_extremum(op: Op, graph: Graph) -> None:
    """Take int8 of up to 6 axes, constant int32 axes, and equal scales and zero points."""
    source, target = graph.input(op, 0), graph.output(op)
    check_reduction(op, graph)
    if (source.scale, source.zero_point) != (target.scale, target.zero_point):
        raise unsupported_anywhere(op, target, "another scale or zero point than the input's")


def split_axes(op: Op, graph: Graph) -> tuple[list[int], list[int]]:
    """The axes that stay and those that go, both in order."""
    data = graph.input(op, 1).data
    assert data is not None
    rank = len(graph.input(op, 0).shape)
    gone = {axis % rank for axis in data.reshape(-1).tolist()} if rank else set()
    return [axis for axis in range(rank) if axis not in gone], sorted(gone)


def reduced_elements(op: Op, graph: Graph) -> int:
    """How many input elements go into one of the output."""
    _, gone = split_axes(op, graph)
    return math.prod(graph.input(op, 0).shape[axis] for axis in gone)


def require_sums(op: Op, graph: Graph, shift: int = 0) -> None:
    """Raise UnsupportedOpError where a sum, shifted left by `shift`, may not fit into int32."""
    count = reduced_elements(op, graph)
    if count * 255 << max(shift, 0) > INT32_MAX:
        raise unsupported(op, graph.input(op, 0), f"sums of {count} elements")


def reduction_call(
    op: Op, graph: Graph, kernel: str, scaling: tuple[int, int] | None = None
) -> Call:
    """The call of a kernel (input, output, kept, reduced), with a `tml_mean_t` of `scaling`.

    `scaling`: multiplier and shift of a sum of inputs less their zero points; None for a kernel
    that compares only.
    """
    source, target = graph.input(op, 0), graph.output(op)
    strides = row_major(source.shape)

    def along(axes: list[int]) -> Struct:
        extents = [source.shape[axis] for axis in axes]
        return walk(extents, [strides[axis] for axis in axes], row_major(extents))

    kept, gone = split_axes(op, graph)
    args = (Ref(source.index), Ref(target.index), along(kept), along(gone))
    if scaling is None:
        return Call(kernel, args)
    params = Struct(
        "tml_mean_t",
        {
            "count": reduced_elements(op, graph),
            "input_offset": Learned(-source.zero_point),
            "multiplier": Learned(scaling[0]),
            "shift": Learned(scaling[1]),
            "output_offset": Learned(target.zero_point),
        },
    )
    return Call(kernel, (*args, params))
