"""Builds small `.tflite` models tensor by tensor, so that a recipe controls every scale and shape.

A model carries the name of its recipe; its weights and its test inputs follow from that name alone.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

Shape = Sequence[int]

ACTIVATION = schema.ActivationFunctionType
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID


@dataclass(frozen=True)
class Quant:
    """`real = (quantized - zero_point) * scale`; one entry per channel of `axis`, or just one."""

    scale: float | Sequence[float]
    zero_point: int = 0
    axis: int = 0

    def schema(self) -> Any:
        """Return the schema's object, one zero point per scale."""
        scales = np.atleast_1d(self.scale)
        return schema.QuantizationParametersT(
            scale=[float(scale) for scale in scales],
            zeroPoint=[self.zero_point] * len(scales),
            quantizedDimension=self.axis,
        )


@dataclass
class ModelBuilder:
    """One model in the making; tensors are referred to by index, as in the file."""

    name: str
    rng: np.random.Generator = field(init=False)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    _tensors: list[Any] = field(default_factory=list)
    _buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])
    _operators: list[Any] = field(default_factory=list)
    _codes: list[int] = field(default_factory=list)
    _float_steps: dict[int, float] = field(default_factory=dict)
    first_values: dict[str, np.ndarray] = field(default_factory=dict)  # of variables, by name

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(zlib.crc32(self.name.encode()))

    def tensor(self, shape: Shape, quant: Quant | None = None, dtype: str = "int8") -> int:
        """Add an activation; return its index."""
        return self._add(shape, quant, dtype, buffer=0)

    def input(
        self,
        shape: Shape,
        quant: Quant | None = None,
        dtype: str = "int8",
        float_step: float = 1.0,
    ) -> int:
        """Add a model input; `float_step` is the quantum around which float test values lie."""
        index = self.tensor(shape, quant, dtype)
        self.inputs.append(index)
        self._float_steps[index] = float_step
        return index

    def output(self, shape: Shape, quant: Quant | None = None, dtype: str = "int8") -> int:
        """Add a model output; return its index."""
        index = self.tensor(shape, quant, dtype)
        self.outputs.append(index)
        return index

    def constant(self, values: Any, quant: Quant | None = None, dtype: str = "int8") -> int:
        """Add a constant tensor with these values; return its index."""
        array = np.asarray(values, dtype=dtype)
        self._buffers.append(schema.BufferT(data=np.frombuffer(array.tobytes(), np.uint8)))
        return self._add(array.shape, quant, dtype, buffer=len(self._buffers) - 1)

    def random(self, shape: Shape, quant: Quant | None = None, low: int = -128) -> int:
        """Add an int8 constant of random values from `low` to 127; return its index."""
        return self.constant(self.rng.integers(low, 128, shape), quant)

    def bias(self, scales: Any, reach: int) -> int:
        """Add an int32 bias, one value within +-`reach` per scale; return its index."""
        scales = np.atleast_1d(scales)
        return self.constant(
            self.rng.integers(-reach, reach + 1, len(scales)), Quant(scales), "int32"
        )

    def op(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: Any = None
    ) -> None:
        """Add an operator by its enum name; -1 stands for an optional input left out."""
        code = getattr(schema.BuiltinOperator, name)
        if code not in self._codes:
            self._codes.append(code)
        kind = type(options).__name__.removesuffix("T") if options is not None else "NONE"
        self._operators.append(
            schema.OperatorT(
                opcodeIndex=self._codes.index(code),
                inputs=list(inputs),
                outputs=list(outputs),
                builtinOptionsType=getattr(schema.BuiltinOptions, kind),
                builtinOptions=options,
            )
        )

    def operators(self, name: str) -> list[Any]:
        """Return the operators called `name` that were added so far."""
        code = self._codes.index(getattr(schema.BuiltinOperator, name))
        return [op for op in self._operators if op.opcodeIndex == code]

    def bytes(self) -> bytes:
        """Return the finished file."""
        graph = schema.SubGraphT(
            tensors=self._tensors,
            inputs=self.inputs,
            outputs=self.outputs,
            operators=self._operators,
            name="main",
        )
        subgraphs = [graph, self._first_values()] if self.first_values else [graph]
        codes = [
            schema.OperatorCodeT(deprecatedBuiltinCode=min(code, 127), builtinCode=code, version=1)
            for code in self._codes
        ]
        model = schema.ModelT(
            version=3,
            operatorCodes=codes,
            subgraphs=subgraphs,
            buffers=self._buffers,
            description=self.name,
        )
        packer = flatbuffers.Builder(1024)
        packer.Finish(model.Pack(packer), b"TFL3")
        return bytes(packer.Output())

    def _first_values(self) -> Any:
        """Return the subgraph that CALL_ONCE runs: each variable gets its first value."""
        first = ModelBuilder(f"{self.name}_first_values")
        first._buffers, first._codes = self._buffers, self._codes
        for name, value in self.first_values.items():
            handle = first.tensor([], dtype="resource")
            options = schema.VarHandleOptionsT(container="", sharedName=name)
            first.op("VAR_HANDLE", [], [handle], options)
            constant = first.constant(value, dtype=value.dtype.name)
            first.op("ASSIGN_VARIABLE", [handle, constant], [], schema.AssignVariableOptionsT())
        return schema.SubGraphT(
            tensors=first._tensors, inputs=[], outputs=[], operators=first._operators,
            name="first_values",
        )  # fmt: skip

    def vectors(self, random: int) -> list[np.ndarray]:
        """Return per input an array [n, *shape] of test values.

        The first vectors hold the extremes (all lowest, all highest, and for several inputs the
        two mixed), then come `random` full-range ones; 256 bytes hold each of the 256 values.
        """
        stacks = []
        for position, index in enumerate(self.inputs):
            tensor = self._tensors[index]
            extremes = [(0, 0), (1, 1), (0, 1), (1, 0)][: 2 if len(self.inputs) == 1 else 4]
            rows = [self._extreme(tensor, index, pair[position % 2]) for pair in extremes]
            rows += [self._random(tensor, index) for _ in range(random)]
            stacks.append(np.stack(rows))
        return stacks

    def _add(self, shape: Shape, quant: Quant | None, dtype: str, buffer: int) -> int:
        self._tensors.append(
            schema.TensorT(
                shape=[int(size) for size in shape],
                type=getattr(schema.TensorType, dtype.upper()),
                buffer=buffer,
                name=f"t{len(self._tensors)}",
                quantization=quant.schema() if quant is not None else None,
            )
        )
        return len(self._tensors) - 1

    def _extreme(self, tensor: Any, index: int, high: int) -> np.ndarray:
        dtype = _NUMPY[tensor.type]
        if dtype == "float32":
            return np.full(tensor.shape, (1e6 if high else -1e6) * self._float_steps[index], dtype)
        limits = np.iinfo(dtype)
        return np.full(tensor.shape, limits.max if high else limits.min, dtype)

    def _random(self, tensor: Any, index: int) -> np.ndarray:
        dtype = _NUMPY[tensor.type]
        if dtype == "float32":
            # A third exact ties between two quanta: there the rounding rule shows.
            count = math.prod(tensor.shape)
            values = self.rng.uniform(-160, 160, count)
            values[::3] = np.floor(values[::3]) + 0.5
            return (values * self._float_steps[index]).reshape(tensor.shape).astype(dtype)
        limits = np.iinfo(dtype)
        if math.prod(tensor.shape) == 256 and dtype.endswith("int8"):
            return self.rng.permutation(256).astype("uint8").view(dtype).reshape(tensor.shape)
        return self.rng.integers(limits.min, limits.max + 1, tensor.shape, dtype)


_NUMPY = {
    getattr(schema.TensorType, name.upper()): name
    for name in ("float32", "int32", "uint8", "int16", "int8")
}
