"""SUB: two int8 inputs, broadcast against each other, -> int8."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops._binary import add_params, check_binary, sum_call
from tinyml.tflite import Graph, Op


def check(op: Op, graph: Graph) -> None:
    """Take int8 inputs that broadcast to the output; refuse scales that TFLM stops at."""
    check_binary(op, graph)
    add_params(op, graph)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_sub_s8, or of its proved linear form."""
    return sum_call(op, graph, "sub", -1)
