"""Loops over two operands with strides of their own: broadcasts and rearrangements.

The C twin is `ops/tml_walk.h`. Axes are merged here, so that the C code sees as few as possible.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml.compiler.call import Const, Struct

MAX_RANK = 6


def row_major(shape: Sequence[int], step: int = 1) -> list[int]:
    """The stride of each axis of a dense array whose elements are `step` apart."""
    strides = []
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return strides[::-1]


def broadcast_strides(shape: Sequence[int], out: Sequence[int]) -> list[int]:
    """The strides with which an operand of `shape` is walked along `out`: 0 where it repeats."""
    padded = [1] * (len(out) - len(shape)) + list(shape)
    return [
        0 if extent == 1 else stride
        for extent, stride in zip(padded, row_major(padded), strict=True)
    ]


def walk(extents: Sequence[int], strides1: Sequence[int], strides2: Sequence[int]) -> Struct:
    """The `tml_walk_t` over `extents`, outermost first, with both operands' strides per axis.

    Axes of one element vanish; an axis merges with the next inner one where it continues it for
    both operands.
    """
    axes: list[tuple[int, int, int]] = []
    for extent, first, second in zip(extents, strides1, strides2, strict=True):
        if extent == 1:
            continue
        if axes and axes[-1][1:] == (first * extent, second * extent):
            axes[-1] = (axes[-1][0] * extent, first, second)
        else:
            axes.append((extent, first, second))
    axes = axes or [(1, 1, 1)]
    columns = np.array(axes, np.int32).T
    return Struct(
        "tml_walk_t",
        {
            "rank": len(axes),
            "extents": Const(columns[0].copy(), "extents", learned=False),
            "strides1": Const(columns[1].copy(), "strides", learned=False),
            "strides2": Const(columns[2].copy(), "strides", learned=False),
        },
    )


def byte_walk(
    extents: Sequence[int], source: Sequence[int], target: Sequence[int], item_bytes: int
) -> Struct:
    """The walk that moves elements of `item_bytes`; strides are given in elements."""
    return walk(
        [*extents, item_bytes],
        [*(stride * item_bytes for stride in source), 1],
        [*(stride * item_bytes for stride in target), 1],
    )
