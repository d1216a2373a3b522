"""HARD_SWISH: input scales around the bend at 3, output scales, zero points."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    for name, x, y in (
        ("usual", Quant(0.0471, 2), Quant(0.024, -112)),
        ("same_quant", Quant(0.05, -3), Quant(0.05, -3)),
        ("flat", Quant(0.002, 0), Quant(0.001, 0)),
        ("steep", Quant(1.3, -20), Quant(1.1, -128)),
        ("low", Quant(0.1, -128), Quant(0.1, -128)),
        ("high", Quant(0.03, 127), Quant(0.004, 90)),
        ("coarse_output", Quant(0.05, 0), Quant(0.9, 0)),
    ):
        model = ModelBuilder(name)
        model.op("HARD_SWISH", [model.input([256], x)], [model.output([256], y)])
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    return g.emit("HARD_SWISH", [x.index], x.shape, g.near(x.quant.scale))
