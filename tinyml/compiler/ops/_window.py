"""Where the windows of convolutions and pools lie: TFLite's padding rule, checked on shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.ops import unsupported
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

_SAME, _VALID = 0, 1
_LARGEST = 32767


@dataclass(frozen=True)
class Window:
    """Geometry of an operator on [batches, height, width, depth]; sizes in elements.

    `pad_top` and `pad_left` count the rows and columns of padding before the input.
    """

    batches: int
    input_height: int
    input_width: int
    output_height: int
    output_width: int
    filter_height: int
    filter_width: int
    stride_height: int
    stride_width: int
    dilation_height: int
    dilation_width: int
    pad_top: int
    pad_left: int

    @property
    def is_pointwise(self) -> bool:
        """True where each output pixel reads exactly the input pixel at the same place."""
        sizes = (self.filter_height, self.filter_width, self.stride_height, self.stride_width)
        return sizes == (1, 1, 1, 1)

    def turned(self) -> Window:
        """The same with height and width exchanged."""
        return replace(
            self,
            input_height=self.input_width,
            input_width=self.input_height,
            output_height=self.output_width,
            output_width=self.output_height,
            filter_height=self.filter_width,
            filter_width=self.filter_height,
            stride_height=self.stride_width,
            stride_width=self.stride_height,
            dilation_height=self.dilation_width,
            dilation_width=self.dilation_height,
            pad_top=self.pad_left,
            pad_left=self.pad_top,
        )

    @property
    def fields(self) -> dict[str, int]:
        """The members that every windowed kernel's parameter struct has, by name."""
        return dict(vars(self))


def window(op: Op, graph: Graph, filter_height: int, filter_width: int) -> Window:
    """Return the geometry of `op` with a filter of this size.

    Raises ModelError where the shapes, strides or padding do not fit together as TFLite demands.
    """
    source, target = graph.input(op, 0), graph.output(op)
    if len(source.shape) != 4 or len(target.shape) != 4 or source.shape[0] != target.shape[0]:
        raise ModelError(f"operator {op} needs [N, H, W, C], got {source} and {target}")
    padding = op.option("padding")
    if padding not in (_SAME, _VALID):
        raise ModelError(f"operator {op} has the unknown padding {padding}")
    pads = []
    for axis, size, letter in ((1, filter_height, "h"), (2, filter_width, "w")):
        stride = op.option(f"stride_{letter}")
        dilation = op.option(f"dilation_{letter}_factor", 1)
        if stride < 1 or dilation < 1 or size < 1:
            raise ModelError(f"operator {op}: filter {size}, stride {stride}, dilation {dilation}")
        reach = (size - 1) * dilation + 1
        have, want = source.shape[axis], target.shape[axis]
        expected = (have + stride - 1 if padding == _SAME else have + stride - reach) // stride
        if want != expected or want < 1:
            raise ModelError(
                f"operator {op} turns {source} into {expected} along axis {axis}, not into {target}"
            )
        pads.append((max((want - 1) * stride + reach - have, 0) // 2, stride, dilation))
    if source.elements == 0:
        raise unsupported(op, source, "an empty tensor")
    (pad_top, stride_height, dilation_height), (pad_left, stride_width, dilation_width) = pads
    geometry = Window(
        batches=source.shape[0],
        input_height=source.shape[1],
        input_width=source.shape[2],
        output_height=target.shape[1],
        output_width=target.shape[2],
        filter_height=filter_height,
        filter_width=filter_width,
        stride_height=stride_height,
        stride_width=stride_width,
        dilation_height=dilation_height,
        dilation_width=dilation_width,
        pad_top=pad_top,
        pad_left=pad_left,
    )
    if max(geometry.fields.values()) > _LARGEST:
        raise unsupported(op, source, f"a size beyond {_LARGEST}")
    return geometry


def overlap_distance(
    geometry: Window, input_depth: int, output_depth: int, block: int, late: bool
) -> int:
    """Bytes that the output must start before the input, to be allowed to overlap it.

    For int8 kernels that write output pixels in order, in blocks of `block`: with `late` a block
    may be written while its own inputs are still needed, else only once they have been read.
    """
    rows = np.arange(geometry.output_height) * geometry.stride_height - geometry.pad_top
    columns = np.arange(geometry.output_width) * geometry.stride_width - geometry.pad_left
    images = np.arange(geometry.batches) * geometry.input_height
    tops = images[:, None] + _first_inside(rows, geometry.dilation_height)
    lefts = _first_inside(columns, geometry.dilation_width)
    reads = (tops.reshape(-1, 1) * geometry.input_width + lefts).reshape(-1) * input_depth
    still_needed = np.minimum.accumulate(reads[::-1])[::-1][::block]
    written = (np.arange(len(still_needed)) + late) * block * output_depth
    return int((written - still_needed).max())


def _first_inside(origins: NDArray[Any], dilation: int) -> NDArray[Any]:
    """The first position, 0 or more, that a filter's taps from each origin on reach."""
    return np.where(origins < 0, origins % dilation, origins)
