"""SPLIT_V: unequal parts along any axis."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield split("channels", [1, 3, 4, 7], 3, [2, 4, 1])
    yield split("height", [1, 6, 4, 3], 1, [5, 1])
    yield split("outermost", [4, 5], 0, [1, 3])
    yield split("last_by_minus_one", [3, 8], -1, [3, 5])


def split(name: str, shape: Shape, axis: int, sizes: list[int]) -> ModelBuilder:
    """Return a model of one split."""
    model = ModelBuilder(name)
    inputs = [model.input(shape, Q)]
    inputs += [model.constant(sizes, dtype="int32"), model.constant(axis, dtype="int32")]
    outputs = []
    for size in sizes:
        out = list(shape)
        out[axis] = size
        outputs.append(model.output(out, Q))
    model.op("SPLIT_V", inputs, outputs, schema.SplitVOptionsT(numSplits=len(sizes)))
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    axes = [axis for axis, size in enumerate(x.shape) if size > 1]
    if not axes:
        return False
    axis = int(rng.choice(axes))
    first = int(rng.integers(1, x.shape[axis]))
    sizes = [first, x.shape[axis] - first]
    outputs = [([*x.shape[:axis], size, *x.shape[axis + 1 :]], x.quant) for size in sizes]
    inputs = [x.index, g.ints(sizes), g.ints(axis)]
    return g.emit_all("SPLIT_V", inputs, outputs, schema.SplitVOptionsT(numSplits=2))
