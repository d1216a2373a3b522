"""The models that AVERAGE_POOL_2D and MAX_POOL_2D share: windows, strides, paddings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from builder import ACTIVATION, SAME, VALID, ModelBuilder, Quant, Shape, schema
from grower import Grower, Live
from recipes.conv_2d import random_window, window


@dataclass(frozen=True)
class Pool:
    """A pooling operator by its enum name."""

    op: str

    def models(self) -> Iterator[ModelBuilder]:
        """Yield the models of this operator."""
        yield self.pool("valid_2x2", [1, 6, 5, 3], [2, 2], VALID, [2, 2])
        yield self.pool("same_2x2", [1, 5, 7, 3], [2, 2], SAME, [2, 2])
        yield self.pool("same_3x3_stride_1", [1, 4, 5, 2], [3, 3], SAME, [1, 1])
        yield self.pool("window_3x1_stride_1_2", [1, 6, 5, 2], [3, 1], VALID, [1, 2])
        yield self.pool("whole_input", [1, 7, 5, 6], [7, 5], VALID, [1, 1])
        yield self.pool("window_larger_than_input", [1, 3, 2, 4], [5, 5], SAME, [1, 1])
        yield self.pool("batch_2", [2, 4, 4, 3], [2, 2], VALID, [2, 2])
        yield self.pool("words_2x2", [2, 5, 6, 8], [2, 2], VALID, [2, 2])
        yield self.pool("words_same_3x2", [1, 5, 7, 4], [3, 2], SAME, [1, 2])
        yield self.pool("words_whole_input", [1, 16, 15, 4], [16, 15], VALID, [1, 1])
        yield self.pool("words_17x16", [1, 17, 16, 4], [17, 16], VALID, [1, 1])
        yield self.pool("relu", [1, 4, 4, 3], [2, 2], VALID, [1, 1], ACTIVATION.RELU)
        yield self.pool("relu6", [1, 4, 4, 3], [2, 2], VALID, [1, 1], ACTIVATION.RELU6)

    def pool(
        self,
        name: str,
        shape: Shape,
        size: Shape,
        padding: int,
        strides: Shape,
        activation: int = ACTIVATION.NONE,
    ) -> ModelBuilder:
        """Return a model of one pooling; input and output share their quantization."""
        model = ModelBuilder(name)
        quant = Quant(0.07, 11)
        out = [shape[0], *window(shape[1:3], size, padding, strides), shape[3]]
        model.op(
            self.op,
            [model.input(shape, quant)],
            [model.output(out, quant)],
            schema.Pool2DOptionsT(
                padding=padding,
                strideH=strides[0],
                strideW=strides[1],
                filterHeight=size[0],
                filterWidth=size[1],
                fusedActivationFunction=activation,
            ),
        )
        return model

    def grow(self, g: Grower, x: Live) -> bool:
        """Add one to a random graph."""
        geometry = random_window(g, x, dilated=False)
        if geometry is None:
            return False
        kernel, size, options = geometry
        made = schema.Pool2DOptionsT(filterHeight=kernel[0], filterWidth=kernel[1], **options)
        return g.emit(self.op, [x.index], [x.shape[0], *size, x.shape[3]], x.quant, made)
