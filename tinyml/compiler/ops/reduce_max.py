"""REDUCE_MAX: the largest int8 along any constant set of axes, in one quantization."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops._reduce import check_extremum as check
from tinyml.compiler.ops._reduce import reduction_call
from tinyml.tflite import Graph, Op

__all__ = ["call", "check"]


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_reduce_max_s8: a walk over what stays, in it one over what goes."""
    return reduction_call(op, graph, "tml_reduce_max_s8")
