"""A random graph in the making: what is computed so far, and random scales, of round ones many.

A recipe's `grow(grower, tensor)` adds its operator to the graph, with `tensor` as an input where
that fits, and says whether it did.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from builder import ACTIVATION, ModelBuilder, Quant, Shape, schema

_MAX_ELEMENTS = 600
_ACTIVATIONS = (
    ACTIVATION.NONE, ACTIVATION.NONE, ACTIVATION.RELU, ACTIVATION.RELU6, ACTIVATION.RELU_N1_TO_1
)  # fmt: skip
# Ratios and products of these lie at or beside halves, where one way of rounding shows.
_ROUND = (1.0, 1.0, 1.5, 2.0, 2.0, 2.5, 3.0, 10 / 3, 4.0, 5.0, 6.0, 20 / 3, 7.0, 8.0, 9.0)
_KINDS = ("free", "decimal", "decimal", "binary")  # what most scales of a graph are


@dataclass
class Live:
    """A tensor that later operators may read."""

    index: int
    shape: list[int]
    quant: Quant
    is_given: bool = False  # an input of the model, or a constant


@dataclass
class Grower:
    """The model so far and the tensors in it; the model's name decides every random choice."""

    model: ModelBuilder
    kind: str = field(init=False)
    live: list[Live] = field(default_factory=list)
    read: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.kind = str(self.model.rng.choice(_KINDS))

    def grow(self, steps: list[Callable[[Grower, Live], bool]]) -> ModelBuilder:
        """Return the model with one to eight operators, each added by one of `steps`."""
        rng = self.model.rng
        for _ in range(rng.integers(1, 3)):
            self._input()
        while not self.live:  # a large input of floats is not quantized
            self._input()
        wanted = int(rng.integers(1, 9))
        for _ in range(300):
            if wanted == 0:
                break
            step = steps[rng.integers(len(steps))]
            wanted -= step(self, self.live[rng.integers(len(self.live))])
        computed = [live for live in self.live if not live.is_given]
        unread = [live.index for live in computed if live.index not in self.read]
        also = [live.index for live in computed if live.index in self.read and rng.random() < 0.15]
        self.model.outputs = unread + also
        return self.model

    def scale(self, about: float | None = None) -> float:
        """Return a random scale as float32, of the kind that this graph prefers.

        `about`: its magnitude; None for anything from 0.003 to 3.
        """
        rng = self.model.rng
        if about is None:
            about = 10 ** rng.uniform(-2.5, 0.5)
        else:
            about *= 10 ** rng.uniform(-0.5, 0.5)
        kind = self.kind if rng.random() < 0.9 else "free"
        if kind == "free":
            return float(np.float32(about))
        if kind == "binary":
            value = np.float32(2.0 ** round(math.log2(about)))
        else:
            value = np.float32(10.0 ** math.floor(math.log10(about)) * rng.choice(_ROUND))
        if rng.random() < 0.15:
            value = np.nextafter(value, np.float32(rng.choice([0, 1e9])))
        return float(value)

    def zero_point(self) -> int:
        """Return a random zero point; a third lie in the middle or at either end."""
        rng = self.model.rng
        return int(rng.choice([-128, 0, 127]) if rng.random() < 0.33 else rng.integers(-128, 128))

    def quant(self) -> Quant:
        """Return a random int8 quantization."""
        return Quant(self.scale(), self.zero_point())

    def near(self, scale: float) -> Quant:
        """Return an output quantization for values of a magnitude of about 50 times `scale`."""
        return Quant(self.scale(scale), self.zero_point())

    def emit(
        self, op: str, inputs: list[int], shape: Shape, quant: Quant, options: object = None
    ) -> bool:
        """Add an operator with one int8 output; False, and nothing added, for a large one."""
        return self.emit_all(op, inputs, [(shape, quant)], options)

    def emit_all(
        self, op: str, inputs: list[int], outputs: list[tuple[Shape, Quant]], options: object
    ) -> bool:
        """Add an operator with int8 outputs, given by shape and quantization, as `emit` does."""
        if any(math.prod(shape) > _MAX_ELEMENTS for shape, _ in outputs):
            return False
        indices = [self.model.tensor(shape, quant) for shape, quant in outputs]
        self.model.op(op, inputs, indices, options)
        self.read |= set(inputs)
        for index, (shape, quant) in zip(indices, outputs, strict=True):
            self.live.append(Live(index, [int(size) for size in shape], quant))
        return True

    def ints(self, values: object) -> int:
        """Add an int32 constant; return its index."""
        return self.model.constant(values, dtype="int32")

    def activation(self) -> int:
        """Return a random fused activation, often none."""
        return int(self.model.rng.choice(_ACTIVATIONS))

    def partner(self, x: Live) -> tuple[Live, Live, tuple[int, ...]]:
        """Return two operands, one of them `x`, in any order, and the shape they broadcast to."""
        rng = self.model.rng
        other = self.live[rng.integers(len(self.live))]
        try:
            shape = np.broadcast_shapes(x.shape, other.shape)
        except ValueError:
            thin = [1 if rng.random() < 0.4 else size for size in x.shape]
            thin = thin[rng.integers(len(thin) + 1) :]
            quant = self.quant()
            other = Live(self.model.random(thin, quant), thin, quant)
            shape = tuple(x.shape)
        return (x, other, shape) if rng.random() < 0.5 else (other, x, shape)

    def linear(
        self, x: Live, weights: Shape, channels: int, axis: int, taps: int
    ) -> tuple[list[int], Quant]:
        """Add weights and perhaps a bias; return the operator's inputs and an output quantization.

        `axis`: that of the weights which counts channels. `taps`: products in one sum.
        """
        rng = self.model.rng
        count = channels if rng.random() < 0.7 else 1
        scales = np.array([self.scale(0.006) for _ in range(count)], np.float32)
        # Small sums lie on halves more often than large ones.
        largest = int(rng.choice([2, 10, 127]))
        values = rng.integers(-largest, largest + 1, weights)
        if rng.random() < 0.4:
            # Channels that say nothing, and inputs that nobody reads, as pruning leaves them.
            for along in range(len(weights)):
                if weights[along] > 1 and (along in (axis, len(weights) - 1)):
                    dead = np.flatnonzero(rng.random(weights[along]) < 0.4)
                    np.moveaxis(values, along, 0)[dead] = 0
        inputs = [x.index, self.model.constant(values, Quant(scales, axis=axis))]
        products = scales * np.float32(x.quant.scale)
        if rng.random() < 0.7:
            bias = rng.integers(-24 * largest, 24 * largest + 1, channels)
            inputs.append(self.model.constant(bias, Quant(products), "int32"))
        quant = self.near(float(products.max()) * largest * taps**0.5)
        # As after a ReLU, often: these layers have kernels of their own.
        return inputs, Quant(quant.scale, -128) if rng.random() < 0.5 else quant

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
            self.live.append(Live(self.model.input(shape, quant), shape, quant, is_given=True))
        if rng.random() < 0.1:
            self.live.append(Live(self.model.random(shape, quant), shape, quant, is_given=True))
