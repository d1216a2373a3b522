"""DEPTHWISE_CONV_2D: int8 input [N, H, W, C], weights [1, h, w, C * m] -> int8 [N, H', W', C * m].

Output channel c reads input channel c / m; m is the depth multiplier.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.call import Call, Const, Learned, Ref, Scratch, Struct
from tinyml.compiler.channels import Channels, prepare
from tinyml.compiler.ops import Registration, _conv, unsupported
from tinyml.compiler.ops._linear import bias_of, check_linear, rescaling
from tinyml.compiler.ops._window import Window, overlap_distance
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

Array = NDArray[Any]
_GROUP = 4  # channels that the fast kernel takes at a time
_LEFT, _RIGHT = 8, 9  # of the 3x3 kernels' linear form: weights times 256, and the last shift
TFLM = Registration(int8_functions="arm_depthwise_conv")


def check(op: Op, graph: Graph) -> None:
    """Take constant int8 weights [1, h, w, C * m], with or without an int32 bias [C * m]."""
    check_linear(op, graph, channel_axis=3)
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    if len(weights.shape) != 4 or weights.shape[0] != 1:
        raise unsupported(op, weights, "needs weights [1, h, w, channels]")
    _conv.window_of(op, graph)
    channels = weights.shape[3]
    # TFLM takes the multiplier from the shapes' agreement with its option.
    multiplier = op.option("depth_multiplier")
    if channels != source.shape[3] * multiplier or target.shape[3] != channels:
        raise ModelError(
            f"operator {op}: {source} times depth multiplier {multiplier} does not fit "
            f"{weights} and {target}"
        )
    assert weights.data is not None
    bias_of(op, graph, _by_channel(weights.data))


def macs(op: Op, graph: Graph) -> int:
    """Return the multiply-accumulates: every output element takes the taps of one filter."""
    return graph.output(op).elements * math.prod(graph.input(op, 1).shape[1:3])


def scratch_bytes(op: Op, graph: Graph) -> int:
    """Return what the kernel of `call` needs: see its header."""
    if _is_convolution(op, graph):
        return _conv.scratch_bytes(op, graph, _as_convolution(op, graph))
    if (row := _row(op, graph)) is not None:
        return 8 * _pairs(row[0]) + 2 * _row_width(row[0])
    if _is_3x3(op, graph):
        height, width = _plane_size(_orientation(op, graph)[0])
        return 2 * height * width
    return 0


def call(op: Op, graph: Graph) -> Call:
    """Return the call of the fastest kernel that computes this convolution exactly."""
    if _is_convolution(op, graph):
        return _conv.call(op, graph, _as_convolution(op, graph))
    if (row := _row(op, graph)) is not None:
        return _along(op, graph, *row)
    if _is_3x3(op, graph):
        return _3x3(op, graph)
    if _is_fast(op, graph):
        return _fast(op, graph)
    return _any(op, graph)


def _is_convolution(op: Op, graph: Graph) -> bool:
    """One input channel feeds every output channel."""
    return graph.input(op, 0).shape[3] == 1


def _as_convolution(op: Op, graph: Graph) -> Array:
    """Weights [1, h, w, channels] as [channels, h, w, 1]."""
    return np.ascontiguousarray(_weights(op, graph).transpose(3, 1, 2, 0))


def _is_3x3(op: Op, graph: Graph) -> bool:
    """3x3 filters, stride 1 or 2, no dilation, small enough sums."""
    geometry = _conv.window_of(op, graph)
    strides = (geometry.stride_height, geometry.stride_width)
    plain = (geometry.dilation_height, geometry.dilation_width) == (1, 1)
    square = (geometry.filter_height, geometry.filter_width) == (3, 3)
    if not (plain and square and strides in ((1, 1), (2, 2))):
        return False
    return prepare(op, graph, _by_channel(_weights(op, graph)), folded=True).fit_table


def _plane_size(geometry: Window) -> tuple[int, int]:
    """Height and width of one padded channel; the width is even, for whole pairs of outputs."""
    stride = geometry.stride_width
    reach = (geometry.output_height - 1) * stride + 3
    height = max(geometry.pad_top + geometry.input_height, reach)
    pairs = -(-geometry.output_width // 2)
    width = max(geometry.pad_left + geometry.input_width, (2 * pairs - 1) * stride + 3)
    return height, width + width % 2


def _orientation(op: Op, graph: Graph) -> tuple[Window, bool]:
    """The geometry of the plane, and whether its rows are the image's columns.

    Long rows are faster. They are taken where the plane does not grow.
    """
    geometry = _conv.window_of(op, graph)
    turned = geometry.turned()

    def work(window: Window) -> int:
        return window.output_height * (1 + 2 * -(-window.output_width // 2))

    smaller = math.prod(_plane_size(turned)) <= math.prod(_plane_size(geometry))
    across = smaller and work(turned) < work(geometry)
    return (turned if across else geometry), across


def _plane_params(
    op: Op, graph: Graph, prepared: Channels, window: Window, across: bool, size: tuple[int, int]
) -> Struct:
    """The parameters of a kernel with planes of `size`; `across`: of the image's columns."""
    source, target = graph.input(op, 0), graph.output(op)
    depth, channels = source.shape[3], target.shape[3]
    strides = [depth, source.shape[2] * depth], [channels, target.shape[2] * channels]
    inputs, outputs = (pair[::-1] if across else pair for pair in strides)
    return Struct(
        "tml_depthwise_conv_2d_3x3_t",
        {
            **window.fields,
            "depth": depth,
            "depth_multiplier": channels // depth,
            "plane_height": size[0],
            "plane_width": size[1],
            "input_column": inputs[0],
            "input_row": inputs[1],
            "output_column": outputs[0],
            "output_row": outputs[1],
            "padding": Learned(source.zero_point),
            **prepared.output_fields,
        },
    )


