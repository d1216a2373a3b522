"""Random small graphs of every operator, for differential tests; the seed decides everything."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from builder import ACTIVATION, SAME, VALID, ModelBuilder, Quant, Shape, schema
from recipes.conv_2d import window

_MAX_ELEMENTS = 600
_ACTIVATIONS = (
    ACTIVATION.NONE, ACTIVATION.NONE, ACTIVATION.RELU, ACTIVATION.RELU6, ACTIVATION.RELU_N1_TO_1
)  # fmt: skip


def random_graph(seed: int) -> ModelBuilder:
    """Return a model of one to eight operators; the same one for the same seed."""
    return _Grower(ModelBuilder(f"random_{seed}")).grow()


@dataclass
class _Live:
    """A tensor that later operators may read."""

    index: int
    shape: list[int]
    quant: Quant


@dataclass
class _Grower:
    model: ModelBuilder
    live: list[_Live] = field(default_factory=list)
    read: set[int] = field(default_factory=set)

    def grow(self) -> ModelBuilder:
        rng = self.model.rng
        for _ in range(rng.integers(1, 3)):
            self._input()
        wanted = int(rng.integers(1, 9))
        for _ in range(200):
            if wanted == 0:
                break
            step = _STEPS[rng.integers(len(_STEPS))]
            wanted -= step(self, self.live[rng.integers(len(self.live))])
        computed = [live for live in self.live if live.index not in self.model.inputs]
        unread = [live.index for live in computed if live.index not in self.read]
        also = [live.index for live in computed if live.index in self.read and rng.random() < 0.15]
        self.model.outputs = unread + also
        return self.model

    def quant(self) -> Quant:
        rng = self.model.rng
        zero_point = rng.integers(-128, 128)
        if rng.random() < 0.2:
            zero_point = rng.choice([-128, 0, 127])
        return Quant(float(np.float32(10 ** rng.uniform(-2.5, 0.5))), int(zero_point))

    def emit(
        self, op: str, inputs: list[int], shape: Shape, quant: Quant, options: object = None
    ) -> bool:
        if math.prod(shape) > _MAX_ELEMENTS:
            return False
        y = self.model.tensor(shape, quant)
        self.model.op(op, inputs, [y], options)
        self.read |= set(inputs)
        self.live.append(_Live(y, [int(size) for size in shape], quant))
        return True

    def ints(self, values: object) -> int:
        return self.model.constant(values, dtype="int32")

    def activation(self) -> int:
        return int(self.model.rng.choice(_ACTIVATIONS))

    def near(self, scale: float) -> Quant:
        """An output quantization that puts values of about `scale` * 50 into range."""
        spread = 10 ** self.model.rng.uniform(-0.5, 0.5)
        return Quant(float(np.float32(scale * spread)), self.quant().zero_point)

    def _input(self) -> None:
        rng = self.model.rng
        rank = int(rng.choice([1, 2, 3, 4, 4, 4]))
        shape = [1 if rng.random() < 0.2 else int(rng.integers(1, 7)) for _ in range(rank)]
        if rank == 4 and rng.random() < 0.7:
            shape[0] = 1
        quant = self.quant()
        if rng.random() < 0.2:
            step = float(np.float32(quant.scale))
            x = self.model.input(shape, dtype="float32", float_step=step)
            self.emit("QUANTIZE", [x], shape, quant, schema.QuantizeOptionsT())
        else:
            self.live.append(_Live(self.model.input(shape, quant), shape, quant))


def _binary(g: _Grower, x: _Live) -> bool:
    rng = g.model.rng
    op, options = (
        ("ADD", schema.AddOptionsT), ("SUB", schema.SubOptionsT), ("MUL", schema.MulOptionsT)
    )[rng.integers(3)]  # fmt: skip
    other = g.live[rng.integers(len(g.live))]
    try:
        shape = np.broadcast_shapes(x.shape, other.shape)
    except ValueError:
        thin = [1 if rng.random() < 0.4 else size for size in x.shape]
        thin = thin[rng.integers(len(thin) + 1) :]
        quant = g.quant()
        other = _Live(g.model.random(thin, quant), thin, quant)
        shape = tuple(x.shape)
    pair = [x, other] if rng.random() < 0.5 else [other, x]
    a, b = (float(np.float32(live.quant.scale)) for live in pair)
    quant = g.near(a * b * 100 if op == "MUL" else max(a, b))
    made = options(fusedActivationFunction=g.activation())
    return g.emit(op, [live.index for live in pair], shape, quant, made)


def _unary(g: _Grower, x: _Live) -> bool:
    op = g.model.rng.choice(["RELU", "RELU6", "LOGISTIC", "QUANTIZE", "SOFTMAX"])
    if op == "SOFTMAX" and not x.shape:
        return False
    quant = g.near(float(np.float32(x.quant.scale)))
    if op == "RELU6":
        quant = x.quant
    if op in ("LOGISTIC", "SOFTMAX"):
        quant = Quant(1 / 256, -128)
    options = None
    if op == "QUANTIZE":
        options = schema.QuantizeOptionsT()
    if op == "SOFTMAX":
        options = schema.SoftmaxOptionsT(beta=float(g.model.rng.choice([1.0, 0.3, 2.0])))
    return g.emit(str(op), [x.index], x.shape, quant, options)


def _mean(g: _Grower, x: _Live) -> bool:
    rng = g.model.rng
    if not x.shape:
        return False
    axes = [axis for axis in range(len(x.shape)) if rng.random() < 0.5] or [0]
    keep = bool(rng.random() < 0.5)
    out = [
        1 if axis in axes else size for axis, size in enumerate(x.shape) if keep or axis not in axes
    ]
    options = schema.ReducerOptionsT(keepDims=keep)
    signed = [axis - len(x.shape) if rng.random() < 0.3 else axis for axis in axes]
    return g.emit("MEAN", [x.index, g.ints(signed)], out, g.near(float(x.quant.scale)), options)


def _pad(g: _Grower, x: _Live) -> bool:
    paddings = g.model.rng.integers(0, 3, (len(x.shape), 2))
    out = [size + int(pair.sum()) for size, pair in zip(x.shape, paddings, strict=True)]
    if not out:
        return False
    return g.emit("PAD", [x.index, g.ints(paddings)], out, x.quant, schema.PadOptionsT())


def _transpose(g: _Grower, x: _Live) -> bool:
    order = [int(axis) for axis in g.model.rng.permutation(len(x.shape))]
    if not order:
        return False
    out = [x.shape[axis] for axis in order]
    inputs = [x.index, g.ints(order)]
    return g.emit("TRANSPOSE", inputs, out, x.quant, schema.TransposeOptionsT())


def _reshape(g: _Grower, x: _Live) -> bool:
    rng = g.model.rng
    rest, out = math.prod(x.shape), []
    for _ in range(rng.integers(0, 4)):
        out.append(int(rng.choice([n for n in range(1, rest + 1) if rest % n == 0])))
        rest //= out[-1]
    out.append(rest)
    return g.emit(
        "RESHAPE", [x.index, g.ints(out)], out, x.quant, schema.ReshapeOptionsT(newShape=out)
    )


def _concatenation(g: _Grower, x: _Live) -> bool:
    rng = g.model.rng
    if not x.shape:
        return False
    axis = int(rng.integers(len(x.shape)))
    parts, total = [x.index], x.shape[axis]
    for _ in range(rng.integers(0, 3)):
        shape = list(x.shape)
        if rng.random() < 0.6:
            shape[axis] = int(rng.integers(1, 4))
            parts.insert(int(rng.integers(len(parts) + 1)), g.model.random(shape, x.quant))
        else:
            parts.append(x.index)
        total += shape[axis]
    out = [total if index == axis else size for index, size in enumerate(x.shape)]
    sign = int(rng.choice([axis, axis - len(out)]))
    return g.emit("CONCATENATION", parts, out, x.quant, schema.ConcatenationOptionsT(axis=sign))


def _strided_slice(g: _Grower, x: _Live) -> bool:
    rng = g.model.rng
    rank = len(x.shape)
    if not 1 <= rank <= 4:
        return False
    begin, end = rng.integers(-8, 9, rank), rng.integers(-8, 9, rank)
    steps = rng.choice([1, 1, 2, 3, -1, -2], rank)
    begin_mask, end_mask, drop = (int(rng.integers(1 << rank)) for _ in range(3))
    if rng.random() < 0.6:
        drop = 0
    out = []
    for axis, size in enumerate(x.shape):
        if drop >> axis & 1:
            steps[axis], begin[axis] = 1, rng.integers(-size, size)
            continue
        first = None if begin_mask >> axis & 1 else int(begin[axis])
        last = None if end_mask >> axis & 1 else int(end[axis])
        out.append(len(range(*slice(first, last, int(steps[axis])).indices(size))))
    if 0 in out:
        return False
    options = schema.StridedSliceOptionsT(
        beginMask=begin_mask, endMask=end_mask, shrinkAxisMask=drop
    )
    inputs = [x.index, *(g.ints(values) for values in (begin, end, steps))]
    return g.emit("STRIDED_SLICE", inputs, out, x.quant, options)


def _windowed(g: _Grower, x: _Live) -> bool:
    rng = g.model.rng
    if len(x.shape) != 4:
        return False
    op = rng.choice(["CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"])
    kernel = [int(n) for n in rng.integers(1, 5, 2)]
    strides = [int(n) for n in rng.integers(1, 4, 2)]
    pool = op.endswith("POOL_2D")
    dilations = [1, 1] if pool or rng.random() < 0.6 else [int(n) for n in rng.integers(1, 3, 2)]
    padding = int(rng.choice([SAME, VALID]))
    size = window(x.shape[1:3], kernel, padding, strides, dilations)
    if min(size) < 1:
        return False
    shared = {
        "padding": padding, "strideH": strides[0], "strideW": strides[1],
        "fusedActivationFunction": g.activation(),
    }  # fmt: skip
    if pool:
        out = [x.shape[0], *size, x.shape[3]]
        options = schema.Pool2DOptionsT(filterHeight=kernel[0], filterWidth=kernel[1], **shared)
        return g.emit(str(op), [x.index], out, x.quant, options)
    shared |= {"dilationHFactor": dilations[0], "dilationWFactor": dilations[1]}
    if op == "CONV_2D":
        channels, depth = int(rng.integers(1, 9)), x.shape[3]
        weights, axis = [channels, *kernel, depth], 0
        options = schema.Conv2DOptionsT(**shared)
    else:
        multiplier, depth = int(rng.integers(1, 5)), 1
        channels = x.shape[3] * multiplier
        weights, axis = [1, *kernel, channels], 3
        options = schema.DepthwiseConv2DOptionsT(depthMultiplier=multiplier, **shared)
    inputs, quant = _linear(g, x, weights, channels, axis, kernel[0] * kernel[1] * depth)
    return g.emit(str(op), inputs, [x.shape[0], *size, channels], quant, options)


def _fully_connected(g: _Grower, x: _Live) -> bool:
    rng = g.model.rng
    if not x.shape:
        return False
    depth, channels = x.shape[-1], int(rng.integers(1, 9))
    inputs, quant = _linear(g, x, [channels, depth], channels, 0, depth)
    options = schema.FullyConnectedOptionsT(
        fusedActivationFunction=g.activation(), keepNumDims=len(x.shape) != 2
    )
    return g.emit("FULLY_CONNECTED", inputs, [*x.shape[:-1], channels], quant, options)


def _linear(
    g: _Grower, x: _Live, weights: Shape, channels: int, axis: int, taps: int
) -> tuple[list[int], Quant]:
    """Weights and perhaps a bias; returns the operator's inputs and an output quantization."""
    rng = g.model.rng
    per_channel = rng.random() < 0.7
    scales = rng.uniform(0.002, 0.02, channels if per_channel else 1).astype(np.float32)
    inputs = [x.index, g.model.random(weights, Quant(scales, axis=axis))]
    products = scales * np.float32(x.quant.scale)
    if rng.random() < 0.7:
        values = rng.integers(-3000, 3001, channels)
        inputs.append(g.model.constant(values, Quant(products), "int32"))
    return inputs, g.near(float(products.max()) * 100 * taps**0.5)


_STEPS: tuple[Callable[[_Grower, _Live], bool], ...] = (
    _binary, _binary, _unary, _unary, _mean, _pad, _transpose, _reshape, _concatenation,
    _strided_slice, _windowed, _windowed, _windowed, _fully_connected,
)  # fmt: skip
