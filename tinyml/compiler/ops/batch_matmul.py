"""BATCH_MATMUL: int8 [.., m, k] times [.., k, n], either transposed, stacks broadcast, -> int8."""

from __future__ import annotations

import math

import numpy as np

from tinyml.compiler.call import Call, Learned, Ref, Struct
from tinyml.compiler.ops import Registration, require_quantized, unsupported
from tinyml.compiler.ops._walk import MAX_RANK, broadcast_strides, walk
from tinyml.compiler.quant import INT32_MAX, quantize_multiplier, rounding_of
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

TFLM = Registration("BatchMatMul")
_PRODUCT = 255 * 255


def check(op: Op, graph: Graph) -> None:
    """Take int8 of any scales, and sums that fit into int32."""
    left, right, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    require_quantized(op, left, right, target)
    if not min(len(left.shape), len(right.shape)) >= 2 or len(target.shape) > MAX_RANK:
        raise unsupported(op, target, f"ranks {len(left.shape)} and {len(right.shape)}")
    rows, depth, columns = _sizes(op, graph)
    try:
        stack = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    except ValueError:
        stack = None
    matched = depth == right.shape[-1 if op.option("adj_y", False) else -2]
    if not matched or stack is None or target.shape != (*stack, rows, columns):
        raise ModelError(f"operator {op}: {left} times {right} is not {target}")
    if depth * _PRODUCT << max(_scale(op, graph)[1], 0) > INT32_MAX:
        raise unsupported(op, target, f"sums of {depth} products at this scale")


def macs(op: Op, graph: Graph) -> int:
    """Return the multiply-accumulates: one for each output and each column of the left matrix."""
    return graph.output(op).elements * _sizes(op, graph)[1]


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_batch_matmul_s8: a walk along the stacks."""
    left, right, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    rows, depth, columns = _sizes(op, graph)
    multiplier, shift = _scale(op, graph)
    left_strides, right_strides = (left.shape[-1], 1), (right.shape[-1], 1)
    if op.option("adj_x", False):
        left_strides = left_strides[::-1]
    if op.option("adj_y", False):
        right_strides = right_strides[::-1]
    params = Struct(
        "tml_batch_matmul_t",
        {
            "rows": rows,
            "depth": depth,
            "columns": columns,
            "left_row_stride": left_strides[0],
            "left_depth_stride": left_strides[1],
            "right_depth_stride": right_strides[0],
            "right_column_stride": right_strides[1],
            "left_offset": Learned(-left.zero_point),
            "right_offset": Learned(-right.zero_point),
            "output_offset": Learned(target.zero_point),
            "multiplier": Learned(multiplier),
            "shift": Learned(shift),
        },
    )
    stack = target.shape[:-2]
    strides = (
        [stride * math.prod(shape[-2:]) for stride in broadcast_strides(shape[:-2], stack)]
        for shape in (left.shape, right.shape)
    )
    pointers = Ref(left.index), Ref(right.index), Ref(target.index)
    return Call("tml_batch_matmul_s8", (*pointers, walk(stack, *strides), params))


def _sizes(op: Op, graph: Graph) -> tuple[int, int, int]:
    """Rows of the left matrix, its columns, and columns of the right one."""
    left, right = graph.input(op, 0).shape[-2:], graph.input(op, 1).shape[-2:]
    rows, depth = left[::-1] if op.option("adj_x", False) else left
    return rows, depth, right[0 if op.option("adj_y", False) else 1]


def _scale(op: Op, graph: Graph) -> tuple[int, int]:
    left, right, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    return quantize_multiplier(rounding_of(op)(left.scale * right.scale) / target.scale)
