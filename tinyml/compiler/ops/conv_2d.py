"""CONV_2D: int8 input [N, H, W, C], weights [O, h, w, C / groups] -> int8 [N, H', W', O]."""

from __future__ import annotations

import math

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Registration, _conv, unsupported
from tinyml.compiler.ops._linear import bias_of, check_linear
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

TFLM = Registration(int8_functions="arm_convolve")


def check(op: Op, graph: Graph) -> None:
    """Take constant int8 weights [O, h, w, C / groups], with or without an int32 bias [O]."""
    check_linear(op, graph, channel_axis=0)
    source, weights, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    if len(weights.shape) != 4 or weights.data is None:
        raise unsupported(op, weights, "needs weights of rank 4")
    _conv.window_of(op, graph)
    channels, depth = weights.shape[0], weights.shape[3]
    groups = source.shape[3] // max(depth, 1)
    if depth == 0 or source.shape[3] != groups * depth or channels % groups != 0:
        raise ModelError(f"operator {op}: {source} does not fit {weights}")
    if target.shape[3] != channels:
        raise ModelError(f"operator {op}: {weights} does not give {target}")
    bias_of(op, graph, weights.data)


def macs(op: Op, graph: Graph) -> int:
    """Return the multiply-accumulates: every output element takes all taps of its channel."""
    return graph.output(op).elements * math.prod(graph.input(op, 1).shape[1:])


def scratch_bytes(op: Op, graph: Graph) -> int:
    """Return what the kernel of `call` needs: see its header."""
    weights = graph.input(op, 1).data
    assert weights is not None
    return _conv.scratch_bytes(op, graph, weights)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of the fastest kernel that computes this convolution exactly."""
    weights = graph.input(op, 1).data
    assert weights is not None
    return _conv.call(op, graph, weights)
