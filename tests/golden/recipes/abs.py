"""ABS: with and without a change of scale, zero points."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, schema
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    for name, x, y in (
        ("same_quant", Quant(0.05, -3), Quant(0.05, -3)),
        ("same_scale", Quant(0.05, 9), Quant(0.05, -128)),
        ("requantised", Quant(0.05, 9), Quant(0.031, -128)),
        ("round", Quant(0.3, 0), Quant(0.2, 0)),
        ("enlarged", Quant(0.5, 100), Quant(0.011, -128)),
    ):
        model = ModelBuilder(name)
        model.op("ABS", [model.input([256], x)], [model.output([256], y)], schema.AbsOptionsT())
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    return g.emit("ABS", [x.index], x.shape, g.near(x.quant.scale), schema.AbsOptionsT())
