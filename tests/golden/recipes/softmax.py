"""SOFTMAX: lengths, ranks, input scales from flat to one-hot, beta."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live


def models() -> Iterator[ModelBuilder]:
    yield softmax("labels_12", [1, 12], 0.12)
    yield softmax("labels_2", [1, 2], 0.05)
    yield softmax("labels_1", [3, 1], 0.1)
    yield softmax("rank_1", [9], 0.1)
    yield softmax("rank_4", [2, 3, 2, 5], 0.1)
    yield softmax("nearly_flat", [2, 10], 0.0004)
    yield softmax("nearly_one_hot", [2, 10], 1.7)
    yield softmax("beta_half", [2, 10], 0.1, beta=0.5)
    yield softmax("beta_3", [2, 10], 0.1, beta=3.0)
    yield softmax("long", [1, 300], 0.03)


def softmax(name: str, shape: Shape, scale: float, beta: float = 1.0) -> ModelBuilder:
    """Return a model of one softmax over the last axis."""
    model = ModelBuilder(name)
    x = model.input(shape, Quant(scale, 19))
    y = model.output(shape, Quant(1 / 256, -128))
    model.op("SOFTMAX", [x], [y], schema.SoftmaxOptionsT(beta=beta))
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    if not x.shape:
        return False
    beta = float(g.model.rng.choice([1.0, 0.1, 0.3, 2.0]))
    return g.emit(
        "SOFTMAX", [x.index], x.shape, Quant(1 / 256, -128), schema.SoftmaxOptionsT(beta=beta)
    )
