"""MAX_POOL_2D: int8 [N, H, W, C] -> int8 [N, H', W', C] with the same quantization."""

from __future__ import annotations

from tinyml.compiler.call import Call
from tinyml.compiler.ops import Registration
from tinyml.compiler.ops._pool import call_pool, check_pool, has_words
from tinyml.compiler.quant import activation_range
from tinyml.tflite import Graph, Op

TFLM = Registration(int8_functions="arm_max_pool")


def check(op: Op, graph: Graph) -> None:
    """Take int8 [N, H, W, C] with one quantization for both sides."""
    check_pool(op, graph)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_max_pool_2d_words_s8, or of the general tml_max_pool_2d_s8."""
    free = activation_range(op, graph.output(op)) == (-128, 127)
    form = "_words" if free and has_words(op, graph) else ""
    return call_pool(op, graph, f"tml_max_pool_2d{form}_s8", "tml_max_pool_2d_t")
