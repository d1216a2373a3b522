"""The models that MAXIMUM and MINIMUM share, and those of ARG_MAX and ARG_MIN."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.05, -3)
X = Quant(0.1, 3)


@dataclass(frozen=True)
class Extremum:
    """An element-wise operator by its enum name: equal shapes, broadcasts, constants."""

    op: str

    def models(self) -> Iterator[ModelBuilder]:
        """Yield the models of this operator."""
        yield self.pair("equal_shapes", [2, 3, 5], [2, 3, 5], [2, 3, 5])
        yield self.pair("channel", [1, 3, 5, 4], [4], [1, 3, 5, 4])
        yield self.pair("crossed", [2, 1, 5, 1], [1, 3, 1, 4], [2, 3, 5, 4])
        model = ModelBuilder("constant_scalar")
        inputs = [model.random([], Q), model.input([2, 3, 5], Q)]
        model.op(self.op, inputs, [model.output([2, 3, 5], Q)], schema.MaximumMinimumOptionsT())
        yield model

    def pair(self, name: str, left: Shape, right: Shape, out: Shape) -> ModelBuilder:
        """Return a model of two inputs."""
        model = ModelBuilder(name)
        inputs = [model.input(left, Q), model.input(right, Q)]
        model.op(self.op, inputs, [model.output(out, Q)], schema.MaximumMinimumOptionsT())
        return model

    def grow(self, g: Grower, x: Live) -> bool:
        """Add one to a random graph."""
        left, right, shape = g.partner(x)
        inputs = [left.index, right.index]
        return g.emit(self.op, inputs, shape, left.quant, schema.MaximumMinimumOptionsT())


@dataclass(frozen=True)
class ArgExtremum:
    """An operator along one axis by its enum name and its options class: axes, equal values."""

    op: str
    options: Callable[..., Any]

    def models(self) -> Iterator[ModelBuilder]:
        """Yield the models of this operator."""
        yield self.arg("classes", [1, 12], 1, [1])
        yield self.arg("last_by_minus_one", [2, 3, 5], -1, [2, 3])
        yield self.arg("inner_axis", [2, 5, 3], 1, [2, 3])
        yield self.arg("outermost", [6, 4], 0, [4])
        yield self.arg("rank_1", [9], 0, [])

    def arg(self, name: str, shape: Shape, axis: int, out: Shape) -> ModelBuilder:
        """Return a model of one operator."""
        model = ModelBuilder(name)
        inputs = [model.input(shape, X), model.constant(axis, dtype="int32")]
        options = self.options(outputType=schema.TensorType.INT32)
        model.op(self.op, inputs, [model.output(out, None, "int32")], options)
        return model
