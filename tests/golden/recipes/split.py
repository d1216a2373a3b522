"""SPLIT: axes, two and more parts, a part that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield split("channels", [1, 3, 4, 6], 3, 3)
    yield split("height", [1, 6, 4, 3], 1, 2)
    yield split("outermost", [4, 5], 0, 4)
    yield split("last_by_minus_one", [3, 8], -1, 2)
    model = split("unread_part", [2, 6], 1, 3)
    model.outputs = model.outputs[1:2]
    yield model


def split(name: str, shape: Shape, axis: int, parts: int) -> ModelBuilder:
    """Return a model of one split."""
    model = ModelBuilder(name)
    out = list(shape)
    out[axis] //= parts
    inputs = [model.constant(axis, dtype="int32"), model.input(shape, Q)]
    outputs = [model.output(out, Q) for _ in range(parts)]
    model.op("SPLIT", inputs, outputs, schema.SplitOptionsT(numSplits=parts))
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    axes = [axis for axis, size in enumerate(x.shape) if size > 1]
    if not axes:
        return False
    axis = int(rng.choice(axes))
    parts = int(rng.choice([n for n in range(2, x.shape[axis] + 1) if x.shape[axis] % n == 0]))
    out = list(x.shape)
    out[axis] //= parts
    options = schema.SplitOptionsT(numSplits=parts)
    sign = int(rng.choice([axis, axis - len(out)]))
    return g.emit_all("SPLIT", [g.ints(sign), x.index], [(out, x.quant)] * parts, options)
