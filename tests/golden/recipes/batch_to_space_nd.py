"""BATCH_TO_SPACE_ND: crops, blocks that are not square, several images, one dimension."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield joined("plain", [4, 2, 3, 2], [2, 2], [[0, 0], [0, 0]])
    yield joined("cropped", [4, 3, 4, 3], [2, 2], [[1, 1], [0, 3]])
    yield joined("not_square", [12, 1, 3, 1], [3, 2], [[0, 1], [1, 0]])
    yield joined("one_dimension", [4, 2, 4], [4], [[1, 0]])


def joined(name: str, shape: Shape, block: list[int], crops: list[list[int]]) -> ModelBuilder:
    """Return a model of one."""
    model = ModelBuilder(name)
    inputs = [model.input(shape, Q), *(model.constant(v, dtype="int32") for v in (block, crops))]
    y = model.output(large(shape, block, crops), Q)
    model.op("BATCH_TO_SPACE_ND", inputs, [y], schema.BatchToSpaceNDOptionsT())
    return model


def large(shape: Shape, block: list[int], crops: list[list[int]]) -> list[int]:
    """Return the shape of the large images."""
    sides = [size * side - before - after for size, side, (before, after)
             in zip(shape[1:-1], block, crops, strict=True)]  # fmt: skip
    batch = int(shape[0])
    for side in block:
        batch //= side
    return [batch, *sides, int(shape[-1])]


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if len(x.shape) != 4:
        return False
    block = [1, 1]
    for axis in (0, 1):
        sides = [side for side in (1, 2, 3) if x.shape[0] % (block[0] * block[1] * side) == 0]
        block[axis] = int(rng.choice(sides))
    crops = []
    for size, side in zip(x.shape[1:3], block, strict=True):
        before = int(rng.integers(0, min(2, size * side)))
        crops.append([before, int(rng.integers(0, min(2, size * side - before)))])
    inputs = [x.index, g.ints(block), g.ints(crops)]
    out = large(x.shape, block, crops)
    return g.emit("BATCH_TO_SPACE_ND", inputs, out, x.quant, schema.BatchToSpaceNDOptionsT())
