"""LEAKY_RELU: alphas, with and without a change of scale."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, schema
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    for name, alpha, x, y in (
        ("same_quant", 0.2, Quant(0.05, -3), Quant(0.05, -3)),
        ("requantised", 0.01, Quant(0.05, 9), Quant(0.031, -100)),
        ("round", 0.3, Quant(0.1, 5), Quant(0.2, -5)),
        ("relu", 0.0, Quant(0.05, 0), Quant(0.04, 0)),
        ("alpha_above_one", 1.5, Quant(0.05, 20), Quant(0.07, 3)),
        ("enlarged", 0.1, Quant(0.5, 100), Quant(0.011, -128)),
    ):
        model = ModelBuilder(name)
        options = schema.LeakyReluOptionsT(alpha=alpha)
        model.op("LEAKY_RELU", [model.input([256], x)], [model.output([256], y)], options)
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    alpha = float(g.model.rng.choice([0.01, 0.1, 0.2, 0.25, 0.3]))
    options = schema.LeakyReluOptionsT(alpha=alpha)
    return g.emit("LEAKY_RELU", [x.index], x.shape, g.near(x.quant.scale), options)
