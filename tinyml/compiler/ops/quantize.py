"""QUANTIZE: float32 -> int8 or int16, and integers -> integers of another scale."""

from __future__ import annotations

from tinyml.compiler.call import Call, Learned, Ref, Struct
from tinyml.compiler.ops import require_dtype, unsupported
from tinyml.compiler.ops._table import byte_table, check_requantize, check_same_shape, table_call
from tinyml.compiler.quant import quantize_multiplier
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Op, Tensor

# What TFLM computes, less what involves int32.
_PAIRS = {
    ("float32", "int8"), ("float32", "int16"),
    ("int8", "int8"), ("int8", "uint8"), ("uint8", "int8"),
    ("int8", "int16"), ("int16", "int8"), ("int16", "int16"),
}  # fmt: skip


def check(op: Op, graph: Graph) -> None:
    """Take the pairs of dtypes that TFLM has, each with one scale per quantized tensor."""
    source, target = graph.input(op, 0), graph.output(op)
    if (source.dtype, target.dtype) not in _PAIRS:
        raise unsupported(op, target, f"{source.dtype} to {target.dtype}")
    check_same_shape(op, source, target)
    _require_one_scale(op, target)
    if source.dtype != "float32":
        _require_one_scale(op, source)
        bits = 16 if source.dtype == "int16" else 8
        check_requantize(op, target, source.scale / target.scale, bits)


def call(op: Op, graph: Graph) -> Call:
    """Return the call of a table (8 bits to 8 bits) or of the kernel of the pair of dtypes."""
    source, target = graph.input(op, 0), graph.output(op)
    kernel = f"tml_quantize_{DTYPES[source.dtype].suffix}_{DTYPES[target.dtype].suffix}"
    if source.dtype == "float32":
        pointers = Ref(source.index), Ref(target.index)
        scale, zero_point = Learned(target.scale), Learned(target.zero_point)
        return Call(kernel, (*pointers, target.elements, scale, zero_point))
    ratio = source.scale / target.scale
    if "int16" not in (source.dtype, target.dtype):
        return table_call("tml_quantize_x8_x8", source, target, byte_table(source, target, ratio))
    multiplier, shift = quantize_multiplier(ratio)
    params = Struct(
        "tml_quantize_t",
        {
            "count": target.elements,
            "input_offset": Learned(-source.zero_point),
            "multiplier": Learned(multiplier),
            "shift": Learned(shift),
            "output_offset": Learned(target.zero_point),
        },
    )
    in_place = (source.index,) if source.dtype == target.dtype else ()
    return Call(kernel, (Ref(source.index), Ref(target.index), params), in_place)


def _require_one_scale(op: Op, tensor: Tensor) -> None:
    require_dtype(op, tensor, "int8", "uint8", "int16")
    if len(tensor.scales) != 1 or tensor.scales[0] <= 0:
        raise unsupported(op, tensor, "needs one positive scale per tensor")
