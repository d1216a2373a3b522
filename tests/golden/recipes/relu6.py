"""RELU6: alone; input and output share their quantization, as the oracle only clamps."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    for name, quant in (
        ("usual", Quant(0.05, -3)),
        ("six_out_of_range", Quant(0.05, 30)),
        ("coarse", Quant(1.7, 0)),
        ("six_is_a_tie", Quant(4.0, -128)),
        ("full_range", Quant(6 / 255, -128)),
    ):
        model = ModelBuilder(name)
        model.op("RELU6", [model.input([256], quant)], [model.output([256], quant)])
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    return g.emit("RELU6", [x.index], x.shape, x.quant, None)
