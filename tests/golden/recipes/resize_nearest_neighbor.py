"""RESIZE_NEAREST_NEIGHBOR: larger and smaller, where pixels have their centres, batches."""

from __future__ import annotations

from collections.abc import Iterator

from builder import ModelBuilder, Quant, schema
from grower import Grower, Live

Q = Quant(0.1, 3)


def models() -> Iterator[ModelBuilder]:
    for kind, options in (
        ("plain", {}),
        ("corners", {"alignCorners": True}),
        ("centres", {"halfPixelCenters": True}),
    ):
        yield resize(f"{kind}_doubled", [1, 3, 4, 2], [6, 8], **options)
        yield resize(f"{kind}_uneven", [1, 4, 5, 3], [7, 9], **options)
        yield resize(f"{kind}_smaller", [2, 7, 6, 1], [3, 4], **options)
        yield resize(f"{kind}_to_one", [1, 5, 5, 2], [1, 1], **options)


def resize(name: str, shape: list[int], size: list[int], **options: bool) -> ModelBuilder:
    """Return a model of one resize to the height and width `size`."""
    model = ModelBuilder(name)
    inputs = [model.input(shape, Q), model.constant(size, dtype="int32")]
    y = model.output([shape[0], *size, shape[3]], Q)
    model.op(
        "RESIZE_NEAREST_NEIGHBOR", inputs, [y], schema.ResizeNearestNeighborOptionsT(**options)
    )
    return model


def grow(g: Grower, x: Live) -> bool:
    """Add one to a random graph."""
    rng = g.model.rng
    if len(x.shape) != 4:
        return False
    size = [int(n) for n in rng.integers(1, 10, 2)]
    kind = int(rng.integers(3))
    options = schema.ResizeNearestNeighborOptionsT(
        alignCorners=kind == 1, halfPixelCenters=kind == 2
    )
    out = [x.shape[0], *size, x.shape[3]]
    return g.emit("RESIZE_NEAREST_NEIGHBOR", [x.index, g.ints(size)], out, x.quant, options)
