"""SLICE: begins and sizes of each axis, to the end."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield cut("middle", [5, 6], [1, 2], [3, 3], [3, 3])
    yield cut("to_the_end", [5, 6], [1, 2], [-1, -1], [4, 4])
    yield cut("everything", [3, 4], [0, 0], [3, 4], [3, 4])
    yield cut("rank_4", [1, 5, 4, 3], [0, 1, 3, 0], [1, 2, 1, 3], [1, 2, 1, 3])


def cut(name: str, shape: Shape, begin: Shape, size: Shape, out: Shape) -> ModelBuilder:
    """Return a model of one slice."""
    model = ModelBuilder(name)
    inputs = [model.input(shape, Q)]
    inputs += [model.constant(values, dtype="int32") for values in (begin, size)]
    model.op("SLICE", inputs, [model.output(out, Q)], schema.SliceOptionsT())
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if not x.shape:
        return False
    begins = [int(rng.integers(size)) for size in x.shape]
    out = [
        int(rng.integers(1, size - begin + 1)) for begin, size in zip(begins, x.shape, strict=True)
    ]
    inputs = [x.index, g.ints(begins), g.ints(out)]
    return g.emit("SLICE", inputs, out, x.quant, schema.SliceOptionsT())
