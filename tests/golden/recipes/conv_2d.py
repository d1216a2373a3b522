"""CONV_2D: kernels, strides, dilations, paddings, odd sizes, activations, with and without bias."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from builder import ACTIVATION, SAME, VALID, ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

WEIGHT = 4  # in random graphs: it has many kernels, and needs an input of rank 4


def models() -> Iterator[ModelBuilder]:
    yield conv("pointwise", [1, 4, 5, 6], [1, 1], 7)
    yield conv("same_3x3", [1, 5, 6, 3], [3, 3], 4)
    yield conv("same_3x3_stride_2", [1, 6, 7, 3], [3, 3], 5, strides=[2, 2])
    yield conv("same_even_kernel", [1, 5, 6, 2], [2, 4], 3)
    yield conv("valid_3x2_stride_2_1", [1, 7, 6, 2], [3, 2], 3, VALID, strides=[2, 1])
    yield conv("tall_10x4", [1, 13, 6, 1], [10, 4], 5, strides=[2, 2])
    yield conv("kernel_larger_than_input", [1, 2, 3, 2], [5, 5], 3)
    yield conv("dilated_same", [1, 9, 8, 2], [3, 3], 3, dilations=[2, 3])
    yield conv("dilated_valid", [1, 9, 8, 2], [3, 2], 3, VALID, dilations=[2, 3])
    yield conv("stride_beyond_kernel", [1, 7, 7, 3], [1, 1], 4, VALID, strides=[3, 2])
    yield conv("relu", [1, 4, 4, 3], [3, 3], 4, activation=ACTIVATION.RELU)
    yield conv("relu6", [1, 4, 4, 3], [3, 3], 4, activation=ACTIVATION.RELU6)
    yield conv("batch_2", [2, 3, 4, 3], [2, 2], 4)
    yield conv("one_channel", [1, 6, 5, 1], [3, 3], 1)
    yield conv("channels_17", [1, 3, 3, 17], [3, 3], 3)
    yield conv("no_bias", [1, 4, 4, 3], [3, 3], 4, bias=False)
    yield conv("one_filter_scale", [1, 4, 4, 3], [3, 3], 4, per_channel=False)
    yield conv("zero_point_low", [1, 4, 4, 3], [3, 3], 4, x=Quant(0.03, -128))
    yield conv("zero_point_high", [1, 4, 4, 3], [3, 3], 4, x=Quant(0.03, 127))
    yield conv("multiplier_above_one", [1, 4, 4, 3], [2, 2], 4, y=Quant(0.0002, 4))
    # The lowest output is zero, as ReLU's is where it costs nothing.
    yield conv("low_4_channels", [1, 3, 3, 4], [1, 1], 4, y_zero=-128)
    yield conv("low_5_channels", [1, 4, 3, 20], [1, 1], 5, y_zero=-128)
    yield conv("low_11_channels", [1, 3, 5, 64], [1, 1], 11, y_zero=-128)
    yield conv("low_3x3", [1, 5, 7, 3], [3, 3], 6, y_zero=-128, activation=ACTIVATION.RELU)
    yield conv("low_3x3_stride_2", [2, 6, 7, 8], [3, 3], 8, strides=[2, 2], y_zero=-128)
    yield conv("low_above_one", [1, 3, 3, 4], [1, 1], 4, y=Quant(0.0002, -128))
    yield conv("many_taps", [1, 3, 3, 70], [3, 3], 7)
    yield conv("multiplier_tiny", [1, 4, 4, 3], [2, 2], 4, y=Quant(0.4, -9))


def conv(
    name: str,
    shape: Shape,
    kernel: Shape,
    channels: int,
    padding: int = SAME,
    strides: Shape = (1, 1),
    dilations: Shape = (1, 1),
    activation: int = ACTIVATION.NONE,
    bias: bool = True,
    per_channel: bool = True,
    x: Quant | None = None,
    y: Quant | None = None,
    y_zero: int = 6,
) -> ModelBuilder:
    """Return a model of one convolution of an input [batch, height, width, channels]."""
    model = ModelBuilder(name)
    x = x or Quant(0.03, -11)
    weights = model.rng.uniform(0.002, 0.01, channels if per_channel else 1)
    products = np.repeat(weights * x.scale, 1 if per_channel else channels)
    taps = kernel[0] * kernel[1] * shape[3]
    inputs = [model.input(shape, x), model.random([channels, *kernel, shape[3]], Quant(weights))]
    if bias:
        inputs.append(model.bias(products, reach=2000))
    spread = float(np.max(products)) * 73 * 73 * taps**0.5
    out = [shape[0], *window(shape[1:3], kernel, padding, strides, dilations), channels]
    model.op(
        "CONV_2D",
        inputs,
        [model.output(out, y or Quant(spread / 60, y_zero))],
        schema.Conv2DOptionsT(
            padding=padding,
            strideH=strides[0],
            strideW=strides[1],
            dilationHFactor=dilations[0],
            dilationWFactor=dilations[1],
            fusedActivationFunction=activation,
        ),
    )
    return model


def window(
    size: Shape, kernel: Shape, padding: int, strides: Shape, dilations: Shape = (1, 1)
) -> list[int]:
    """Return the output height and width of a sliding window."""
    reach = [1 + (k - 1) * d for k, d in zip(kernel, dilations, strict=True)]
    if padding == SAME:
        return [-(-n // s) for n, s in zip(size, strides, strict=True)]
    return [(n - r) // s + 1 for n, r, s in zip(size, reach, strides, strict=True)]


def random_window(
    g: Grower, x: Live, dilated: bool = True
) -> tuple[list[int], list[int], dict[str, int]] | None:
    """Return a filter, the output's height and width, and the options that all windows share."""
    rng = g.model.rng
    if len(x.shape) != 4:
        return None
    kernel = [int(n) for n in rng.integers(1, 5, 2)]
    strides = [int(n) for n in rng.integers(1, 4, 2)]
    dilations = (
        [int(n) for n in rng.integers(1, 3, 2)] if dilated and rng.random() < 0.4 else [1, 1]
    )
    padding = int(rng.choice([SAME, VALID]))
    size = window(x.shape[1:3], kernel, padding, strides, dilations)
    options = {
        "padding": padding, "strideH": strides[0], "strideW": strides[1],
        "fusedActivationFunction": g.activation(),
    }  # fmt: skip
    if dilated:
        options |= {"dilationHFactor": dilations[0], "dilationWFactor": dilations[1]}
    return (kernel, size, options) if min(size) >= 1 else None


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    geometry = random_window(g, x)
    if geometry is None:
        return False
    kernel, size, options = geometry
    channels, depth = int(g.model.rng.integers(1, 9)), x.shape[3]
    taps = kernel[0] * kernel[1] * depth
    inputs, quant = g.linear(x, [channels, *kernel, depth], channels, 0, taps)
    out = [x.shape[0], *size, channels]
    return g.emit("CONV_2D", inputs, out, quant, schema.Conv2DOptionsT(**options))
