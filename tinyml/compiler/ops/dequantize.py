"""DEQUANTIZE: int8, uint8 or int16 -> float32."""

from __future__ import annotations

from tinyml.compiler.call import Call, Learned, Ref
from tinyml.compiler.ops import require_dtype, unsupported
from tinyml.compiler.ops._table import check_same_shape
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op

_SOURCES = ("int8", "uint8", "int16")


def check(op: Op, graph: Graph) -> None:
    """Take a quantized input with one scale and a float32 output."""
    source, target = graph.input(op, 0), graph.output(op)
    require_dtype(op, source, *_SOURCES)
    require_dtype(op, target, "float32")
    check_same_shape(op, source, target)
    if len(source.scales) != 1 or source.scales[0] <= 0:
        raise unsupported(op, source, "needs one positive scale per tensor")


def call(op: Op, graph: Graph) -> Call:
    """Return the call of the kernel of the input's dtype."""
    source, target = graph.input(op, 0), graph.output(op)
    pointers = Ref(source.index), Ref(target.index)
    kernel = f"tml_dequantize_{DTYPES[source.dtype].suffix}"
    scale, zero_point = Learned(source.scale), Learned(source.zero_point)
    return Call(kernel, (*pointers, target.elements, scale, zero_point))
