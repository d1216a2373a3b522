"""GATHER: axes, repeated and shaped indices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield gather("rows", [5, 4], [0, 3, 3], 0)
    yield gather("columns", [2, 5], [4, 0], 1)
    yield gather("matrix_of_indices", [2, 5, 3], [[1, 4], [0, 0]], 1)
    yield gather("scalar_index", [4, 3], 2, 0)
    yield gather("last_by_minus_one", [2, 3, 4], [3, 1], -1)


def gather(name: str, shape: Shape, indices: object, axis: int) -> ModelBuilder:
    """Return a model of one GATHER with constant indices."""
    model = ModelBuilder(name)
    taken = np.asarray(indices)
    at = axis % len(shape)
    out = [*shape[:at], *taken.shape, *shape[at + 1 :]]
    inputs = [model.input(shape, Q), model.constant(taken, dtype="int32")]
    model.op("GATHER", inputs, [model.output(out, Q)], schema.GatherOptionsT(axis=axis))
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if not x.shape:
        return False
    axis = int(rng.integers(len(x.shape)))
    indices = rng.integers(x.shape[axis], size=rng.integers(1, 5))
    out = [*x.shape[:axis], len(indices), *x.shape[axis + 1 :]]
    inputs = [x.index, g.ints(indices)]
    return g.emit("GATHER", inputs, out, x.quant, schema.GatherOptionsT(axis=axis))
