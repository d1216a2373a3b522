"""DEPTHWISE_CONV_2D: multipliers 1 to 8, one-channel inputs, strides, dilations, paddings."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ACTIVATION, SAME, VALID, ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

from recipes.conv_2d import random_window, window

WEIGHT = 4  # in random graphs: it has many kernels, and needs an input of rank 4


def models() -> Iterator[ModelBuilder]:
    for multiplier in range(1, 9):
        yield depthwise(f"multiplier_{multiplier}", [1, 4, 3, 3], [3, 3], multiplier)
    yield depthwise("one_channel_multiplier_8", [1, 9, 5, 1], [10, 8], 8, strides=[2, 2])
    yield depthwise("one_channel", [1, 5, 5, 1], [3, 3], 1)
    yield depthwise("valid", [1, 5, 6, 4], [3, 2], 1, VALID)
    yield depthwise("same_stride_2", [1, 5, 6, 4], [3, 3], 1, strides=[2, 2])
    yield depthwise("strides_differ", [1, 7, 6, 2], [3, 3], 2, VALID, strides=[1, 2])
    yield depthwise("dilated", [1, 8, 7, 3], [3, 3], 1, dilations=[2, 2])
    yield depthwise("dilated_valid_multiplier_2", [1, 8, 7, 3], [2, 3], 2, VALID, dilations=[3, 2])
    yield depthwise("whole_input", [1, 5, 3, 4], [5, 3], 1, VALID)
    yield depthwise("batch_2", [2, 4, 4, 3], [3, 3], 1)
    yield depthwise("relu", [1, 4, 4, 5], [3, 3], 1, activation=ACTIVATION.RELU)
    yield depthwise("relu6", [1, 4, 4, 5], [3, 3], 1, activation=ACTIVATION.RELU6)
    yield depthwise("no_bias", [1, 4, 4, 5], [3, 3], 1, bias=False)
    # The lowest output is zero, as ReLU's is where it costs nothing.
    for height, width in ((1, 1), (1, 2), (2, 3), (9, 4), (9, 5), (4, 9), (13, 2)):
        for stride in (1, 2):
            name = f"low_{height}x{width}_stride_{stride}"
            strides = [stride, stride]
            yield depthwise(name, [1, height, width, 3], [3, 3], 1, strides=strides, y_zero=-128)
    for taps, stride in ((2, 1), (3, 2), (5, 1), (9, 2)):
        for zero in (-128, -4):
            strides, name = [stride, stride], f"{taps}_stride_{stride}_zero_{-zero}"
            row, column = [1, 3, 12, 3], [2, 11, 2, 4]
            yield depthwise(f"row_{name}", row, [1, taps], 1, strides=strides, y_zero=zero)
            yield depthwise(f"column_{name}", column, [taps, 1], 1, strides=strides, y_zero=zero)
    yield depthwise("row_multiplier_2", [1, 3, 9, 3], [1, 4], 2, VALID, y_zero=-128)
    yield depthwise("row_relu6", [1, 2, 9, 4], [1, 3], 1, activation=ACTIVATION.RELU6)
    yield depthwise("low_valid", [2, 9, 6, 4], [3, 3], 1, VALID, y_zero=-128)
    yield depthwise("low_multiplier_2", [2, 5, 4, 3], [3, 3], 2, y_zero=-128)
    yield depthwise("zero_point_low", [1, 4, 4, 5], [3, 3], 1, x=Quant(0.03, -128))


def depthwise(
    name: str,
    shape: Shape,
    kernel: Shape,
    multiplier: int,
    padding: int = SAME,
    strides: Shape = (1, 1),
    dilations: Shape = (1, 1),
    activation: int = ACTIVATION.NONE,
    bias: bool = True,
    x: Quant | None = None,
    y_zero: int = -4,
) -> ModelBuilder:
    """Return a model of one depthwise convolution; the filter is [1, height, width, channels]."""
    model = ModelBuilder(name)
    x = x or Quant(0.03, 20)
    channels = shape[3] * multiplier
    weights = model.rng.uniform(0.002, 0.01, channels)
    filter_quant = Quant(weights, axis=3)
    inputs = [model.input(shape, x), model.random([1, *kernel, channels], filter_quant)]
    if bias:
        inputs.append(model.bias(weights * x.scale, reach=2000))
    spread = 0.01 * x.scale * 73 * 73 * (kernel[0] * kernel[1]) ** 0.5
    out = [shape[0], *window(shape[1:3], kernel, padding, strides, dilations), channels]
    model.op(
        "DEPTHWISE_CONV_2D",
        inputs,
        [model.output(out, Quant(spread / 60, y_zero))],
        schema.DepthwiseConv2DOptionsT(
            padding=padding,
            strideH=strides[0],
            strideW=strides[1],
            depthMultiplier=multiplier,
            dilationHFactor=dilations[0],
            dilationWFactor=dilations[1],
            fusedActivationFunction=activation,
        ),
    )
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    geometry = random_window(g, x)
    if geometry is None:
        return False
    kernel, size, options = geometry
    multiplier = int(g.model.rng.integers(1, 5))
    channels = x.shape[3] * multiplier
    inputs, quant = g.linear(x, [1, *kernel, channels], channels, 3, kernel[0] * kernel[1])
    made = schema.DepthwiseConv2DOptionsT(depthMultiplier=multiplier, **options)
    return g.emit("DEPTHWISE_CONV_2D", inputs, [x.shape[0], *size, channels], quant, made)
