"""PRELU: slopes per channel, per position and for all, negative ones among them."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape
from grower import Grower, Live

X = Quant(0.05, -3)
ALPHA = Quant(0.004, 9)
Y = Quant(0.06, 5)


def models() -> Iterator[ModelBuilder]:
    yield prelu("channel", [1, 4, 3, 5], [1, 1, 5])
    yield prelu("position", [1, 4, 3, 5], [4, 3, 5])
    yield prelu("scalar", [2, 7], [1])
    yield prelu("round", [1, 4, 8], [8], Quant(0.3, 0), Quant(0.01, 0), Quant(0.2, 0))
    yield prelu("enlarged", [1, 4, 8], [8], Quant(0.5, 100), Quant(0.01, -128), Quant(0.01, -128))


def prelu(
    name: str, shape: Shape, slopes: Shape, x: Quant = X, alpha: Quant = ALPHA, y: Quant = Y
) -> ModelBuilder:
    """Return a model of one PRELU with constant slopes."""
    model = ModelBuilder(name)
    inputs = [model.input(shape, x), model.random(slopes, alpha)]
    model.op("PRELU", inputs, [model.output(shape, y)])
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if not x.shape:
        return False
    slopes = x.shape[int(rng.integers(len(x.shape))) :]
    alpha = g.model.random(slopes, Quant(g.scale(0.005), g.zero_point()))
    return g.emit("PRELU", [x.index, alpha], x.shape, g.near(x.quant.scale))
