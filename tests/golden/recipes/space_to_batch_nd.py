"""SPACE_TO_BATCH_ND: blocks that are not square, several images, one dimension; no border."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield parted("plain", [1, 4, 6, 2], [2, 2])
    yield parted("not_square", [2, 3, 4, 1], [3, 2])
    yield parted("one_dimension", [1, 8, 4], [4])


def parted(name: str, shape: Shape, block: list[int]) -> ModelBuilder:
    """Return a model of one."""
    model = ModelBuilder(name)
    paddings = [[0, 0]] * len(block)
    inputs = [model.input(shape, Q), *(model.constant(v, dtype="int32") for v in (block, paddings))]
    y = model.output(small(shape, block), Q)
    model.op("SPACE_TO_BATCH_ND", inputs, [y], schema.SpaceToBatchNDOptionsT())
    return model


def small(shape: Shape, block: list[int]) -> list[int]:
    """Return the shape of the small images."""
    sides = [int(size) // side for size, side in zip(shape[1:-1], block, strict=True)]
    batch = int(shape[0])
    for side in block:
        batch *= side
    return [batch, *sides, int(shape[-1])]


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    if len(x.shape) != 4:
        return False
    block = [int(g.model.rng.choice([side for side in (1, 2, 3) if size % side == 0]))
             for size in x.shape[1:3]]  # fmt: skip
    inputs = [x.index, g.ints(block), g.ints([[0, 0], [0, 0]])]
    options = schema.SpaceToBatchNDOptionsT()
    return g.emit("SPACE_TO_BATCH_ND", inputs, small(x.shape, block), x.quant, options)
