"""SPACE_TO_DEPTH: blocks of 2 and 3, a batch."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    for shape, block, out in (([1, 4, 6, 3], 2, [1, 2, 3, 12]), ([2, 3, 3, 1], 3, [2, 1, 1, 9])):
        model = ModelBuilder(f"block_{block}")
        options = schema.SpaceToDepthOptionsT(blockSize=block)
        model.op("SPACE_TO_DEPTH", [model.input(shape, Q)], [model.output(out, Q)], options)
        yield model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    if len(x.shape) != 4:
        return False
    n, h, w, c = x.shape
    block = int(g.model.rng.integers(2, 4))
    if h % block or w % block:
        return False
    out = [n, h // block, w // block, c * block**2]
    options = schema.SpaceToDepthOptionsT(blockSize=block)
    return g.emit("SPACE_TO_DEPTH", [x.index], out, x.quant, options)
