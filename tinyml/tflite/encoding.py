"""How a model is quantized: what kind of file a converter, or a compiler for an NPU, wrote."""

from __future__ import annotations

from enum import Enum

from tinyml.tflite.graph import Graph

_ACCELERATORS = {"ethos-u": "the Arm Ethos-U (Vela)", "edgetpu-custom-op": "the Edge TPU"}


class Encoding(Enum):
    """What the operators of a model compute with."""

    INT8 = "quantized to int8"
    UINT8 = "quantized to uint8, as the converter did before 2019"
    INT16 = "quantized to int16 activations"
    DYNAMIC_RANGE = "quantized in its weights only (dynamic range): it computes in float32"
    FLOAT16 = "a model with float16 weights: it computes in float32"
    FLOAT32 = "a float32 model"


def encoding(graph: Graph) -> Encoding:
    """Return what `graph` computes with; by most of its activations where they differ."""
    used = {index for op in graph.ops for index in (*op.inputs, *op.outputs) if index >= 0}
    tensors = [graph.tensors[index] for index in sorted(used)]
    activations = [tensor.dtype for tensor in tensors if not tensor.is_constant]
    weights = {tensor.dtype for tensor in tensors if tensor.is_constant}
    computed = {dtype: activations.count(dtype) for dtype in ("int8", "uint8", "int16", "float32")}
    most = max(computed, key=lambda dtype: computed[dtype])
    if not activations or computed[most] == 0 or most == "int8":
        return Encoding.INT8
    if most == "float32":
        if "float16" in weights:
            return Encoding.FLOAT16
        return Encoding.DYNAMIC_RANGE if "int8" in weights else Encoding.FLOAT32
    return Encoding.UINT8 if most == "uint8" else Encoding.INT16


def accelerator(graph: Graph) -> str:
    """Return the accelerator that the model was compiled for, or ""."""
    for op in graph.ops:
        if op.name.startswith("CUSTOM "):
            name = _ACCELERATORS.get(op.name.removeprefix("CUSTOM ").strip("\0 "), "")
            if name:
                return name
    return ""
