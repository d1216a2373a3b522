"""TANH: input scales from nearly flat to a step, zero points."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    for name, scale, zero_point in (
        ("usual", 0.0231, 2),
        ("flat", 0.0007, 0),
        ("steep", 1.3, -20),
        ("power_of_two", 0.0625, 0),
        ("low", 0.05, -128),
        ("high", 0.05, 127),
    ):
        model = ModelBuilder(name)
        x = model.input([256], Quant(scale, zero_point))
        model.op("TANH", [x], [model.output([256], Quant(1 / 128, 0))])
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    return g.emit("TANH", [x.index], x.shape, Quant(1 / 128, 0))
