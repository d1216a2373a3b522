"""RSQRT: scales of input and output."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    for name, x, y in (
        ("usual", Quant(0.02, -128), Quant(0.04, -128)),
        ("coarse", Quant(1.3, -128), Quant(0.011, -100)),
        ("fine", Quant(0.0004, -128), Quant(0.3, -128)),
        ("round", Quant(0.1, -128), Quant(0.1, 0)),
        ("saturates", Quant(0.01, -128), Quant(0.005, -128)),
    ):
        model = ModelBuilder(name)
        model.op("RSQRT", [model.input([256], x)], [model.output([256], y)])
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    if x.quant.zero_point != -128:
        return False
    return g.emit("RSQRT", [x.index], x.shape, g.near(0.03))
