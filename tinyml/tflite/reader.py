"""Parser of the flatbuffer: model bytes in, Graph out; every index, size and shape is checked."""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyml.errors import ModelError
from tinyml.records import DTYPES
from tinyml.tflite.graph import Array, Graph, Op, Tensor
from tinyml.tflite.malformed import require_sound

_IDENTIFIER = b"TFL3"
_MAX_TENSOR_BYTES = 1 << 31
_NUMPY = {name: np.dtype(name) for name in DTYPES}
# What the flatbuffers package raises on bytes that are not a valid flatbuffer.
_DAMAGE = (
    struct.error, IndexError, ValueError, TypeError, AttributeError, AssertionError,
    OverflowError, KeyError, MemoryError, RecursionError,
)  # fmt: skip


def read(model: bytes, name: str = "model") -> Graph:
    """Return the main subgraph of the `.tflite` file `model`; `name` appears in messages.

    Raises ModelError for anything that is not a complete, consistent TFLite model (schema
    version 3). Control flow is not followed: other subgraphs are ignored.
    """
    if len(model) < 8 or model[4:8] != _IDENTIFIER:
        raise ModelError(
            f"{name}: not a TFLite model ({len(model):,} bytes, no TFL3 mark at byte 4)",
            "give a .tflite file written by the TensorFlow Lite converter",
        )
    try:
        graph = _Reader(model, name).graph()
    except _DAMAGE as error:
        raise _damaged(name, f"the file is damaged or truncated ({error})") from error
    _check_order(graph)
    require_sound(graph)
    return graph


def _damaged(name: str, what: str) -> ModelError:
    return ModelError(f"{name}: {what}", "download or export the model again")


