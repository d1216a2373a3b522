"""TRANSPOSE_CONV: a strided convolution run backwards; under TFLM only."""

from __future__ import annotations

import math

from tinyml.tflite import Graph, Op


def macs(op: Op, graph: Graph) -> int:
    """Return the multiply-accumulates: every element of the input [N, H, W, C] meets all taps."""
    channels, height, width = graph.input(op, 1).shape[:3]
    return graph.input(op, 2).elements * math.prod((channels, height, width))
