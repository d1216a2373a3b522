"""DEPTHWISE_CONV_2D: int8 input [N, H, W, C], weights [1, h, w, C * m] -> int8 [N, H', W', C * m].

Output channel c reads input channel c / m; m is the depth multiplier.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.call import Call, Const, Ref, Struct
from tinyml.compiler.linear import bias_of, check_linear
from tinyml.compiler.ops import unsupported
from tinyml.compiler.quant import activation_range, channel_multipliers
from tinyml.compiler.window import Window, window
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    check_linear(op, graph, channel_axis=3)
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    if len(weights.shape) != 4 or weights.shape[0] != 1:
        raise unsupported(op, weights, "needs weights [1, h, w, channels]")
    _window(op, graph)
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


def scratch_bytes(op: Op, graph: Graph) -> int:
    return 0


def call(op: Op, graph: Graph) -> Call:
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    assert weights.data is not None
    channels = weights.shape[3]
    multipliers, shifts = channel_multipliers(op, graph, channels)
    act_min, act_max = activation_range(op, target)
    params = Struct(
        "tml_depthwise_conv_2d_t",
        {
            **_window(op, graph).fields,
            "input_depth": source.shape[3],
            "depth_multiplier": channels // source.shape[3],
            "multipliers": Const(np.array(multipliers, np.int32), "multipliers"),
            "shifts": Const(np.array(shifts, np.int8), "shifts"),
            "input_offset": -source.zero_point,
            "output_offset": target.zero_point,
            "act_min": act_min,
            "act_max": act_max,
        },
    )
    return Call(
        "tml_depthwise_conv_2d_any_s8",
        (
            Ref(source.index),
            Const(weights.data, "weights"),
            Const(bias_of(op, graph, _by_channel(weights.data)), "bias"),
            Ref(target.index),
            params,
        ),
    )


def _by_channel(weights: NDArray[Any]) -> NDArray[Any]:
    """Weights [1, h, w, channels] as [channels, h * w]."""
    columns: NDArray[Any] = weights.reshape(-1, weights.shape[3]).T
    return columns


def _window(op: Op, graph: Graph) -> Window:
    shape = graph.input(op, 1).shape
    return window(op, graph, shape[1], shape[2])
