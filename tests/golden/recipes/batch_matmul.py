"""BATCH_MATMUL: either side transposed, stacks that broadcast, a constant side."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield matmul("plain", [2, 3, 4], [2, 4, 5], [2, 3, 5])
    yield matmul("matrices", [3, 4], [4, 5], [3, 5])
    yield matmul("right_transposed", [2, 3, 4], [2, 5, 4], [2, 3, 5], adjY=True)
    yield matmul("left_transposed", [2, 4, 3], [2, 4, 5], [2, 3, 5], adjX=True)
    yield matmul("both_transposed", [2, 4, 3], [2, 5, 4], [2, 3, 5], adjX=True, adjY=True)
    yield matmul("broadcast", [2, 1, 3, 4], [3, 4, 2], [2, 3, 3, 2])
    yield matmul("one_for_all", [4, 2, 3], [1, 3, 5], [4, 2, 5])


def matmul(name: str, left: Shape, right: Shape, out: Shape, **options: bool) -> ModelBuilder:
    """Return a model of one stack of products."""
    model = ModelBuilder(name)
    inputs = [model.input(left, Quant(0.04, -7)), model.input(right, Quant(0.03, 19))]
    y = model.output(out, Quant(0.11, 5))
    model.op("BATCH_MATMUL", inputs, [y], schema.BatchMatMulOptionsT(**options))
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if len(x.shape) < 2:
        return False
    *stack, rows, depth = x.shape
    columns = int(rng.integers(1, 6))
    transposed = bool(rng.random() < 0.5)
    shape = [*stack, *((columns, depth) if transposed else (depth, columns))]
    quant = Quant(g.scale(0.01), g.zero_point())
    right = g.model.random(shape, quant)
    options = schema.BatchMatMulOptionsT(adjX=False, adjY=transposed)
    about = g.near(x.quant.scale * quant.scale * 50 * depth**0.5)
    return g.emit("BATCH_MATMUL", [x.index, right], [*stack, rows, columns], about, options)
