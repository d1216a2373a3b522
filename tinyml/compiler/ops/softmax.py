"""SOFTMAX: int8 over the last axis -> int8 with scale 1/256 and zero point -128.

exp depends only on the difference to the largest input, so its values are a table made offline.
"""

from __future__ import annotations

import math

import numpy as np

from tinyml.compiler.call import Call, Const, Learned, Ref, Struct
from tinyml.compiler.fixed_point import exp_on_negative_values, shift_left_saturating
from tinyml.compiler.ops import Registration, require_quantized, unsupported
from tinyml.compiler.quant import doubling_high_mul, quantize_multiplier
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

_INTEGER_BITS = 5  # of the scaled difference, as in TFLM
_MAX_DEPTH = 4095  # more exponentials of 1.0 would overflow the sum's 12 integer bits
TFLM = Registration(int8_functions="arm_softmax")


def check(op: Op, graph: Graph) -> None:
    """Take int8 of at most 4,095 classes and an output of scale 1/256 and zero point -128."""
    source, target = graph.input(op, 0), graph.output(op)
    require_quantized(op, source, target)
    if target.zero_point != -128 or target.scale != 1 / 256:
        raise ModelError(f"operator {op}: {target} needs scale 1/256 and zero point -128")
    if source.shape != target.shape or not source.shape or source.elements == 0:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")
    if source.shape[-1] > _MAX_DEPTH:
        raise unsupported(op, source, f"more than {_MAX_DEPTH} classes")
    if _real_multiplier(op, graph) <= 1:
        raise ModelError(f"operator {op}: the scale of {source} is too small")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_softmax_s8 with its table of exponentials; it may work in place."""
    source = graph.input(op, 0)
    depth = source.shape[-1]
    table = _exp_table(_real_multiplier(op, graph))
    params = Struct(
        "tml_softmax_t",
        {
            "rows": source.elements // depth,
            "depth": depth,
            "exp": Const(np.array(table, np.int32), "exp", room=256),
            "exp_count": Learned(len(table)),
        },
    )
    args = (Ref(source.index), Ref(graph.output(op).index), params)
    return Call("tml_softmax_s8", args, in_place=(source.index,))


def _real_multiplier(op: Op, graph: Graph) -> float:
    beta = float(np.float32(op.option("beta")))
    if not math.isfinite(beta):
        raise ModelError(f"operator {op} has beta {beta}")
    scale = beta * graph.input(op, 0).scale
    return min(scale * (1 << (31 - _INTEGER_BITS)), float((1 << 31) - 1))


def _exp_table(real_multiplier: float) -> list[int]:
    """exp(-i * scale * beta) in Q0.31 for i = 0, 1, ... while TFLM counts it as non-zero."""
    multiplier, left_shift = quantize_multiplier(real_multiplier)
    radius = ((1 << _INTEGER_BITS) - 1) * (1 << (31 - _INTEGER_BITS)) // (1 << left_shift)
    table = []
    for difference in range(min(radius, 255) + 1):
        shifted = shift_left_saturating(-difference, left_shift)
        scaled = doubling_high_mul(shifted, multiplier)
        table.append(exp_on_negative_values(scaled, _INTEGER_BITS))
    return table
