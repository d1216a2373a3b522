"""LOGISTIC: input scales from nearly flat to a step, zero points."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    for name, scale, zero_point in (
        ("usual", 0.0471, 2),
        ("flat", 0.0007, 0),
        ("steep", 1.3, -20),
        ("beyond_the_range", 121.7, 5),
        ("off_centre", 0.1, 127),
        ("power_of_two", 1 / 16, -128),
    ):
        model = ModelBuilder(name)
        # 256 elements: every vector holds every value once.
        x = model.input([256], Quant(scale, zero_point))
        model.op("LOGISTIC", [x], [model.output([256], Quant(1 / 256, -128))])
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    return g.emit("LOGISTIC", [x.index], x.shape, Quant(1 / 256, -128), None)
