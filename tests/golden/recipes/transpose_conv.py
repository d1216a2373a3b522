"""TRANSPOSE_CONV: strides, paddings, one scale and many, with and without bias, activations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from builder import ACTIVATION, SAME, VALID, ModelBuilder, Quant, Shape, schema
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    yield deconv("same_stride_2", [1, 3, 4, 3], [3, 3], 5, [1, 6, 8, 5], [2, 2])
    yield deconv("same_odd_output", [1, 3, 4, 3], [3, 3], 2, [1, 5, 7, 2], [2, 2])
    yield deconv("valid_stride_2", [1, 3, 4, 2], [3, 3], 3, [1, 7, 9, 3], [2, 2], VALID)
    yield deconv("stride_1", [1, 4, 4, 2], [3, 3], 3, [1, 4, 4, 3], [1, 1])
    yield deconv("even_kernel", [1, 3, 3, 2], [2, 4], 2, [1, 6, 6, 2], [2, 2])
    yield deconv("stride_beyond_kernel", [1, 2, 3, 2], [2, 2], 2, [1, 6, 9, 2], [3, 3])
    yield deconv("batch_2", [2, 3, 3, 2], [3, 3], 2, [2, 6, 6, 2], [2, 2])
    yield deconv("no_bias", [1, 3, 3, 2], [3, 3], 2, [1, 6, 6, 2], [2, 2], bias=False)
    yield deconv("one_scale", [1, 3, 3, 2], [3, 3], 4, [1, 6, 6, 4], [2, 2], per_channel=False)
    yield deconv("relu", [1, 3, 3, 2], [3, 3], 2, [1, 6, 6, 2], [2, 2], activation=ACTIVATION.RELU)


def deconv(
    name: str,
    shape: Shape,
    kernel: Shape,
    channels: int,
    out: Shape,
    strides: Shape,
    padding: int = SAME,
    bias: bool = True,
    per_channel: bool = True,
    activation: int = ACTIVATION.NONE,
) -> ModelBuilder:
    """Return a model of one transposed convolution."""
    model = ModelBuilder(name)
    x = Quant(0.03, -11)
    weights = model.rng.uniform(0.002, 0.01, channels if per_channel else 1)
    products = np.repeat(weights * x.scale, 1 if per_channel else channels)
    inputs = [model.constant(out, dtype="int32")]
    inputs.append(model.random([channels, *kernel, shape[3]], Quant(weights)))
    inputs.append(model.input(shape, x))
    if bias:
        inputs.append(model.bias(products, reach=2000))
    y = model.output(out, Quant(float(products.max()) * 400, 6))
    options = schema.TransposeConvOptionsT(
        padding=padding,
        strideH=strides[0],
        strideW=strides[1],
        fusedActivationFunction=activation,
    )
    model.op("TRANSPOSE_CONV", inputs, [y], options)
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if len(x.shape) != 4:
        return False
    kernel = [int(n) for n in rng.integers(1, 5, 2)]
    stride, channels = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    same = bool(rng.random() < 0.5)
    sizes = [
        size * stride if same else (size - 1) * stride + reach
        for size, reach in zip(x.shape[1:3], kernel, strict=True)
    ]
    out = [x.shape[0], *sizes, channels]
    depth = x.shape[3]
    taps = kernel[0] * kernel[1] * depth
    (source, *rest), quant = g.linear(x, [channels, *kernel, depth], channels, 0, taps)
    options = schema.TransposeConvOptionsT(
        padding=SAME if same else VALID, strideH=stride, strideW=stride
    )
    weights, *bias = rest
    inputs = [g.ints(out), weights, source, *bias]
    return g.emit("TRANSPOSE_CONV", inputs, out, quant, options)
