"""REDUCE_MAX: the largest int8 along any constant set of axes, in one quantization."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import unsupported_anywhere
from tinyml.compiler.ops._reduce import check_reduction, reduction_call
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 of up to 6 axes, constant int32 axes, and equal scales and zero points."""
    source, target = graph.input(op, 0), graph.output(op)
    check_reduction(op, graph)
    if (source.scale, source.zero_point) != (target.scale, target.zero_point):
        raise unsupported_anywhere(op, target, "another scale or zero point than the input's")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_reduce_max_s8: a walk over what stays, in it one over what goes."""
    return reduction_call(op, graph, "tml_reduce_max_s8")
