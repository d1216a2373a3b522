"""The kernels of `ops/conv_2d.h`: which one a convolution gets, and its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.call import Call, Const, Learned, Ref, Scratch, Struct
from tinyml.compiler.channels import Channels, prepare
from tinyml.compiler.ops import _quads as quads
from tinyml.compiler.ops._linear import bias_of, rescaling
from tinyml.compiler.ops._window import Window, overlap_distance, window
from tinyml.tflite import Graph, Op

Array = NDArray[Any]
_GROUP = 4  # taps that a kernel takes at a time


def window_of(op: Op, graph: Graph) -> Window:
    """The geometry of `op`, whose weights are [.., h, w, ..]."""
    shape = graph.input(op, 1).shape
    return window(op, graph, shape[1], shape[2])


def scratch_bytes(op: Op, graph: Graph, weights: Array) -> int:
    """Bytes that the kernel of `call` needs: two widened windows."""
    return 4 * _taps(weights) if _is_fast(op, graph, weights) else 0


def call(op: Op, graph: Graph, weights: Array) -> Call:
    """The call for a convolution with `weights` [O, h, w, C / groups]."""
    if _is_fast(op, graph, weights):
        return _fast(op, graph, weights)
    return _any(op, graph, weights)


def _is_fast(op: Op, graph: Graph, weights: Array) -> bool:
    """No dilation, no groups, and every channel fits the channel table."""
    geometry = window_of(op, graph)
    dense = weights.shape[3] == graph.input(op, 0).shape[3]
    plain = (geometry.dilation_height, geometry.dilation_width) == (1, 1)
    return dense and plain and prepare(op, graph, weights, folded=True).fit_table


def _fast(op: Op, graph: Graph, weights: Array) -> Call:
    source, target = graph.input(op, 0), graph.output(op)
    channels, depth = weights.shape[0], weights.shape[3]
    geometry = window_of(op, graph)
    prepared = prepare(op, graph, weights, folded=True)
    kernel, packed, table, struct, note = _requantization(prepared, graph)
    params = Struct(
        "tml_conv_2d_fast_t",
        {
            **geometry.fields,
            "depth": depth,
            "row_words": _row_words(weights),
            "taps": _taps(weights),
            "channels": channels,
            "padding": Learned(source.zero_point),
            "pointwise": int(geometry.is_pointwise and depth % _GROUP == 0),
            **prepared.output_fields,
        },
    )
    return Call(
        kernel,
        (
            Ref(source.index),
            Const(packed, "weights"),
            Const(table, "channels", struct),
            Ref(target.index),
            params,
            Scratch(),
        ),
        overlap={source.index: overlap_distance(geometry, depth, channels, block=2, late=False)},
        note=note,
    )


def _requantization(prepared: Channels, graph: Graph) -> tuple[str, Array, Array, str, str]:
    """The kernel that suits the channels, with its weights, its table, the table's C type, why."""
    flat = _rows(prepared.weights)
    if quads.fit(prepared):
        linear = None if graph.exchangeable else prepared.linear(quads.LEFT, quads.RIGHT)
        if linear is not None and linear.proved.all():
            table = quads.linear_table(linear)
            struct = "tml_conv_2d_linear_t"
            return "tml_conv_2d_linear_s8", quads.packed(flat), table, struct, linear.summary
        if quads.fit_exact(prepared):
            table = quads.exact_table(prepared)
            found = int(linear.proved.sum()) if linear else 0
            note = f"exact requantization: {found} of {len(flat)} channels have a proved line"
            return "tml_conv_2d_quads_s8", quads.packed(flat), table, "tml_conv_2d_quad_t", note
    order = _pairs(len(flat))
    kernel = "tml_conv_2d_clamped_s8" if prepared.clamped else "tml_conv_2d_s8"
    note = "pairs of channels: " + quads.why_not(prepared)
    return kernel, _packed(flat, order), prepared.table[order], "tml_channel_t", note


def _any(op: Op, graph: Graph, weights: Array) -> Call:
    source, target = graph.input(op, 0), graph.output(op)
    params = Struct(
        "tml_conv_2d_t",
        {
            **window_of(op, graph).fields,
            "input_depth": source.shape[3],
            "filter_depth": weights.shape[3],
            "channels": len(weights),
            **rescaling(op, graph, len(weights)),
        },
    )
    return Call(
        "tml_conv_2d_any_s8",
        (
            Ref(source.index),
            Const(weights, "weights"),
            Const(bias_of(op, graph, weights), "bias"),
            Ref(target.index),
            params,
        ),
    )


def _row_words(weights: Array) -> int:
    """Words of four taps in one row of a filter [O, h, w, C], the last one filled up."""
    width, depth = map(int, weights.shape[2:])
    return -(-width * depth // _GROUP)


def _taps(weights: Array) -> int:
    """Taps of one output channel, each row rounded up to whole words."""
    height: int = weights.shape[1]
    return height * _row_words(weights) * _GROUP


def _rows(weights: Array) -> Array:
    """Weights [O, h, w, C] as [O, taps], each row filled up with zeros to whole words."""
    rows = weights.reshape(*weights.shape[:2], -1)
    fill = _row_words(weights) * _GROUP - rows.shape[2]
    return np.pad(rows, ((0, 0), (0, 0), (0, fill))).reshape(len(weights), -1)


def _pairs(channels: int) -> list[int]:
    """The channels in pairs; an odd number starts with (0, 1), (1, 2), a single one with (0, 0)."""
    if channels % 2 == 0:
        return list(range(channels))
    return [0, *range(1, min(channels, 2)), *range(min(channels - 1, 1), channels)]


def _packed(flat: Array, order: list[int]) -> Array:
    """Weights as the kernel reads them: pairs of channels, in each four taps of either in turn."""
    packed: Array = flat[order].reshape(len(order) // 2, 2, -1, _GROUP).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(packed)
