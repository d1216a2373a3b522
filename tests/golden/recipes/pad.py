"""PAD: which axes, zero points other than zero, ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, -57)


def models() -> Iterator[ModelBuilder]:
    yield pad("spatial", [1, 3, 4, 2], [[0, 0], [1, 2], [2, 1], [0, 0]])
    yield pad("one_side", [1, 3, 4, 2], [[0, 0], [0, 1], [0, 1], [0, 0]])
    yield pad("channels", [1, 2, 3, 2], [[0, 0], [0, 0], [0, 0], [1, 3]])
    yield pad("every_axis", [2, 1, 3, 2], [[1, 0], [1, 2], [0, 2], [2, 1]])
    yield pad("nothing", [2, 3], [[0, 0], [0, 0]])
    yield pad("rank_1", [5], [[2, 3]])
    yield pad("rank_5", [1, 2, 2, 2, 2], [[0, 1], [1, 0], [0, 0], [1, 1], [0, 0]])
    yield pad("zero_point_low", [1, 3, 3, 1], [[0, 0], [1, 1], [1, 1], [0, 0]], Quant(0.1, -128))


def pad(name: str, shape: Shape, paddings: Sequence[Shape], quant: Quant = Q) -> ModelBuilder:
    """Return a model of one padding with the zero point."""
    model = ModelBuilder(name)
    out = [size + sum(pair) for size, pair in zip(shape, paddings, strict=True)]
    x = model.input(shape, quant)
    y = model.output(out, quant)
    model.op("PAD", [x, model.constant(paddings, dtype="int32")], [y], schema.PadOptionsT())
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    if not x.shape:
        return False
    paddings = g.model.rng.integers(0, 3, (len(x.shape), 2))
    out = [size + int(pair.sum()) for size, pair in zip(x.shape, paddings, strict=True)]
    inputs = [x.index, g.ints(paddings)]
    return g.emit("PAD", inputs, out, x.quant, schema.PadOptionsT())
