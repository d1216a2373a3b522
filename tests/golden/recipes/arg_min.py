"""ARG_MIN: axes, equal values."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, Shape, schema

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    yield arg("classes", [1, 12], 1, [1])
    yield arg("last_by_minus_one", [2, 3, 5], -1, [2, 3])
    yield arg("inner_axis", [2, 5, 3], 1, [2, 3])
    yield arg("outermost", [6, 4], 0, [4])
    yield arg("rank_1", [9], 0, [])


def arg(name: str, shape: Shape, axis: int, out: Shape) -> ModelBuilder:
    """Return a model of one ARG_MIN."""
    model = ModelBuilder(name)
    inputs = [model.input(shape, Q), model.constant(axis, dtype="int32")]
    options = schema.ArgMinOptionsT(outputType=schema.TensorType.INT32)
    model.op("ARG_MIN", inputs, [model.output(out, None, "int32")], options)
    return model
