"""RELU6 on its own: int8 -> int8 of the same quantization."""

from __future__ import annotations

import math

import numpy as np

from tinyml.compiler.call import Call, Learned, Ref
from tinyml.compiler.ops import require_quantized, unsupported
from tinyml.compiler.ops._table import check_same_shape
from tinyml.compiler.quant import INT32_MAX
from tinyml.tflite import Graph, Op, Tensor


def check(op: Op, graph: Graph) -> None:
    """Take int8 on both sides."""
    source, target = graph.input(op, 0), graph.output(op)
    require_quantized(op, source, target)
    check_same_shape(op, source, target)
    if _six(source) > INT32_MAX:
        raise unsupported(op, source, f"scale {source.scale}")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of tml_relu6_s8, which clamps and may work in place."""
    source, target = graph.input(op, 0), graph.output(op)
    # TFLM only clamps and takes both limits from the input's quantization (Relu6Prepare).
    act_max = min(_six(source) + source.zero_point, 127)
    limits = Learned(source.zero_point), Learned(act_max)
    args = (Ref(source.index), Ref(target.index), target.elements, *limits)
    return Call("tml_relu6_s8", args, in_place=(source.index,))


def _six(source: Tensor) -> int:
    return math.floor(float(np.float32(6.0 / source.scale)) + 0.5)
