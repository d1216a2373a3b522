"""RESIZE_NEAREST_NEIGHBOR: int8 or float32 [N, H, W, C] -> [N, H', W', C] by nearest pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.call import Call, Const, Ref, Struct
from tinyml.compiler.ops._resize import check_resize
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take images of one dtype and any sizes; the options say where pixels have their centres."""
    check_resize(op, graph, "int8", "int16", "float32")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_resize_nearest_neighbor, with a table of rows and one of columns."""
    source, target = graph.input(op, 0), graph.output(op)
    batches, height, width, depth = target.shape
    params = Struct(
        "tml_resize_nearest_neighbor_t",
        {
            "batches": batches,
            "input_height": source.shape[1],
            "input_width": source.shape[2],
            "output_height": height,
            "output_width": width,
            "pixel_bytes": depth * DTYPES[source.dtype].bytes,
        },
    )
    rows, columns = (_nearest(op, source.shape[axis], target.shape[axis]) for axis in (1, 2))
    return Call(
        "tml_resize_nearest_neighbor",
        (
            Ref(source.index),
            Const(rows, "rows", learned=False),
            Const(columns, "columns", learned=False),
            Ref(target.index),
            params,
        ),
    )


def _nearest(op: Op, have: int, want: int) -> NDArray[np.int32]:
    """Which of `have` pixels each of `want` is, in float32 as GetNearestNeighbor."""
    corners, half = op.option("align_corners", False), op.option("half_pixel_centers", False)
    inner = corners and want > 1
    scale = np.float32(have - 1 if inner else have) / np.float32(want - 1 if inner else want)
    at = (np.arange(want, dtype=np.float32) + np.float32(0.5 if half else 0)) * scale
    nearest = np.floor(at + np.float32(0.5)) if corners else np.floor(at)
    return np.asarray(np.clip(nearest, 0, have - 1), np.int32)
