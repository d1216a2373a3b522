"""The models that ADD, SUB and MUL share: activations, broadcasts, constants, scales far apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from builder import ACTIVATION, ModelBuilder, Quant, Shape
from grower import Grower, Live

A = Quant(0.05, -3)
B = Quant(0.021, 17)
Y = Quant(0.06, 5)


@dataclass(frozen=True)
class Binary:
    """An element-wise operator of two inputs: its enum name and its options class.

    `fused`: whether it may have a fused activation.
    """

    op: str
    options: Callable[..., Any]
    fused: bool = True

    def models(self) -> Iterator[ModelBuilder]:
        """Yield the models of this operator."""
        for name in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1") if self.fused else ("NONE",):
            yield self.pair(
                f"act_{name.lower()}", [2, 3, 5], [2, 3, 5], [2, 3, 5],
                activation=getattr(ACTIVATION, name),
            )  # fmt: skip
        yield self.pair("channel", [1, 3, 5, 4], [4], [1, 3, 5, 4])
        yield self.pair("left_is_smaller", [1, 1, 4], [2, 3, 5, 4], [2, 3, 5, 4])
        yield self.pair("crossed", [2, 1, 5, 1], [1, 3, 1, 4], [2, 3, 5, 4])
        yield self.pair("rank_5", [2, 1, 3, 1, 2], [2, 4, 1, 5, 2], [2, 4, 3, 5, 2])
        yield self.pair("one_element", [1, 1], [3, 7], [3, 7])
        far = Quant(3.0, 127), Quant(0.001, -128), Quant(2.9, 100)
        yield self.pair("scales_far_apart", [40], [40], [40], *far)
        yield self.pair("saturates", [40], [40], [40], y=Quant(0.004, -128))
        yield self.constant("constant_scalar", [])
        yield self.constant("constant_row", [5])
        yield self.constant("constant_full", [2, 3, 5])
        model = ModelBuilder("same_tensor_twice")
        x = model.input([3, 7], A)
        model.op(self.op, [x, x], [model.output([3, 7], Y)], self.options())
        yield model

    def pair(
        self,
        name: str,
        left: Shape,
        right: Shape,
        out: Shape,
        a: Quant = A,
        b: Quant = B,
        y: Quant = Y,
        activation: int = ACTIVATION.NONE,
    ) -> ModelBuilder:
        """Return a model of two inputs."""
        model = ModelBuilder(name)
        model.op(
            self.op,
            [model.input(left, a), model.input(right, b)],
            [model.output(out, y)],
            self.options(**({"fusedActivationFunction": activation} if self.fused else {})),
        )
        return model

    def constant(self, name: str, shape: Shape) -> ModelBuilder:
        """Return a model whose first operand is a constant of `shape`."""
        model = ModelBuilder(name)
        x = model.input([2, 3, 5], A)
        y = model.output([2, 3, 5], Y)
        model.op(self.op, [model.random(shape, B), x], [y], self.options())
        return model

    def grow(self, g: Grower, x: Live) -> bool:
        """Add one to a random graph."""
        left, right, shape = g.partner(x)
        a, b = left.quant.scale, right.quant.scale
        about = {"MUL": a * b * 100, "SQUARED_DIFFERENCE": max(a, b) ** 2 * 100}
        quant = g.near(about.get(self.op, max(a, b)))
        options = self.options(
            **({"fusedActivationFunction": g.activation()} if self.fused else {})
        )
        return g.emit(self.op, [left.index, right.index], shape, quant, options)
