"""The reference: model and inputs in, what the `tflite_micro` interpreter computes out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml import quiet, tflite
from tinyml.errors import DataError, ModelError, ToolError
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Tensor

Array = NDArray[Any]
_ARENA_SPARE = 1 << 20
_PARTS = ("head", "tail")
_LEAST_SOFTMAX = 2.0**-26  # of scale times beta; with less the interpreter ends the process


class Oracle:
    """A model in the `tflite_micro` interpreter: the only reference for every comparison.

    Raises ModelError for bytes that are no valid model, before the interpreter sees them, and for
    a model that the interpreter refuses; ToolError where the package is missing.
    """

    def __init__(self, model: bytes, name: str = "model") -> None:
        self.graph: Graph = tflite.read(model, name)
        _check_softmax(self.graph)
        self._model = model
        self._interpreter = self._create(preserve=False)
        self._preserving: Any = None

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The model's input tensors."""
        return tuple(self.graph.tensors[index] for index in self.graph.inputs)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The model's output tensors."""
        return tuple(self.graph.tensors[index] for index in self.graph.outputs)

    @property
    def arena_bytes(self) -> int:
        """Arena bytes that the interpreter uses on this 64-bit host; a 32-bit device needs less."""
        return sum(self.arena_parts)

    @property
    def arena_parts(self) -> tuple[int, int]:
        """The used arena in bytes: head (activations, scratch) and tail (what lasts)."""
        with quiet.held() as text:
            self._interpreter.invoke()
            self._interpreter.print_allocations()
        sizes = [re.search(rf"Arena allocation {part} (\d+) bytes", text()) for part in _PARTS]
        if sizes[0] is None or sizes[1] is None:
            raise ToolError("tflite_micro reported no arena size", "reinstall tflite-micro")
        return int(sizes[0][1]), int(sizes[1][1])

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Return the outputs for `inputs`: arrays of the tensors' dtypes and element counts.

        State that the model keeps starts anew with each call. Raises DataError for inputs of
        another number, dtype or size.
        """
        self.restart()
        return self.step(inputs)

    def run_all(self, inputs: Sequence[Array]) -> tuple[list[Array], dict[int, Array]]:
        """As `run`, and every tensor an operator wrote, by its index in the model."""
        self.restart()
        return self.step_all(inputs)

    def restart(self) -> None:
        """Forget what earlier inferences left behind, as a device does that starts."""
        if self.graph.keeps_state:  # the interpreter's reset() does not run initialisation again
            self._interpreter, self._preserving = self._create(preserve=False), None

    def step(self, inputs: Sequence[Array]) -> list[Array]:
        """As `run`, but in the state in which the last `step` left the model."""
        return self._invoke(self._interpreter, inputs)

    def step_all(self, inputs: Sequence[Array]) -> tuple[list[Array], dict[int, Array]]:
        """As `run_all`, but in the state in which the last `step_all` left the model."""
        if self._preserving is None:
            self._preserving = self._create(preserve=True)
        outputs = self._invoke(self._preserving, inputs)
        indices = [index for op in self.graph.ops for index in op.outputs]
        storable = [i for i in indices if self.graph.tensors[i].dtype in DTYPES]
        return outputs, {
            index: np.array(self._preserving.GetTensor(index, 0)["tensor_data"])
            for index in storable
        }

    def _invoke(self, interpreter: Any, inputs: Sequence[Array]) -> list[Array]:
        arrays = checked_inputs(self.inputs, inputs)
        try:
            with quiet.held() as text:
                for position, array in enumerate(arrays):
                    interpreter.set_input(array, position)
                interpreter.invoke()
        except RuntimeError as error:
            raise self._refused(error, text()) from error
        return [np.array(interpreter.get_output(i)) for i in range(len(self.outputs))]

    def _create(self, preserve: bool) -> Any:
        try:
            from tflite_micro.python.tflite_micro import runtime
        except ImportError as error:
            raise ToolError(
                f"the tflite_micro package cannot be imported ({error})",
                "pip install tflite-micro==0.dev20261023182759 (Linux x86-64)",
            ) from error
        sizes = [t.bytes for t in self.graph.tensors if t.dtype in DTYPES and t.data is None]
        config = runtime.InterpreterConfig
        try:
            with quiet.held() as text:
                return runtime.Interpreter.from_bytes(
                    self._model,
                    arena_size=2 * sum(sizes) + 4 * len(self._model) + _ARENA_SPARE,
                    intrepreter_config=config.kPreserveAllTensors
                    if preserve
                    else config.kAllocationRecording,
                )
        except (RuntimeError, ValueError) as error:
            raise self._refused(error, text()) from error

    def _refused(self, error: Exception, printed: str) -> ModelError:
        reason = printed.strip().splitlines()[:1] or [str(error)]
        return ModelError(f"the TFLM interpreter refuses {self.graph.name}: {reason[0]}")


def _check_softmax(graph: Graph) -> None:
    """Raise ModelError for int8 scores so small that the interpreter would abort, not refuse."""
    for op in graph.ops:
        if op.name != "SOFTMAX" or len(graph.input(op, 0).scales) != 1:
            continue
        scores = graph.input(op, 0)
        if scores.scale * float(op.options.get("beta", 1)) <= _LEAST_SOFTMAX:
            raise ModelError(
                f"{graph.name}: the scores of operator {op.index} (SOFTMAX) have scale "
                f"{scores.scale:g}, as if they were always zero",
                "quantize it anew with examples as it sees them in use",
            )


def checked_inputs(tensors: Sequence[Tensor | Any], inputs: Sequence[Array]) -> list[Array]:
    """Return `inputs` in the shapes of `tensors` (records with `name`, `dtype` and `shape`).

    Raises DataError where number, dtype or element count differ.
    """
    if len(inputs) != len(tensors):
        raise DataError(f"the model has {len(tensors)} inputs, got {len(inputs)}")
    arrays = []
    for tensor, array in zip(tensors, inputs, strict=True):
        array = np.asarray(array)
        if array.dtype.name != tensor.dtype or array.size != np.prod(tensor.shape, dtype=int):
            raise DataError(
                f"input {tensor.name!r} is {tensor.dtype}{list(tensor.shape)}, "
                f"got {array.dtype.name}{list(array.shape)}"
            )
        arrays.append(np.ascontiguousarray(array).reshape(tensor.shape))
    return arrays
