"""RELU: alone, with and without a change of scale."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    for name, x, y in (
        ("same_quant", Quant(0.05, -3), Quant(0.05, -3)),
        ("requantised", Quant(0.05, 9), Quant(0.031, -128)),
        ("shrunk", Quant(0.05, -60), Quant(0.4, -100)),
        ("enlarged", Quant(0.5, 100), Quant(0.011, -128)),
    ):
        model = ModelBuilder(name)
        model.op("RELU", [model.input([256], x)], [model.output([256], y)])
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    return g.emit("RELU", [x.index], x.shape, g.near(x.quant.scale), None)
