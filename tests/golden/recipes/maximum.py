"""MAXIMUM: equal shapes, broadcasts, constants."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.05, -3)


def models() -> Iterator[ModelBuilder]:
    yield pair("equal_shapes", [2, 3, 5], [2, 3, 5], [2, 3, 5])
    yield pair("channel", [1, 3, 5, 4], [4], [1, 3, 5, 4])
    yield pair("crossed", [2, 1, 5, 1], [1, 3, 1, 4], [2, 3, 5, 4])
    model = ModelBuilder("constant_scalar")
    inputs = [model.random([], Q), model.input([2, 3, 5], Q)]
    model.op("MAXIMUM", inputs, [model.output([2, 3, 5], Q)], schema.MaximumMinimumOptionsT())
    yield model


def pair(name: str, left: Shape, right: Shape, out: Shape) -> ModelBuilder:
    """Return a model of two inputs."""
    model = ModelBuilder(name)
    inputs = [model.input(left, Q), model.input(right, Q)]
    model.op("MAXIMUM", inputs, [model.output(out, Q)], schema.MaximumMinimumOptionsT())
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    left, right, shape = g.partner(x)
    inputs = [left.index, right.index]
    return g.emit("MAXIMUM", inputs, shape, left.quant, schema.MaximumMinimumOptionsT())
