"""TRANSPOSE_CONV: int8 input [N, H, W, C], weights [O, h, w, C] -> int8 [N, H', W', O]."""

from __future__ import annotations

import math
from dataclasses import replace

from tinyml.compiler.call import Call, Const, Ref, Struct
from tinyml.compiler.ops import unsupported_anywhere
from tinyml.compiler.ops._linear import bias_of, check_linear, rescaling
from tinyml.compiler.quant import activation_range, channel_multipliers
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

_SAME, _VALID = 0, 1


def check(op: Op, graph: Graph) -> None:
    """Take constant int8 weights, with or without an int32 bias [O], and a constant shape."""
    shape, target = graph.input(op, 0), graph.output(op)
    linear = _as_convolution(op)
    check_linear(linear, graph, channel_axis=0)
    source, weights = graph.input(linear, 0), graph.input(linear, 1)
    assert weights.data is not None
    if shape.data is None:
        raise unsupported_anywhere(op, shape, "needs a constant shape of the output")
    if len(source.shape) != 4 or len(weights.shape) != 4 or source.shape[3] != weights.shape[3]:
        raise ModelError(f"operator {op}: {source} does not fit {weights}")
    _pads(op, graph)
    wanted = (source.shape[0], *target.shape[1:3], weights.shape[0])
    if len(target.shape) != 4 or target.shape != wanted:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")
    bias_of(linear, graph, weights.data)
    activation_range(op, target)
    channel_multipliers(linear, graph, weights.shape[0])


def macs(op: Op, graph: Graph) -> int:
    """Return the multiply-accumulates: every element of the input [N, H, W, C] meets all taps."""
    return graph.input(op, 2).elements * math.prod(graph.input(op, 1).shape[:3])


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_transpose_conv_s8."""
    linear, target = _as_convolution(op), graph.output(op)
    source, weights = graph.input(linear, 0), graph.input(linear, 1)
    assert weights.data is not None
    pad_top, pad_left = _pads(op, graph)
    params = Struct(
        "tml_transpose_conv_t",
        {
            "batches": source.shape[0],
            "input_height": source.shape[1],
            "input_width": source.shape[2],
            "input_depth": source.shape[3],
            "output_height": target.shape[1],
            "output_width": target.shape[2],
            "channels": weights.shape[0],
            "filter_height": weights.shape[1],
            "filter_width": weights.shape[2],
            "stride_height": op.option("stride_h"),
            "stride_width": op.option("stride_w"),
            "pad_top": pad_top,
            "pad_left": pad_left,
            **rescaling(linear, graph, weights.shape[0]),
        },
    )
    bias = bias_of(linear, graph, weights.data)
    constants = Const(weights.data, "weights"), Const(bias, "bias")
    pointers = (Ref(source.index), *constants, Ref(target.index))
    return Call("tml_transpose_conv_s8", (*pointers, params))


def _as_convolution(op: Op) -> Op:
    """`op` with its inputs in the order of a convolution: input, weights, bias."""
    return replace(op, inputs=(op.inputs[2], op.inputs[1], *op.inputs[3:]))


def _pads(op: Op, graph: Graph) -> tuple[int, int]:
    """Rows and columns that the output lacks at its top and left, as for a convolution of it.

    Raises ModelError where strides or padding make no sense.
    """
    weights, target = graph.input(op, 1), graph.output(op)
    padding = op.option("padding")
    pads = []
    for axis, letter in ((1, "h"), (2, "w")):
        stride, size = op.option(f"stride_{letter}"), target.shape[axis]
        if stride < 1 or padding not in (_SAME, _VALID):
            raise ModelError(f"operator {op}: stride {stride}, padding {padding}")
        reach = weights.shape[axis]
        count = -(-size // stride) if padding == _SAME else (size + stride - reach) // stride
        pads.append(max((count - 1) * stride + reach - size, 0) // 2)
    return pads[0], pads[1]
