"""AVERAGE_POOL_2D: int8 [N, H, W, C] -> int8 [N, H', W', C] with the same quantization."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Registration
from tinyml.compiler.ops._pool import call_pool, check_pool, has_words
from tinyml.tflite import Graph, Op

_SUM_OF_INT16 = 255  # elements of int8 whose sum fits into int16
TFLM = Registration(int8_functions="arm_avgpool")


def check(op: Op, graph: Graph) -> None:
    """Take int8 [N, H, W, C] with one quantization for both sides."""
    check_pool(op, graph)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_average_pool_2d_words_s8, or of the general tml_average_pool_2d_s8."""
    few = op.option("filter_height") * op.option("filter_width") <= _SUM_OF_INT16
    form = "_words" if few and has_words(op, graph) else ""
    return call_pool(op, graph, f"tml_average_pool_2d{form}_s8", "tml_average_pool_2d_t")
