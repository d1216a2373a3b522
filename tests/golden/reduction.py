"""The models that MEAN, SUM, REDUCE_MAX and REDUCE_MIN share: axes, kept dimensions, ranks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from builder import ModelBuilder, Quant, Shape, schema
from grower import Grower, Live

X = Quant(0.07, 11)


@dataclass(frozen=True)
class Reduction:
    """An operator over constant axes by its enum name; `rescales`: to another quantization."""

    op: str
    rescales: bool

    def models(self) -> Iterator[ModelBuilder]:
        """Yield the models of this operator."""
        yield self.reduced("spatial", [1, 5, 7, 3], [1, 2], [1, 3])
        yield self.reduced("spatial_keep", [1, 5, 7, 3], [1, 2], [1, 1, 1, 3])
        yield self.reduced("spatial_swapped", [2, 4, 3, 3], [2, 1], [2, 3])
        yield self.reduced("spatial_same_quant", [1, 4, 4, 6], [1, 2], [1, 6], X)
        yield self.reduced("height", [1, 5, 3, 2], [1], [1, 3, 2])
        yield self.reduced("channels", [2, 3, 7], [-1], [2, 3])
        yield self.reduced("outer_and_inner", [3, 4, 5], [0, 2], [4])
        yield self.reduced("repeated_axis", [3, 4, 5], [1, -2], [3, 5])
        yield self.reduced("everything", [3, 5, 4], [0, 1, 2], [])
        yield self.reduced("everything_keep", [3, 5, 4], [0, 1, 2], [1, 1, 1])
        yield self.reduced("one_element", [3, 1, 4], [1], [3, 4])
        yield self.reduced("rank_1", [40], [0], [1])
        yield self.reduced("rank_5", [2, 3, 2, 3, 2], [1, 3], [2, 2, 2])
        yield self.reduced("count_1025", [1, 1025, 2], [1], [1, 2])
        yield self.reduced("scalar_axis", [4, 6], 1, [4])
        if self.rescales:
            yield self.reduced("zooms_in", [1, 5, 7, 3], [1, 2], [1, 3], Quant(0.003, -40))

    def reduced(
        self, name: str, shape: Shape, axes: Shape | int, out: Shape, y: Quant | None = None
    ) -> ModelBuilder:
        """Return a model of one reduction."""
        model = ModelBuilder(name)
        keep = len(out) == len(shape)
        y = (y or Quant(0.02, -5)) if self.rescales else X
        model.op(
            self.op,
            [model.input(shape, X), model.constant(axes, dtype="int32")],
            [model.output(out, y)],
            schema.ReducerOptionsT(keepDims=keep),
        )
        return model

    def grow(self, g: Grower, x: Live) -> bool:
        """Add one to a random graph."""
        rng = g.model.rng
        if not x.shape:
            return False
        axes = [axis for axis in range(len(x.shape)) if rng.random() < 0.5] or [0]
        keep = bool(rng.random() < 0.5)
        out = [
            1 if axis in axes else size
            for axis, size in enumerate(x.shape)
            if keep or axis not in axes
        ]
        options = schema.ReducerOptionsT(keepDims=keep)
        signed = [axis - len(x.shape) if rng.random() < 0.3 else axis for axis in axes]
        quant = g.near(x.quant.scale) if self.rescales else x.quant
        return g.emit(self.op, [x.index, g.ints(signed)], out, quant, options)
