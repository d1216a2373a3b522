"""`tml_channel_t`: multiplier, shift and bias of an output channel in 8 bytes; see tml_kernel.h."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.linear import folded_bias, reach
from tinyml.compiler.quant import channel_multipliers
from tinyml.tflite import Graph, Op

_BIAS_LIMIT = 1 << 26
_REACH_LIMIT = 1 << 30


def fits_channel_table(
    op: Op, graph: Graph, weights: NDArray[Any], bias: NDArray[np.int32] | None = None
) -> bool:
    """True where every channel shifts right by 1..31 and its bias and sums are small enough.

    `weights` is [channels, ...]; `bias` is the folded one unless given.
    """
    if bias is None:
        bias = folded_bias(op, graph, weights)
    multipliers, shifts = channel_multipliers(op, graph, len(weights))
    right = all(m == 0 or s <= -1 for m, s in zip(multipliers, shifts, strict=True))
    small = int(np.abs(bias.astype(np.int64)).max(initial=0)) < _BIAS_LIMIT
    return right and small and int(reach(weights, bias).max(initial=0)) < _REACH_LIMIT


def channel_table(
    op: Op, graph: Graph, weights: NDArray[Any], bias: NDArray[np.int32] | None = None
) -> NDArray[np.int32]:
    """The `tml_channel_t` of each channel as [channels, 2] int32."""
    if bias is None:
        bias = folded_bias(op, graph, weights)
    multipliers, shifts = channel_multipliers(op, graph, len(weights))
    # A multiplier of 0 gives 0 with any shift.
    lower = [0 if m == 0 else -s - 1 for m, s in zip(multipliers, shifts, strict=True)]
    packed = bias.astype(np.int64) * 32 + np.array(lower)
    return np.stack([np.array(multipliers, np.int32), packed.astype(np.int32)], axis=1)
