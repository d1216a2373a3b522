"""PRELU: int8 input and slopes for its negative values, broadcast to it, -> int8."""

from __future__ import annotations

from tinyml.compiler.call import Call, Learned, Struct
from tinyml.compiler.ops import unsupported
from tinyml.compiler.ops._binary import binary_call, check_binary
from tinyml.compiler.ops._table import check_requantize
from tinyml.compiler.quant import quantize_multiplier
from tinyml.tflite import Graph, Op

_MAX_SHIFT = 15  # products have 16 bits


def check(op: Op, graph: Graph) -> None:
    """Take int8 slopes that broadcast to the input's shape, which is the output's."""
    check_binary(op, graph)
    source, target = graph.input(op, 0), graph.output(op)
    if source.shape != target.shape:
        raise unsupported(op, source, "slopes of a larger shape")
    positive, negative = _ratios(op, graph)
    check_requantize(op, target, positive)
    if quantize_multiplier(negative)[1] > _MAX_SHIFT:
        raise unsupported(op, target, "a scale far below those of the inputs")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_prelu_s8."""
    positive, negative = (quantize_multiplier(ratio) for ratio in _ratios(op, graph))
    params = Struct(
        "tml_prelu_t",
        {
            "input_offset": Learned(-graph.input(op, 0).zero_point),
            "alpha_offset": Learned(-graph.input(op, 1).zero_point),
            "output_offset": Learned(graph.output(op).zero_point),
            "positive_multiplier": Learned(positive[0]),
            "positive_shift": Learned(positive[1]),
            "negative_multiplier": Learned(negative[0]),
            "negative_shift": Learned(negative[1]),
        },
    )
    return binary_call(op, graph, "tml_prelu_s8", params)


def _ratios(op: Op, graph: Graph) -> tuple[float, float]:
    """The factors of values from 0 up, and of products with a slope."""
    source, slopes, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    return source.scale / target.scale, source.scale * slopes.scale / target.scale
