"""CONV_2D: int8 input [N, H, W, C], weights [O, h, w, C / groups] -> int8 [N, H', W', O]."""

from __future__ import annotations

import numpy as np

from tinyml.compiler.call import Call, Const, Ref, Struct
from tinyml.compiler.linear import bias_of, check_linear
from tinyml.compiler.ops import unsupported
from tinyml.compiler.quant import activation_range, channel_multipliers
from tinyml.compiler.window import Window, window
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    check_linear(op, graph, channel_axis=0)
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    if len(weights.shape) != 4:
        raise unsupported(op, weights, "needs weights of rank 4")
    _window(op, graph)
    channels, depth = weights.shape[0], weights.shape[3]
    groups = source.shape[3] // max(depth, 1)
    if depth == 0 or source.shape[3] != groups * depth or channels % groups != 0:
        raise ModelError(f"operator {op}: {source} does not fit {weights}")
    if target.shape[3] != channels:
        raise ModelError(f"operator {op}: {weights} does not give {target}")
    assert weights.data is not None
    bias_of(op, graph, weights.data)


def scratch_bytes(op: Op, graph: Graph) -> int:
    return 0


def call(op: Op, graph: Graph) -> Call:
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    assert weights.data is not None
    channels = weights.shape[0]
    multipliers, shifts = channel_multipliers(op, graph, channels)
    act_min, act_max = activation_range(op, target)
    params = Struct(
        "tml_conv_2d_t",
        {
            **_window(op, graph).fields,
            "input_depth": source.shape[3],
            "filter_depth": weights.shape[3],
            "channels": channels,
            "multipliers": Const(np.array(multipliers, np.int32), "multipliers"),
            "shifts": Const(np.array(shifts, np.int8), "shifts"),
            "input_offset": -source.zero_point,
            "output_offset": target.zero_point,
            "act_min": act_min,
            "act_max": act_max,
        },
    )
    return Call(
        "tml_conv_2d_any_s8",
        (
            Ref(source.index),
            Const(weights.data, "weights"),
            Const(bias_of(op, graph, weights.data), "bias"),
            Ref(target.index),
            params,
        ),
    )


def _window(op: Op, graph: Graph) -> Window:
    shape = graph.input(op, 1).shape
    return window(op, graph, shape[1], shape[2])
