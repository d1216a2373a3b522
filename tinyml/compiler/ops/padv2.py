"""PADV2: a border of a constant value around int8, up to 5 axes."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Registration, pad, require_dtype, unsupported
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

TFLM = Registration("PadV2")


def check(op: Op, graph: Graph) -> None:
    """Take what PAD takes in int8, and a constant value in the output's quantization."""
    pad.check(op, graph)
    target, value = graph.output(op), graph.input(op, 2)
    require_dtype(op, target, "int8")
    require_dtype(op, value, "int8")
    if value.data is None:
        raise unsupported(op, value, "needs a constant value")
    if value.elements != 1:
        raise ModelError(f"operator {op}: {value} is not one value")
    if (value.scales, value.zero_points) != (target.scales, target.zero_points):
        raise ModelError(f"operator {op}: {value} and {target} differ in scale or zero point")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_padv2_s8."""
    value = graph.input(op, 2).data
    assert value is not None
    return pad.bordered(op, graph, "tml_padv2_s8", int(value.reshape(-1)[0]))
