"""RSQRT: 1 / sqrt(x), int8 with zero point -128 -> int8 of any scale.

The table is TFLM's integer computation (RsqrtEvalQuantized), value by value.
"""

from __future__ import annotations

import math

from tinyml.compiler.call import Call
from tinyml.compiler.fixed_point import inverse_square_root
from tinyml.compiler.ops import require_quantized, unsupported
from tinyml.compiler.ops._table import check_same_shape, table_call, tabulate
from tinyml.compiler.quant import quantize_multiplier, requantize, rounding_of
from tinyml.tflite import Graph, Op

_FRACTION_BITS = 20  # of the root's inverse, before the output's scale


def check(op: Op, graph: Graph) -> None:
    """Take int8 whose lowest value is 0: TFLM stops at a negative one."""
    source, target = graph.input(op, 0), graph.output(op)
    require_quantized(op, source, target)
    check_same_shape(op, source, target)
    if source.zero_point != -128:
        raise unsupported(op, source, f"negative values, from zero point {source.zero_point}")
    if not -31 <= _multiplier(op, graph)[1] - _FRACTION_BITS <= 9:
        raise unsupported(op, target, f"scale {target.scale}")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of a table of 256 bytes, which may work in place."""
    source, target = graph.input(op, 0), graph.output(op)
    multiplier, shift = _multiplier(op, graph)

    def output(value: int) -> int:
        centred = value - source.zero_point
        if centred == 0:
            return 127
        root, right = inverse_square_root(centred)
        fraction = requantize(1, root, _FRACTION_BITS - right)
        scaled = requantize(fraction, multiplier, shift - _FRACTION_BITS) + target.zero_point
        return min(max(scaled, -128), 127)

    return table_call("tml_rsqrt_s8", source, target, tabulate(source, output))


def _multiplier(op: Op, graph: Graph) -> tuple[int, int]:
    narrow = rounding_of(op)
    root = narrow(math.sqrt(graph.input(op, 0).scale))
    return quantize_multiplier(1 / narrow(root * graph.output(op).scale))
