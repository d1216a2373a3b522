"""STRIDED_SLICE: steps, negative steps and indices, masks, dropped axes, out-of-range ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield cut("middle", [5, 6], [1, 2], [4, 5], [1, 1], [3, 3])
    yield cut("steps", [7, 9], [0, 1], [7, 9], [2, 3], [4, 3])
    yield cut("backwards", [6, 4], [5, 3], [0, 0], [-2, -1], [3, 3])
    yield cut("backwards_to_the_start", [6, 4], [-1, -1], [0, 0], [-1, -3], [6, 2], end_mask=3)
    yield cut("negative_indices", [6, 7], [-4, -6], [-1, -1], [1, 2], [3, 3])
    yield cut("out_of_range", [4, 5], [-9, 2], [99, 99], [1, 1], [4, 3])
    yield cut("masks", [4, 5, 3], [9, 1, 2], [9, 9, 9], [1, 2, 1], [4, 2, 1], 1, 6)
    yield cut("backwards_masked", [5, 4], [0, 0], [0, 0], [-1, -2], [5, 2], 3, 3)
    yield cut("drop_first", [4, 5], [2, 0], [3, 0], [1, 1], [5], end_mask=2, shrink=1)
    yield cut("drop_last", [4, 5], [0, -2], [0, 0], [1, 1], [4], 1, 1, shrink=2)
    yield cut("drop_all", [4, 5], [1, -1], [0, 0], [1, 1], [], shrink=3)
    yield cut("rank_4", [2, 5, 4, 3], [0, 1, 3, 0], [2, 5, 0, 3], [1, 2, -1, 2], [2, 2, 3, 2])
    yield cut("everything", [3, 4], [0, 0], [3, 4], [1, 1], [3, 4])


def cut(
    name: str,
    shape: Shape,
    begin: Sequence[int],
    end: Sequence[int],
    steps: Sequence[int],
    out: Shape,
    begin_mask: int = 0,
    end_mask: int = 0,
    shrink: int = 0,
) -> ModelBuilder:
    """Return a model of one slice."""
    model = ModelBuilder(name)
    inputs = [model.input(shape, Q)]
    inputs += [model.constant(values, dtype="int32") for values in (begin, end, steps)]
    options = schema.StridedSliceOptionsT(
        beginMask=begin_mask, endMask=end_mask, shrinkAxisMask=shrink
    )
    model.op("STRIDED_SLICE", inputs, [model.output(out, Q)], options)
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    rank = len(x.shape)
    if not 1 <= rank <= 4:
        return False
    begin, end = rng.integers(-8, 9, rank), rng.integers(-8, 9, rank)
    steps = rng.choice([1, 1, 2, 3, -1, -2], rank)
    begin_mask, end_mask, drop = (int(rng.integers(1 << rank)) for _ in range(3))
    if rng.random() < 0.6:
        drop = 0
    out = []
    for axis, size in enumerate(x.shape):
        if drop >> axis & 1:
            steps[axis], begin[axis] = 1, rng.integers(-size, size)
            continue
        first = None if begin_mask >> axis & 1 else int(begin[axis])
        last = None if end_mask >> axis & 1 else int(end[axis])
        out.append(len(range(*slice(first, last, int(steps[axis])).indices(size))))
    if 0 in out:
        return False
    options = schema.StridedSliceOptionsT(
        beginMask=begin_mask, endMask=end_mask, shrinkAxisMask=drop
    )
    inputs = [x.index, *(g.ints(values) for values in (begin, end, steps))]
    return g.emit("STRIDED_SLICE", inputs, out, x.quant, options)
