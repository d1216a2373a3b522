"""FULLY_CONNECTED: int8 input [.., depth] and weights [channels, depth] -> int8 [.., channels]."""

from __future__ import annotations

import numpy as np

from tinyml.compiler.call import Call, Const, Ref, Struct
from tinyml.compiler.linear import check_linear, folded_bias
from tinyml.compiler.ops import unsupported
from tinyml.compiler.quant import activation_range, channel_multipliers, quantize_multiplier
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    check_linear(op, graph, channel_axis=0)
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    if op.option("weights_format", 0) != 0:
        raise unsupported(op, weights, "shuffled weights")
    if len(weights.shape) != 2:
        raise unsupported(op, weights, "needs weights of rank 2")
    channels, depth = weights.shape
    batches = target.elements // channels
    if target.elements != batches * channels or source.elements != batches * depth or depth == 0:
        raise ModelError(f"operator {op}: {source} and {weights} do not give {target}")
    if len(weights.scales) > 1 and any(weights.zero_points):
        raise unsupported(op, weights, "zero points per channel")


def scratch_bytes(op: Op, graph: Graph) -> int:
    return 0


def call(op: Op, graph: Graph) -> Call:
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    assert weights.data is not None
    channels, depth = weights.shape
    zero_point = weights.zero_points[0]
    bias = folded_bias(op, graph, weights.data.astype(np.int64) - zero_point)
    if len(weights.scales) > 1:
        multipliers, shifts = channel_multipliers(op, graph, channels)
    else:
        # TFLM multiplies these two scales in float32 (GetQuantizedConvolutionMultipler).
        product = float(np.float32(source.scale) * np.float32(weights.scale))
        multiplier, shift = quantize_multiplier(product / target.scale)
        multipliers, shifts = [multiplier], [shift]
    act_min, act_max = activation_range(op, target)
    params = Struct(
        "tml_fully_connected_t",
        {
            "batches": target.elements // channels,
            "depth": depth,
            "channels": channels,
            "multipliers": Const(np.array(multipliers, np.int32), "multipliers"),
            "shifts": Const(np.array(shifts, np.int8), "shifts"),
            "per_channel": int(len(multipliers) > 1),
            "weights_offset": -zero_point,
            "output_offset": target.zero_point,
            "act_min": act_min,
            "act_max": act_max,
        },
    )
    return Call(
        "tml_fully_connected_s8",
        (
            Ref(source.index),
            Const(weights.data, "weights"),
            Const(bias, "bias"),
            Ref(target.index),
            params,
        ),
    )
