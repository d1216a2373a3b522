"""Quads: four output channels in two pairs that share halfwords, radix 256; see conv_2d.h.

A halfword `256 * p + q` multiplies an input by both weights at once: the sum S of such products is
`256 * P + Q` modulo 2**32, and with the sum Q of the lower halves alone `S - Q` is `256 * P`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.channels import Channels
from tinyml.compiler.proof import LinearRequantization

Array = NDArray[Any]
QUAD = 4
LEFT = 8  # the radix as a shift: what S - Q carries for free
RIGHT = 10  # TML_CONV_2D_LINEAR_RIGHT


def fit(prepared: Channels) -> bool:
    """Whether the channels can be packed: four or more, no clamp, every halfword in range."""
    if prepared.clamped or len(prepared.weights) < QUAD:
        return False
    flat = prepared.weights.reshape(len(prepared.weights), -1)
    return fit_halfwords(flat[order(len(flat))])


def why_not(prepared: Channels) -> str:
    """Why channels that do not fit into quads do not, in words."""
    if prepared.clamped:
        return "the activation's clamp is narrower than int8"
    if len(prepared.weights) < QUAD:
        return "too few for a quad"
    return "256 times their weights or sums leaves the registers"


def fit_halfwords(flat: Array) -> bool:
    """Whether 256 * p + q fits into int16 for the pairs of rows of `flat` [channels, taps]."""
    wide = flat.astype(np.int64)
    return bool((256 * wide[0::2] + wide[1::2]).min(initial=0) >= -(1 << 15))


def fit_exact(prepared: Channels) -> bool:
    """Whether 256 times every sum fits into int32, which the exact requantization needs."""
    reach = np.maximum(np.abs(prepared.lowest), np.abs(prepared.highest))
    return bool(reach.max() < 1 << (31 - LEFT))


def order(channels: int) -> Array:
    """The channels of all quads in turn; where 4 does not divide them, the first two overlap."""
    first = [0] if channels % QUAD else []
    starts = [*first, *range(channels % QUAD, channels, QUAD)]
    return np.asarray([start + i for start in starts for i in range(QUAD)])


def packed(flat: Array) -> Array:
    """Weights [channels, taps] in quads as `halfwords` packs them."""
    return halfwords(flat[order(len(flat))], QUAD)


def halfwords(flat: Array, together: int) -> Array:
    """Weights [channels, taps] as the kernels read them, as int8: taps are a multiple of 4.

    For each `together` channels and four taps, the even taps of each pair of channels, or the odd
    ones: quads have all even ones first, eights the odd ones of a pair after its even ones.
    """
    pairs = flat.astype(np.int64).reshape(-1, 2, flat.shape[1])
    joined = (256 * pairs[:, 0] + pairs[:, 1]).astype("<i2")
    # [groups, pairs, taps / 4, 2 lanes, even or odd]
    lanes = joined.reshape(len(flat) // together, together // 2, -1, 2, 2)
    lanes = lanes.transpose(0, 2, 4, 1, 3) if together == QUAD else lanes.transpose(0, 2, 1, 4, 3)
    return np.ascontiguousarray(lanes).view(np.int8)


def exact_table(prepared: Channels) -> Array:
    """The `tml_conv_2d_quad_t` of each quad, int32 [quads, 12]."""
    which = order(len(prepared.weights))
    bias = prepared.bias[which].reshape(-1, QUAD)
    channels = prepared.table[which].reshape(-1, QUAD, 2)
    scale = np.stack([channels[:, :, 0], channels[:, :, 1] & 31], axis=2)
    starts = _starts(bias[:, 0::2] << LEFT, bias[:, 1::2])
    return np.concatenate([starts, scale.reshape(-1, 2 * QUAD)], axis=1).astype(np.int32)


def linear_table(linear: LinearRequantization) -> Array:
    """The `tml_conv_2d_linear_t` of each quad, int32 [quads, 10]."""
    which = order(len(linear.bias))
    bias = linear.bias[which].reshape(-1, QUAD)
    lower = bias[:, 1::2]
    starts = _starts(bias[:, 0::2], lower >> LEFT)
    rest = lower & ((1 << LEFT) - 1)
    table = [starts, rest, linear.multiplier[which].reshape(-1, QUAD)]
    return np.concatenate(table, axis=1).astype(np.int32)


def _starts(upper: Array, lower: Array) -> Array:
    """What S and Q start from: [quads, S of AB, S of CD, Q of B, Q of D]."""
    return np.concatenate([wrapped(upper + lower), lower], axis=1)


def wrapped(values: Array) -> Array:
    """`values` modulo 2**32, as int32 are."""
    return np.asarray((values + (1 << 31)) % (1 << 32) - (1 << 31))
