"""CONCATENATION: axes, counts, unequal parts, constants, one tensor twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield concatenation("channels", [[1, 3, 4, 2], [1, 3, 4, 5]], 3, [1, 3, 4, 7])
    yield concatenation("last_axis_by_minus_one", [[2, 3], [2, 1], [2, 4]], -1, [2, 8])
    yield concatenation("height", [[1, 2, 4, 2], [1, 3, 4, 2]], 1, [1, 5, 4, 2])
    yield concatenation("batch", [[1, 5], [2, 5]], 0, [3, 5])
    yield concatenation("one", [[2, 5]], 1, [2, 5])
    yield concatenation("ten", [[2, n] for n in range(1, 11)], 1, [2, 55])

    model = ModelBuilder("with_constant")
    x = model.input([2, 3], Q)
    inputs = [model.random([2, 2], Q), x, model.random([2, 1], Q)]
    _join(model, inputs, 1, [2, 6])
    yield model

    model = ModelBuilder("same_tensor_twice")
    x = model.input([2, 3], Q)
    _join(model, [x, x], 0, [4, 3])
    yield model


def concatenation(name: str, parts: Sequence[Shape], axis: int, out: Shape) -> ModelBuilder:
    """Return a model that joins one input per part."""
    model = ModelBuilder(name)
    _join(model, [model.input(shape, Q) for shape in parts], axis, out)
    return model


def _join(model: ModelBuilder, inputs: Sequence[int], axis: int, out: Shape) -> None:
    options = schema.ConcatenationOptionsT(axis=axis)
    model.op("CONCATENATION", inputs, [model.output(out, Q)], options)


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if not x.shape:
        return False
    axis = int(rng.integers(len(x.shape)))
    parts, total = [x.index], x.shape[axis]
    for _ in range(rng.integers(0, 3)):
        shape = list(x.shape)
        if rng.random() < 0.6:
            shape[axis] = int(rng.integers(1, 4))
            parts.insert(int(rng.integers(len(parts) + 1)), g.model.random(shape, x.quant))
        else:
            parts.append(x.index)
        total += shape[axis]
    out = [total if index == axis else size for index, size in enumerate(x.shape)]
    sign = int(rng.choice([axis, axis - len(out)]))
    return g.emit("CONCATENATION", parts, out, x.quant, schema.ConcatenationOptionsT(axis=sign))
