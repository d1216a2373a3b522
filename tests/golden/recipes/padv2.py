"""PADV2: borders of a value other than the zero point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, -57)


def models() -> Iterator[ModelBuilder]:
    yield pad("spatial", [1, 3, 4, 2], [[0, 0], [1, 2], [2, 1], [0, 0]], 99)
    yield pad("every_axis", [2, 1, 3], [[1, 0], [1, 2], [0, 2]], -128)


def pad(name: str, shape: Shape, paddings: Sequence[Shape], value: int) -> ModelBuilder:
    """Return a model of one padding with `value`."""
    model = ModelBuilder(name)
    out = [size + sum(pair) for size, pair in zip(shape, paddings, strict=True)]
    x = model.input(shape, Q)
    constants = [model.constant(paddings, dtype="int32"), model.constant(value, Q)]
    model.op("PADV2", [x, *constants], [model.output(out, Q)], schema.PadV2OptionsT())
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    if not x.shape:
        return False
    paddings = g.model.rng.integers(0, 3, (len(x.shape), 2))
    out = [size + int(pair.sum()) for size, pair in zip(x.shape, paddings, strict=True)]
    value = int(g.model.rng.integers(-128, 128))
    inputs = [x.index, g.ints(paddings), g.model.constant(value, x.quant)]
    return g.emit("PADV2", inputs, out, x.quant, schema.PadV2OptionsT())
