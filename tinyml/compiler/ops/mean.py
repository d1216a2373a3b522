"""MEAN: int8 -> int8 over any constant set of axes."""

from __future__ import annotations

import math

from tinyml.compiler.call import Call, Learned, Ref, Struct
from tinyml.compiler.ops import require_dtype, require_quantized, unsupported
from tinyml.compiler.ops._table import check_requantize
from tinyml.compiler.ops._walk import MAX_RANK, row_major, walk
from tinyml.compiler.quant import INT32_MAX, quantize_multiplier
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 of up to 6 axes and constant int32 axes to average over."""
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
    kept, gone = _axes(op, graph)
    if math.prod(source.shape[axis] for axis in kept) != target.elements:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")
    count = math.prod(source.shape[axis] for axis in gone)
    if count * 255 > INT32_MAX or source.elements == 0:
        raise unsupported(op, source, f"a mean of {count} elements")
    check_requantize(op, target, source.scale / target.scale)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_mean_s8: a walk over what stays, in it one over what goes."""
    source, target = graph.input(op, 0), graph.output(op)
    kept, gone = _axes(op, graph)
    count = math.prod(source.shape[axis] for axis in gone)
    multiplier, shift = _scale(source.scale / target.scale, count)
    params = Struct(
        "tml_mean_t",
        {
            "count": count,
            "input_offset": Learned(-source.zero_point),
            "multiplier": Learned(multiplier),
            "shift": Learned(shift),
            "output_offset": Learned(target.zero_point),
        },
    )
    strides = row_major(source.shape)

    def along(axes: list[int]) -> Struct:
        extents = [source.shape[axis] for axis in axes]
        return walk(extents, [strides[axis] for axis in axes], row_major(extents))

    args = (Ref(source.index), Ref(target.index), along(kept), along(gone), params)
    return Call("tml_mean_s8", args)


def _axes(op: Op, graph: Graph) -> tuple[list[int], list[int]]:
    """The axes that stay and those that go, both in order."""
    data = graph.input(op, 1).data
    assert data is not None
    rank = len(graph.input(op, 0).shape)
    gone = {axis % rank for axis in data.reshape(-1).tolist()} if rank else set()
    return [axis for axis in range(rank) if axis not in gone], sorted(gone)


def _scale(ratio: float, count: int) -> tuple[int, int]:
    """Multiplier and shift of ratio / count, divided as in TFLite's QuantizedMeanOrSum."""
    multiplier, shift = quantize_multiplier(ratio)
    more = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << more) // count, shift - more
