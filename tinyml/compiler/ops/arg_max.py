"""ARG_MAX: the index of the largest value along a constant axis, int8 -> int32."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import _extremum
from tinyml.compiler.ops._extremum import check
from tinyml.tflite import Graph, Op

__all__ = ["call", "check"]


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_arg_max_s8."""
    return _extremum.call(op, graph, "tml_arg_max_s8")
