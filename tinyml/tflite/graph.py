"""The dataflow graph of a model: tensors and operators that point at each other by index."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from tinyml.errors import ModelError
from tinyml.records import DTYPES, TensorInfo

Array = NDArray[Any]


@dataclass(frozen=True)
class Tensor:
    """A tensor of the main subgraph. `index` is its number in the file.

    `dtype` is the schema's name in lower case ("int8", "float32", ...). `shape` is row-major,
    channels last; () is a scalar. `scales` and `zero_points` have one entry per tensor or one per
    element of axis `axis`; both are empty where the tensor is not quantized. Scales are float32
    values. `data` is the value of a constant, else None. `variable` marks state that lives on
    between invocations.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0
    data: Array | None = None
    variable: bool = False

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size in bytes; raises ModelError for a dtype that has no fixed size here."""
        stored = DTYPES.get(self.dtype)
        if stored is None:
            raise ModelError(f"tensor {self} has dtype {self.dtype}, which tinyml cannot store")
        return self.elements * stored.bytes

    @property
    def is_constant(self) -> bool:
        """True where the file holds the value."""
        return self.data is not None

    @property
    def scale(self) -> float:
        """The scale of the whole tensor; raises ModelError where there is not exactly one."""
        if len(self.scales) != 1:
            raise ModelError(f"tensor {self} has {len(self.scales)} scales where one is needed")
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The zero point of the whole tensor; raises ModelError where there is not exactly one."""
        if len(self.zero_points) != 1:
            count = len(self.zero_points)
            raise ModelError(f"tensor {self} has {count} zero points where one is needed")
        return self.zero_points[0]

    @property
    def info(self) -> TensorInfo:
        """The tensor as the outside sees it."""
        quantized = len(self.scales) == 1
        return TensorInfo(
            name=self.name,
            dtype=self.dtype,
            shape=self.shape,
            scale=self.scales[0] if quantized else 0.0,
            zero_point=self.zero_points[0] if quantized else 0,
        )

    def __str__(self) -> str:
        return f"{self.index} {self.name!r} {self.dtype}{list(self.shape)}"


@dataclass(frozen=True)
class Op:
    """An operator of the main subgraph; `index` is its number in the file.

    `name` is the TFLite enum name ("CONV_2D"; a custom operator: "CUSTOM <code>"). An optional
    input that is absent is -1. `options` are the builtin options, in snake case. `in_float32`: its
    multipliers are computed in float32, as some generations of TFLM do; `part`: which of several
    outputs it has, where they were divided; a compiler sets both.
    """

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]
    in_float32: bool = False
    part: int = 0

    def option(self, name: str, default: Any = None) -> Any:
        """The option `name`, else `default`; raises ModelError where there is neither."""
        value = self.options.get(name, default)
        if value is None:
            raise ModelError(
                f"operator {self} has no option {name!r}; the model file is damaged",
                "export the model again",
            )
        return value

    @property
    def resource(self) -> str:
        """The name of the variable whose handle a VAR_HANDLE returns."""
        parts = (self.options.get("container") or b"", self.options.get("shared_name") or b"")
        return "/".join(part.decode("utf-8", "replace") for part in parts if part)

    def __str__(self) -> str:
        return f"{self.index} {self.name}"


@dataclass(frozen=True)
class Graph:
    """A validated main subgraph: indices are in range, tensors are written before they are read.

    `tensors[i].index == i`. `ops` run in order; passes may leave some out, so an operator's
    position is not its `index`. `aliases` maps a tensor to the one whose bytes it shares.
    `exchangeable`: the weights may be others at run time (a model slot), so nothing may be proved
    of their values. `channels`: which channels (last axis) of the file's tensor are left, in order,
    of a tensor that a pass took some from. `variables`: first values of resource variables by name,
    as the file has them; `initial`: those of tensors that a pass made variables.
    """

    name: str
    sha256: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    aliases: Mapping[int, int]
    exchangeable: bool = False
    channels: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    variables: Mapping[str, Array] = field(default_factory=dict)
    initial: Mapping[int, Array] = field(default_factory=dict)

    @property
    def keeps_state(self) -> bool:
        """Whether an inference depends on those before it: variables, or a recurrent operator."""
        return any(tensor.variable for tensor in self.tensors) or any(
            op.name in ("VAR_HANDLE", "CALL_ONCE") for op in self.ops
        )

    def storage(self, tensor: int) -> int:
        """The tensor that owns the bytes of `tensor`: itself, unless a pass made it an alias."""
        while tensor in self.aliases:
            tensor = self.aliases[tensor]
        return tensor

    def input(self, op: Op, position: int) -> Tensor:
        """Input `position` of `op`; raises ModelError where the operator has none there."""
        tensor = self.optional_input(op, position)
        if tensor is None:
            raise ModelError(f"operator {op} lacks input {position}", "export the model again")
        return tensor

    def optional_input(self, op: Op, position: int) -> Tensor | None:
        """Input `position` of `op`, or None where it is absent."""
        if position >= len(op.inputs) or op.inputs[position] < 0:
            return None
        return self.tensors[op.inputs[position]]

    def output(self, op: Op, position: int = 0) -> Tensor:
        """Output `position` of `op`; raises ModelError where the operator has none there."""
        if position >= len(op.outputs):
            raise ModelError(f"operator {op} lacks output {position}", "export the model again")
        return self.tensors[op.outputs[position]]
