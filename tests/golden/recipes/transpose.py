"""TRANSPOSE: ranks 2 to 5, axes that move together and axes that do not."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    for name, shape, order in (
        ("matrix", [4, 7], [1, 0]),
        ("rank_3", [2, 3, 5], [2, 0, 1]),
        ("nhwc_to_nchw", [1, 4, 5, 3], [0, 3, 1, 2]),
        ("nchw_to_nhwc", [1, 3, 4, 5], [0, 2, 3, 1]),
        ("inner_stays", [3, 4, 2, 5], [1, 0, 2, 3]),
        ("rank_5", [2, 3, 4, 2, 3], [4, 2, 0, 3, 1]),
        ("identity", [2, 3, 4], [0, 1, 2]),
        ("units_only", [1, 6, 1], [2, 1, 0]),
    ):
        model = ModelBuilder(name)
        y = model.output([shape[axis] for axis in order], Q)
        inputs = [model.input(shape, Q), model.constant(order, dtype="int32")]
        model.op("TRANSPOSE", inputs, [y], schema.TransposeOptionsT())
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    order = [int(axis) for axis in g.model.rng.permutation(len(x.shape))]
    if not order:
        return False
    out = [x.shape[axis] for axis in order]
    inputs = [x.index, g.ints(order)]
    return g.emit("TRANSPOSE", inputs, out, x.quant, schema.TransposeOptionsT())