def _3x3(op: Op, graph: Graph) -> Call:
    source, target = graph.input(op, 0), graph.output(op)
    prepared = prepare(op, graph, _by_channel(_weights(op, graph)), folded=True)
    window, across = _orientation(op, graph)
    how, table, note = _requantization(prepared, graph)
    kernel = "tml_depthwise_conv_2d_3x3"
    kernel += f"_stride_2{how}_s8" if window.stride_width == 2 else f"{how}_s8"
    weights = prepared.weights.reshape(-1, 3, 3)
    weights = weights.transpose(0, 2, 1) if across else weights
    return Call(
        kernel,
        (
            Ref(source.index),
            Const(np.ascontiguousarray(weights), "weights"),
            Const(table, "channels", "tml_channel_t"),
            Ref(target.index),
            _plane_params(op, graph, prepared, window, across, _plane_size(window)),
            Scratch(),
        ),
        in_place=(source.index,) if target.shape[3] == source.shape[3] else (),
        note=note + ("; columns of the image as rows of the plane" if across else ""),
    )


def _row(op: Op, graph: Graph) -> tuple[Window, bool] | None:
    """The geometry of a filter of one row or column, as a row, and whether it is a column.

    None where there is no such kernel: it needs stride 1 or 2, no dilation, four outputs.
    """
    window = _conv.window_of(op, graph)
    across = window.filter_width == 1
    row = window.turned() if across else window
    plain = (row.dilation_height, row.dilation_width) == (1, 1) and row.stride_width <= 2
    if not plain or row.filter_height != 1 or row.filter_width < 2 or row.output_width < _GROUP:
        return None
    fits = prepare(op, graph, _by_channel(_weights(op, graph)), folded=True).fit_table
    return (row, across) if fits else None


def _pairs(row: Window) -> int:
    """Words that pair the taps of a row for one output."""
    return row.filter_width // 2 + 1


