"""MUL: two int8 inputs, broadcast against each other, -> int8."""

from __future__ import annotations

from tinyml.compiler.call import Call, Learned, Struct
from tinyml.compiler.ops import Registration, unsupported
from tinyml.compiler.ops._binary import binary_call, check_binary
from tinyml.compiler.quant import activation_range, quantize_multiplier
from tinyml.tflite import Graph, Op

_MAX_SHIFT = 15  # products have 16 bits
TFLM = Registration(int8_functions="arm_elementwise_mul")


def check(op: Op, graph: Graph) -> None:
    """Take int8 inputs that broadcast to the output."""
    check_binary(op, graph)
    if _scale(op, graph)[1] > _MAX_SHIFT:
        raise unsupported(op, graph.output(op), "a scale far below those of the inputs")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_mul_s8."""
    left, right, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    multiplier, shift = _scale(op, graph)
    act_min, act_max = activation_range(op, target)
    params = Struct(
        "tml_mul_t",
        {
            "input1_offset": Learned(-left.zero_point),
            "input2_offset": Learned(-right.zero_point),
            "output_offset": Learned(target.zero_point),
            "multiplier": Learned(multiplier),
            "shift": Learned(shift),
            "act_min": Learned(act_min),
            "act_max": Learned(act_max),
        },
    )
    return binary_call(op, graph, "tml_mul_s8", params)


def _scale(op: Op, graph: Graph) -> tuple[int, int]:
    real = graph.input(op, 0).scale * graph.input(op, 1).scale / graph.output(op).scale
    return quantize_multiplier(real)
