"""FULLY_CONNECTED: with and without bias, per tensor and per channel, batches, ranks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from builder import ACTIVATION, ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

WEIGHT = 4  # in random graphs: it has many kernels


def models() -> Iterator[ModelBuilder]:
    yield dense("plain", [1, 13], 6, [1, 6])
    yield dense("no_bias", [1, 13], 6, [1, 6], bias=False)
    yield dense("one_output", [1, 40], 1, [1, 1])
    yield dense("one_input", [1, 1], 5, [1, 5])
    yield dense("batch_3", [3, 8], 5, [3, 5])
    yield dense("rank_4", [2, 1, 3, 4], 5, [2, 5])
    yield dense("keep_dims", [2, 3, 4], 5, [2, 3, 5], keep_dims=True)
    yield dense("relu", [1, 16], 9, [1, 9], activation=ACTIVATION.RELU)
    yield dense("relu6", [1, 16], 9, [1, 9], activation=ACTIVATION.RELU6)
    yield dense("per_channel", [1, 16], 9, [1, 9], per_channel=True)
    yield dense("per_channel_no_bias", [2, 16], 9, [2, 9], per_channel=True, bias=False)
    yield dense("filter_zero_point", [1, 16], 9, [1, 9], filter_zero_point=7)
    # The lowest output is zero, as ReLU's is where it costs nothing.
    yield dense("low", [1, 24], 17, [1, 17], y_zero=-128)
    yield dense("low_odd_depth", [1, 37], 10, [1, 10], y_zero=-128)
    yield dense("low_batch_3", [3, 8], 8, [3, 8], y_zero=-128)
    yield dense("low_per_channel", [1, 20], 9, [1, 9], per_channel=True, y_zero=-128)
    yield dense("deep", [1, 700], 9, [1, 9])
    yield dense("zero_point_low", [1, 16], 9, [1, 9], x=Quant(0.05, -128))


def dense(
    name: str,
    shape: Shape,
    channels: int,
    out: Shape,
    activation: int = ACTIVATION.NONE,
    bias: bool = True,
    per_channel: bool = False,
    keep_dims: bool = False,
    filter_zero_point: int = 0,
    x: Quant | None = None,
    y_zero: int = -7,
) -> ModelBuilder:
    """Return a model of one fully connected layer; its weights are [channels, depth]."""
    model = ModelBuilder(name)
    x = x or Quant(0.05, 3)
    depth = shape[-1] if keep_dims else int(np.prod(shape)) // out[0]
    weights = model.rng.uniform(0.002, 0.01, channels if per_channel else 1)
    filter_quant = Quant(weights, filter_zero_point)
    inputs = [model.input(shape, x), model.random([channels, depth], filter_quant)]
    if bias:
        reach = np.repeat(weights * x.scale, 1 if per_channel else channels)
        inputs.append(_bias(model, reach, per_channel))
    spread = float(np.max(weights)) * x.scale * 73 * 73 * depth**0.5
    model.op(
        "FULLY_CONNECTED",
        inputs,
        [model.output(out, Quant(spread / 60, y_zero))],
        schema.FullyConnectedOptionsT(fusedActivationFunction=activation, keepNumDims=keep_dims),
    )
    return model


def _bias(model: ModelBuilder, scales: np.ndarray, per_channel: bool) -> int:
    values = model.rng.integers(-3000, 3001, len(scales))
    return model.constant(values, Quant(scales if per_channel else scales[:1]), "int32")


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    if not x.shape:
        return False
    depth, channels = x.shape[-1], int(g.model.rng.integers(1, 9))
    inputs, quant = g.linear(x, [channels, depth], channels, 0, depth)
    options = schema.FullyConnectedOptionsT(
        fusedActivationFunction=g.activation(), keepNumDims=len(x.shape) != 2
    )
    return g.emit("FULLY_CONNECTED", inputs, [*x.shape[:-1], channels], quant, options)
