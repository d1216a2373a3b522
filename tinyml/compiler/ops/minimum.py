"""MINIMUM: two int8 inputs, broadcast against each other, -> int8, compared as they are stored."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops._binary import binary_call, check_binary
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 inputs that broadcast to the output; TFLM ignores their scales, which are equal."""
    check_binary(op, graph)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_minimum_s8."""
    return binary_call(op, graph, "tml_minimum_s8")