class _Reader:
    """Walks one flatbuffer."""

    def __init__(self, model: bytes, name: str) -> None:
        from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

        self._schema: Any = schema
        self._model = model
        self._name = name
        self._root: Any = schema.Model.GetRootAs(model)
        self._types = {number: text.lower() for text, number in _enum(schema.TensorType)}
        self._op_names = {number: text for text, number in _enum(schema.BuiltinOperator)}

    def graph(self) -> Graph:
        """Return the main subgraph; raises ModelError or what the flatbuffers package raises."""
        root = self._root
        if root.Version() != 3:
            raise self._error(f"schema version {root.Version()}, expected 3")
        if self._count(root.SubgraphsLength()) == 0:
            raise self._error("no subgraph")
        main = root.Subgraphs(0)
        tensors = tuple(
            self._tensor(index, main.Tensors(index))
            for index in range(self._count(main.TensorsLength()))
        )
        codes = self._op_codes()
        ops = tuple(
            self._op(index, main.Operators(index), codes, len(tensors))
            for index in range(self._count(main.OperatorsLength()))
        )
        inputs = self._indices(main.InputsAsNumpy(), len(tensors), "the model's inputs")
        outputs = self._indices(main.OutputsAsNumpy(), len(tensors), "the model's outputs")
        if not outputs or not ops:
            raise self._error("no operator" if outputs else "no output")
        digest = hashlib.sha256(self._model).hexdigest()
        variables = self._variables(ops, codes)
        return Graph(self._name, digest, tensors, ops, inputs, outputs, {}, variables=variables)

    def _variables(self, ops: tuple[Op, ...], codes: list[str]) -> dict[str, Array]:
        """First values of resource variables that subgraphs of CALL_ONCE assign as constants."""
        values: dict[str, Array] = {}
        for op in ops:
            if op.name != "CALL_ONCE":
                continue
            number = int(op.option("init_subgraph_index", 0))
            if not 0 < number < self._root.SubgraphsLength():
                raise self._error(f"operator {op} calls subgraph {number}")
            sub = self._root.Subgraphs(number)
            tensors = [
                self._tensor(index, sub.Tensors(index))
                for index in range(self._count(sub.TensorsLength()))
            ]
            names: dict[int, str] = {}
            for index in range(self._count(sub.OperatorsLength())):
                called = self._op(index, sub.Operators(index), codes, len(tensors))
                if called.name == "VAR_HANDLE" and called.outputs:
                    names[called.outputs[0]] = called.resource
                elif called.name == "ASSIGN_VARIABLE" and len(called.inputs) > 1:
                    name, value = names.get(called.inputs[0]), tensors[called.inputs[1]].data
                    if name is not None and value is not None:
                        values[name] = value
        return values

    def _error(self, what: str) -> ModelError:
        return _damaged(self._name, what)

    def _count(self, length: int) -> int:
        """A vector of offsets cannot have more entries than the file has room for."""
        if length * 4 > len(self._model):
            raise self._error(f"a list of {length:,} entries in {len(self._model):,} bytes")
        return length

    def _indices(self, vector: Any, limit: int, what: str, lowest: int = 0) -> tuple[int, ...]:
        indices = _ints(vector)
        for index in indices:
            if not lowest <= index < limit:
                raise self._error(f"{what} name tensor {index} of {limit}")
        return indices

    def _tensor(self, index: int, table: Any) -> Tensor:
        label = f"tensor {index}"
        shape = _ints(table.ShapeAsNumpy())
        dtype = self._types.get(table.Type())
        if dtype is None:
            raise self._error(f"{label} has the unknown type {table.Type()}")
        if any(dim < 0 for dim in shape) or math.prod(shape) * 8 > _MAX_TENSOR_BYTES:
            raise self._error(f"{label} has the shape {list(shape)}")
        scales, zero_points, axis = self._quantization(label, shape, table.Quantization())
        return Tensor(
            index=index,
            name=(table.Name() or b"").decode("utf-8", "replace"),
            dtype=dtype,
            shape=shape,
            scales=scales,
            zero_points=zero_points,
            axis=axis,
            data=self._data(label, dtype, shape, table.Buffer()),
            variable=bool(table.IsVariable()),
        )

    def _quantization(
        self, label: str, shape: tuple[int, ...], table: Any
    ) -> tuple[tuple[float, ...], tuple[int, ...], int]:
        scales = () if table is None else _vector(table.ScaleAsNumpy())
        if len(scales) == 0:
            return (), (), 0
        zero_points = _ints(table.ZeroPointAsNumpy())
        if len(zero_points) != len(scales):
            raise self._error(f"{label}: {len(scales)} scales, {len(zero_points)} zero points")
        if not all(math.isfinite(scale) and scale >= 0 for scale in scales):
            raise self._error(f"{label} has a scale that is negative or not finite")
        if any(abs(zero_point) >= 1 << 31 for zero_point in zero_points):
            raise self._error(f"{label} has a zero point beyond 32 bits")
        # Old converters give a bias the axis of its weights; a vector has only one.
        axis = 0 if len(shape) == 1 else int(table.QuantizedDimension())
        if len(scales) > 1 and not (0 <= axis < len(shape) and len(scales) == shape[axis]):
            raise self._error(f"{label}{list(shape)}: {len(scales)} scales along axis {axis}")
        return tuple(float(scale) for scale in scales), zero_points, axis

    def _data(self, label: str, dtype: str, shape: tuple[int, ...], buffer: int) -> Array | None:
        if buffer >= self._count(self._root.BuffersLength()):
            raise self._error(f"{label} uses buffer {buffer} of {self._root.BuffersLength()}")
        table = self._root.Buffers(buffer)
        if table.Offset() > 1:
            raise ModelError(f"{self._name}: weights outside the flatbuffer are not supported")
        raw = np.array(_vector(table.DataAsNumpy()), np.uint8)
        if raw.size == 0:
            return None
        if dtype not in _NUMPY:
            return raw
        expected = math.prod(shape) * DTYPES[dtype].bytes
        if raw.size != expected:
            raise self._error(f"{label} has {raw.size:,} bytes of data, expected {expected:,}")
        data: Array = raw.view(_NUMPY[dtype].newbyteorder("<")).reshape(shape)
        return data

    def _op_codes(self) -> list[str]:
        names = []
        for index in range(self._count(self._root.OperatorCodesLength())):
            table = self._root.OperatorCodes(index)
            number = max(table.BuiltinCode(), table.DeprecatedBuiltinCode())
            name = self._op_names.get(number, f"UNKNOWN_{number}")
            if name == "CUSTOM":
                name += " " + (table.CustomCode() or b"").decode("utf-8", "replace")
            names.append(name)
        return names

    def _op(self, index: int, table: Any, codes: list[str], tensor_count: int) -> Op:
        code = table.OpcodeIndex()
        if code >= len(codes):
            raise self._error(f"operator {index} has code {code} of {len(codes)}")
        label = f"the {{}} of operator {index} {codes[code]}"
        inputs = self._indices(table.InputsAsNumpy(), tensor_count, label.format("inputs"), -1)
        outputs = self._indices(table.OutputsAsNumpy(), tensor_count, label.format("outputs"))
        return Op(index, codes[code], inputs, outputs, self._options(table))

    def _options(self, table: Any) -> dict[str, Any]:
        union = table.BuiltinOptions()
        if union is None:
            return {}
        create: Callable[[int, Any], Any] = self._schema.BuiltinOptionsCreator
        record = create(table.BuiltinOptionsType(), union)
        if record is None:
            return {}
        return {_snake(key): _plain(value) for key, value in vars(record).items()}


def _check_order(graph: Graph) -> None:
    """Raise ModelError unless each tensor is written once, before it is read."""
    known = {tensor.index for tensor in graph.tensors if tensor.is_constant or tensor.variable}
    known |= set(graph.inputs)
    for op in graph.ops:
        for index in op.inputs:
            # A tensor without elements (the shape of a scalar) has no bytes to be written.
            if index >= 0 and index not in known and graph.tensors[index].elements > 0:
                raise _damaged(graph.name, f"operator {op} reads tensor {index} too early")
        for index in op.outputs:
            if index in known or op.outputs.count(index) > 1:
                raise _damaged(graph.name, f"operator {op} writes tensor {index} again")
        known |= set(op.outputs)
    for index in (*graph.inputs, *graph.outputs):
        if index not in known or graph.tensors[index].is_constant:
            raise _damaged(graph.name, f"tensor {index} cannot be an input or output of the model")


def _enum(cls: type) -> list[tuple[str, int]]:
    return [(key, value) for key, value in vars(cls).items() if isinstance(value, int)]


def _vector(vector: Any) -> Any:
    """The schema returns 0 where a vector is absent."""
    return () if isinstance(vector, int) else vector


def _ints(vector: Any) -> tuple[int, ...]:
    return tuple(int(value) for value in _vector(vector))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _plain(value: Any) -> Any:
    return tuple(value.tolist()) if isinstance(value, np.ndarray) else value
