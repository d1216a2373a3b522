"""MEAN: axes, negative and repeated axes, kept dimensions, requantisation, large counts."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

SAME_QUANT = Quant(0.07, 11)


def models() -> Iterator[ModelBuilder]:
    yield mean("spatial", [1, 5, 7, 3], [1, 2], [1, 3])
    yield mean("spatial_keep", [1, 5, 7, 3], [1, 2], [1, 1, 1, 3])
    yield mean("spatial_swapped", [2, 4, 3, 3], [2, 1], [2, 3])
    yield mean("spatial_same_quant", [1, 4, 4, 6], [1, 2], [1, 6], y=SAME_QUANT)
    yield mean("height", [1, 5, 3, 2], [1], [1, 3, 2])
    yield mean("channels", [2, 3, 7], [-1], [2, 3])
    yield mean("outer_and_inner", [3, 4, 5], [0, 2], [4])
    yield mean("repeated_axis", [3, 4, 5], [1, -2], [3, 5])
    yield mean("everything", [3, 5, 4], [0, 1, 2], [])
    yield mean("everything_keep", [3, 5, 4], [0, 1, 2], [1, 1, 1])
    yield mean("one_element", [3, 1, 4], [1], [3, 4])
    yield mean("rank_1", [40], [0], [1])
    yield mean("rank_5", [2, 3, 2, 3, 2], [1, 3], [2, 2, 2])
    yield mean("count_1025", [1, 1025, 2], [1], [1, 2])
    yield mean("zooms_in", [1, 5, 7, 3], [1, 2], [1, 3], y=Quant(0.003, -40))
    yield mean("scalar_axis", [4, 6], 1, [4])


def mean(
    name: str, shape: Shape, axes: Shape | int, out: Shape, y: Quant | None = None
) -> ModelBuilder:
    """Return a model of one mean."""
    model = ModelBuilder(name)
    keep = len(out) == len(shape)
    model.op(
        "MEAN",
        [model.input(shape, SAME_QUANT), model.constant(axes, dtype="int32")],
        [model.output(out, y or Quant(0.02, -5))],
        schema.ReducerOptionsT(keepDims=keep),
    )
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if not x.shape:
        return False
    axes = [axis for axis in range(len(x.shape)) if rng.random() < 0.5] or [0]
    keep = bool(rng.random() < 0.5)
    out = [
        1 if axis in axes else size for axis, size in enumerate(x.shape) if keep or axis not in axes
    ]
    options = schema.ReducerOptionsT(keepDims=keep)
    signed = [axis - len(x.shape) if rng.random() < 0.3 else axis for axis in axes]
    return g.emit("MEAN", [x.index, g.ints(signed)], out, g.near(x.quant.scale), options)
