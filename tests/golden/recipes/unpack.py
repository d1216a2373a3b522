"""UNPACK: axes, down to scalars."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield unpack("time", [1, 4, 6], 1)
    yield unpack("outermost", [3, 2, 4], 0)
    yield unpack("last_by_minus_one", [2, 3, 2], -1)
    yield unpack("scalars", [3], 0)


def unpack(name: str, shape: Shape, axis: int) -> ModelBuilder:
    """Return a model of one UNPACK."""
    model = ModelBuilder(name)
    out = list(shape)
    count = out.pop(axis)
    outputs = [model.output(out, Q) for _ in range(count)]
    options = schema.UnpackOptionsT(num=count, axis=axis)
    model.op("UNPACK", [model.input(shape, Q)], outputs, options)
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    if not x.shape:
        return False
    axis = int(g.model.rng.integers(len(x.shape)))
    out, count = [*x.shape[:axis], *x.shape[axis + 1 :]], x.shape[axis]
    options = schema.UnpackOptionsT(num=count, axis=axis)
    return g.emit_all("UNPACK", [x.index], [(out, x.quant)] * count, options)