def _row_width(row: Window) -> int:
    """Width of a padded row with room for the windows of a multiple of four outputs."""
    outputs = -(-row.output_width // _GROUP) * _GROUP
    return max(
        row.stride_width * outputs + 2 * _pairs(row),
        row.pad_left + row.input_width + row.input_width % 2,
    )


def _along(op: Op, graph: Graph, row: Window, across: bool) -> Call:
    """The call of the kernel for filters of one row."""
    source, target = graph.input(op, 0), graph.output(op)
    prepared = prepare(op, graph, _by_channel(_weights(op, graph)), folded=True)
    proved = np.zeros(len(prepared.weights), np.bool_)
    forms, note = prepared.table, "exact requantization"
    if not graph.exchangeable and not prepared.clamped:
        linear = prepared.linear(_LEFT, _RIGHT)
        proved, note = linear.proved, linear.summary
        forms = np.stack([linear.multiplier, linear.bias], axis=1)
    table = np.where(proved[:, None], forms, prepared.table * np.array([-1, 1]))
    # In place each line must be written where lines were read that are not needed any more.
    behind = row.stride_height == 1 or row.input_height == 1 or not across
    alone = target.shape[3] == source.shape[3] and behind
    return Call(
        f"tml_depthwise_conv_2d_row{'_stride_2' if row.stride_width == 2 else ''}_s8",
        (
            Ref(source.index),
            Const(prepared.weights, "weights"),
            Const(table.astype(np.int32), "channels", "tml_channel_t"),
            Ref(target.index),
            _plane_params(op, graph, prepared, row, across, (1, _row_width(row))),
            Scratch(),
        ),
        in_place=(source.index,) if alone else (),
        note=note + ("; columns of the image as rows of the plane" if across else ""),
    )


def _requantization(prepared: Channels, graph: Graph) -> tuple[str, Array, str]:
    """What the name of a 3x3 kernel says of its outputs, its `tml_channel_t` table, and why."""
    note = "exact requantization"
    if prepared.clamped:
        return "_clamped", prepared.table, f"{note}: the activation's clamp is narrower than int8"
    if not graph.exchangeable:
        linear = prepared.linear(_LEFT, _RIGHT)
        if linear.proved.any():
            forms = np.stack([linear.multiplier, linear.bias], axis=1)
            exact = prepared.table * np.array([-1, 1])
            table = np.where(linear.proved[:, None], forms, exact).astype(np.int32)
            return "_linear", table, linear.summary
        note = linear.summary
    return "", prepared.table, note


def _is_fast(op: Op, graph: Graph) -> bool:
    """Depth multiplier 1, whole words of channels, no dilation, small enough sums."""
    weights, depth = _weights(op, graph), graph.input(op, 0).shape[3]
    geometry = _conv.window_of(op, graph)
    plain = (geometry.dilation_height, geometry.dilation_width) == (1, 1)
    if not plain or depth != weights.shape[3] or depth % _GROUP:
        return False
    return prepare(op, graph, _by_channel(weights), folded=False).fit_table


def _fast(op: Op, graph: Graph) -> Call:
    source, target = graph.input(op, 0), graph.output(op)
    weights = _weights(op, graph)
    depth = weights.shape[3]
    geometry = _conv.window_of(op, graph)
    prepared = prepare(op, graph, _by_channel(weights), folded=False)
    params = Struct(
        "tml_depthwise_conv_2d_fast_t",
        {
            **geometry.fields,
            "depth": depth,
            "input_offset": Learned(-source.zero_point),
            **prepared.output_fields,
        },
    )
    fours = prepared.weights.reshape(depth // _GROUP, _GROUP, -1).transpose(0, 2, 1)
    return Call(
        "tml_depthwise_conv_2d_clamped_s8" if prepared.clamped else "tml_depthwise_conv_2d_s8",
        (
            Ref(source.index),
            Const(np.ascontiguousarray(fours), "weights"),
            Const(prepared.table, "channels", "tml_channel_t"),
            Ref(target.index),
            params,
        ),
        overlap={source.index: overlap_distance(geometry, depth, depth, block=1, late=True)},
    )


def _any(op: Op, graph: Graph) -> Call:
    source, target = graph.input(op, 0), graph.output(op)
    weights = _weights(op, graph)
    channels = weights.shape[3]
    params = Struct(
        "tml_depthwise_conv_2d_t",
        {
            **_conv.window_of(op, graph).fields,
            "input_depth": source.shape[3],
            "depth_multiplier": channels // source.shape[3],
            **rescaling(op, graph, channels),
        },
    )
    return Call(
        "tml_depthwise_conv_2d_any_s8",
        (
            Ref(source.index),
            Const(weights, "weights"),
            Const(bias_of(op, graph, _by_channel(weights)), "bias"),
            Ref(target.index),
            params,
        ),
    )


def _weights(op: Op, graph: Graph) -> Array:
    weights = graph.input(op, 1).data
    assert weights is not None
    return weights


def _by_channel(weights: Array) -> Array:
    """Weights [1, h, w, channels] as [channels, h * w]."""
    columns: Array = weights.reshape(-1, weights.shape[3]).T
    return columns
