"""PACK: axes, counts, constants, one tensor twice."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield pack("outermost", [2, 3], 0, 3)
    yield pack("inner", [2, 3, 2], 1, 2)
    yield pack("last_by_minus_one", [2, 3], -1, 2)
    yield pack("scalars", [], 0, 4)
    yield pack("ten", [5], 0, 10)
    model = ModelBuilder("constant_and_twice")
    x = model.input([2, 3], Q)
    inputs = [x, model.random([2, 3], Q), x]
    options = schema.PackOptionsT(valuesCount=3, axis=1)
    model.op("PACK", inputs, [model.output([2, 3, 3], Q)], options)
    yield model


def pack(name: str, shape: Shape, axis: int, count: int) -> ModelBuilder:
    """Return a model of one PACK."""
    model = ModelBuilder(name)
    out = list(shape)
    out.insert(axis % (len(shape) + 1), count)
    inputs = [model.input(shape, Q) for _ in range(count)]
    options = schema.PackOptionsT(valuesCount=count, axis=axis)
    model.op("PACK", inputs, [model.output(out, Q)], options)
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if len(x.shape) > 3:
        return False
    parts = [x.index]
    for _ in range(rng.integers(0, 3)):
        parts.append(x.index if rng.random() < 0.3 else g.model.random(x.shape, x.quant))
    axis = int(rng.integers(len(x.shape) + 1))
    out = [*x.shape[:axis], len(parts), *x.shape[axis:]]
    options = schema.PackOptionsT(valuesCount=len(parts), axis=axis)
    return g.emit("PACK", parts, out, x.quant, options)
