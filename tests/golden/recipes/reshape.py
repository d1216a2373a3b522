"""RESHAPE: shapes from a tensor or from the options, an unknown dimension, other dtypes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from builder import ModelBuilder, Quant, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    model = ModelBuilder("shape_tensor")
    x = model.input([2, 3, 4], Q)
    shape = model.constant([4, -1], dtype="int32")
    options = schema.ReshapeOptionsT(newShape=[4, -1])
    model.op("RESHAPE", [x, shape], [model.output([4, 6], Q)], options)
    yield model

    model = ModelBuilder("shape_option")
    x = model.input([2, 3, 4], Q)
    model.op("RESHAPE", [x], [model.output([24], Q)], schema.ReshapeOptionsT(newShape=[24]))
    yield model

    model = ModelBuilder("between_operators")
    x = model.input([1, 2, 3, 4], Q)
    relu, flat = model.tensor([1, 2, 3, 4], Q), model.tensor([1, 24], Q)
    model.op("RELU", [x], [relu])
    model.op("RESHAPE", [relu, model.constant([1, 24], dtype="int32")], [flat])
    model.op("ADD", [flat, flat], [model.output([1, 24], Quant(0.2, -9))], schema.AddOptionsT())
    yield model

    model = ModelBuilder("source_lives_on")
    x = model.input([2, 6], Q)
    relu, row = model.tensor([2, 6], Q), model.output([12], Q)
    model.op("RELU", [x], [relu])
    model.op("RESHAPE", [relu, model.constant([12], dtype="int32")], [row])
    model.op("ADD", [relu, x], [model.output([2, 6], Quant(0.2, -9))], schema.AddOptionsT())
    yield model

    model = ModelBuilder("twice")
    x = model.input([2, 6], Q)
    middle = model.tensor([12], Q)
    model.op("RESHAPE", [x, model.constant([12], dtype="int32")], [middle])
    model.op("RESHAPE", [middle, model.constant([3, 4], dtype="int32")], [model.output([3, 4], Q)])
    yield model

    model = ModelBuilder("to_scalar")
    x = model.input([1, 1], Q)
    relu = model.tensor([1, 1], Q)
    model.op("RELU", [x], [relu])
    model.op("RESHAPE", [relu, model.constant([], dtype="int32")], [model.output([], Q)])
    yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    rest, out = math.prod(x.shape), []
    for _ in range(rng.integers(0, 4)):
        out.append(int(rng.choice([n for n in range(1, rest + 1) if rest % n == 0])))
        rest //= out[-1]
    out.append(rest)
    options = schema.ReshapeOptionsT(newShape=out)
    return g.emit("RESHAPE", [x.index, g.ints(out)], out, x.quant, options)
