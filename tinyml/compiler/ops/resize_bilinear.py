"""RESIZE_BILINEAR: int8 [N, H, W, C] -> [N, H', W', C], by linear interpolation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.call import Call, Const, Ref, Struct
from tinyml.compiler.ops import unsupported
from tinyml.compiler.ops._resize import check_resize
from tinyml.tflite import Graph, Op

_ONE = 1 << 10  # of a position in fixed point


def check(op: Op, graph: Graph) -> None:
    """Take images of any sizes; the options say where pixels have their centres."""
    check_resize(op, graph, "int8")
    source, target = graph.input(op, 0), graph.output(op)
    for axis in (1, 2):
        if (_lines(op, source.shape[axis], target.shape[axis])[:, 0] >= source.shape[axis]).any():
            raise unsupported(op, source, f"axis {axis} of so many pixels that positions overshoot")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_resize_bilinear_s8, with a table of rows and one of columns."""
    source, target = graph.input(op, 0), graph.output(op)
    batches, height, width, depth = target.shape
    params = Struct(
        "tml_resize_bilinear_t",
        {
            "batches": batches,
            "input_height": source.shape[1],
            "input_width": source.shape[2],
            "output_height": height,
            "output_width": width,
            "depth": depth,
        },
    )
    rows, columns = (_lines(op, source.shape[axis], target.shape[axis]) for axis in (1, 2))
    return Call(
        "tml_resize_bilinear_s8",
        (
            Ref(source.index),
            Const(rows, "rows", "tml_resize_line_t", learned=False),
            Const(columns, "columns", "tml_resize_line_t", learned=False),
            Ref(target.index),
            params,
        ),
    )


def _lines(op: Op, have: int, want: int) -> NDArray[np.int32]:
    """The `tml_resize_line_t` of each of `want` pixels of `have`, as ResizeBilinearInteger."""
    corners, half = op.option("align_corners", False), op.option("half_pixel_centers", False)
    inner = 1 if corners and want > 1 else 0
    scale = (_ONE * (have - inner) + (want - inner) // 2) // (want - inner)
    at = np.arange(want, dtype=np.int64) * scale + (scale // 2 - _ONE // 2 if half else 0)
    # C divides towards zero, but what is below zero becomes zero anyway.
    lower = np.maximum(at // _ONE, 0)
    upper = np.clip((at + _ONE - 1) // _ONE, 0, have - 1)
    return np.stack([lower, upper, at - _ONE * lower], axis=1).astype(np.int32)
