"""The models that RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from builder import ModelBuilder, Quant
from grower import Grower, Live

Q = Quant(0.1, 3)


@dataclass(frozen=True)
class Resize:
    """An operator by its enum name and its options class.

    Larger and smaller, where pixels have their centres, batches.
    """

    op: str
    options: Callable[..., Any]

    def models(self) -> Iterator[ModelBuilder]:
        """Yield the models of this operator."""
        for kind, options in (
            ("plain", {}),
            ("corners", {"alignCorners": True}),
            ("centres", {"halfPixelCenters": True}),
        ):
            yield self.resize(f"{kind}_doubled", [1, 3, 4, 2], [6, 8], **options)
            yield self.resize(f"{kind}_uneven", [1, 4, 5, 3], [7, 9], **options)
            yield self.resize(f"{kind}_smaller", [2, 7, 6, 1], [3, 4], **options)
            yield self.resize(f"{kind}_to_one", [1, 5, 5, 2], [1, 1], **options)

    def resize(self, name: str, shape: list[int], size: list[int], **options: bool) -> ModelBuilder:
        """Return a model of one resize to the height and width `size`."""
        model = ModelBuilder(name)
        inputs = [model.input(shape, Q), model.constant(size, dtype="int32")]
        y = model.output([shape[0], *size, shape[3]], Q)
        model.op(self.op, inputs, [y], self.options(**options))
        return model

    def grow(self, g: Grower, x: Live) -> bool:
        """Add one to a random graph."""
        rng = g.model.rng
        if len(x.shape) != 4:
            return False
        size = [int(n) for n in rng.integers(1, 10, 2)]
        kind = int(rng.integers(3))
        options = self.options(alignCorners=kind == 1, halfPixelCenters=kind == 2)
        out = [x.shape[0], *size, x.shape[3]]
        return g.emit(self.op, [x.index, g.ints(size)], out, x.quant, options)
