"""SQUARED_DIFFERENCE: two int8 inputs, broadcast against each other, -> int8."""

from __future__ import annotations

from tinyml.compiler.call import Call, Struct
from tinyml.compiler.ops import unsupported
from tinyml.compiler.ops._binary import binary_call, check_binary, rescaling
from tinyml.compiler.quant import quantize_multiplier
from tinyml.tflite import Graph, Op, Tensor

_LEFT_SHIFT = 7  # TML_SQUARED_DIFFERENCE_LEFT_SHIFT
_MAX_SHIFT = 1  # squares have 30 bits


def check(op: Op, graph: Graph) -> None:
    """Take int8 inputs that broadcast to the output, with squares that fit into int32."""
    check_binary(op, graph)
    if _multipliers(op, graph)[2][1] > _MAX_SHIFT:
        raise unsupported(op, graph.output(op), "a scale far below those of the inputs")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_squared_difference_s8."""
    params = Struct("tml_squared_difference_t", rescaling(op, graph, _multipliers(op, graph)))
    return binary_call(op, graph, "tml_squared_difference_s8", params)


def _multipliers(op: Op, graph: Graph) -> list[tuple[int, int]]:
    """Multiplier and shift of either input and of the output, as SquaredDifferencePrepare's."""
    left, right, target = (tensor.scale for tensor in _tensors(op, graph))
    twice_max = 2 * max(left, right)
    real = (twice_max * twice_max) / ((1 << (2 * _LEFT_SHIFT)) * target)
    return [quantize_multiplier(value) for value in (left / twice_max, right / twice_max, real)]


def _tensors(op: Op, graph: Graph) -> tuple[Tensor, Tensor, Tensor]:
    return graph.input(op, 0), graph.input(op, 1), graph.output(op)
