"""The reference: model and inputs in, what the `tflite_micro` interpreter computes out.

The interpreter runs in a worker process (see `interpreter`): a damaged model that ends it is a
ModelError here. One worker serves all models of this process, and is started again when it died.
"""

from __future__ import annotations

import itertools
import re
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml import tflite
from tinyml.errors import DataError, ModelError, ToolError
from tinyml.model.worker import Died, Worker
from tinyml.records import DTYPES
from tinyml.tflite import Graph, Tensor

Array = NDArray[Any]
_ARENA_SPARE = 1 << 20
_MOST_ARENA = 1 << 31  # what the interpreter can address
_PARTS = ("head", "tail")
_LEAST_SOFTMAX = 2.0**-26  # of scale times beta; with less the interpreter ends the process
_WORKER = Worker("tinyml.model.interpreter")
_NUMBERS = itertools.count()
_DROPPED: list[int] = []  # interpreters that nobody holds any more; the next request says so


class Oracle:
    """A model in the `tflite_micro` interpreter: the only reference for every comparison.

    Raises ModelError for bytes that are no valid model, before the interpreter sees them, for a
    model that the interpreter refuses, and for one that it dies of or takes a minute for; ToolError
    where the package is missing. What its methods compute raises the same.
    """

    def __init__(self, model: bytes, name: str = "model") -> None:
        self.graph: Graph = tflite.read(model, name)
        _check_softmax(self.graph)
        self._model = model
        self._interpreter = self._create(preserve=False)
        self._preserving: _Interpreter | None = None

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
        text = self._interpreter.allocations()
        sizes = [re.search(rf"Arena allocation {part} (\d+) bytes", text) for part in _PARTS]
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
        indices = [index for op in self.graph.ops for index in op.outputs]
        storable = [i for i in indices if self.graph.tensors[i].dtype in DTYPES]
        arrays = checked_inputs(self.inputs, inputs)
        computed = self._preserving.run(arrays, len(self.outputs), storable)
        outputs, tensors = computed[: len(self.outputs)], computed[len(self.outputs) :]
        return outputs, dict(zip(storable, tensors, strict=True))

    def _invoke(self, interpreter: _Interpreter, inputs: Sequence[Array]) -> list[Array]:
        return interpreter.run(checked_inputs(self.inputs, inputs), len(self.outputs))

    def _create(self, preserve: bool) -> _Interpreter:
        sizes = [t.bytes for t in self.graph.tensors if t.dtype in DTYPES and t.data is None]
        arena = 2 * sum(sizes) + 4 * len(self._model) + _ARENA_SPARE
        if arena >= _MOST_ARENA:
            raise ModelError(
                f"{self.graph.name}: its tensors have {sum(sizes):,} bytes, more than the "
                "interpreter can hold",
                "export the model again, with smaller tensors",
            )
        model = tflite.without_offline_plan(self._model) if preserve else self._model
        return _Interpreter(model, self.graph.name, arena, preserve, self.graph.keeps_state)


class _Interpreter:
    """An interpreter of one model in the worker."""

    def __init__(
        self, model: bytes, name: str, arena_bytes: int, preserve: bool, keeps_state: bool
    ) -> None:
        self._model = model
        self._name = name
        self._settings = {"arena_bytes": arena_bytes, "preserve": preserve}
        self._keeps_state = keeps_state
        self._number = next(_NUMBERS)
        self._generation = (-1, -1)  # of the worker that has it
        self._ran = False
        self._make()
        weakref.finalize(self, _DROPPED.append, self._number)

    def run(
        self, inputs: Sequence[Array], outputs: int, tensors: Iterable[int] = ()
    ) -> list[Array]:
        """Return the outputs for `inputs`, and after them those of `tensors`, by index."""
        if self._generation != _WORKER.generation:
            if self._ran and self._keeps_state:
                raise ModelError(
                    f"{self._name}: what it kept between inferences is lost with an interpreter "
                    "that died of another model",
                    "begin its sequence again",
                )
            self._make()
        self._ran = True
        described = [(array.dtype.str, array.shape) for array in inputs]
        header = {"do": "run", "inputs": described, "outputs": outputs, "tensors": list(tensors)}
        answer, blobs = self._request(header, [array.tobytes() for array in inputs])
        return [
            np.frombuffer(blob, dtype).reshape(shape).copy()
            for (dtype, shape), blob in zip(answer["arrays"], blobs, strict=True)
        ]

    def allocations(self) -> str:
        """Return what the interpreter prints of its arena."""
        if self._generation != _WORKER.generation:
            self._make()
        answer, _ = self._request({"do": "allocations"}, ())
        return str(answer["text"])

    def _make(self) -> None:
        self._request({"do": "create", **self._settings}, [self._model])
        self._generation, self._ran = _WORKER.generation, False

    def _request(
        self, header: Mapping[str, Any], blobs: Sequence[bytes]
    ) -> tuple[dict[str, Any], list[bytes]]:
        dropped = [_DROPPED.pop() for _ in range(len(_DROPPED))]
        try:
            answer, arrays = _WORKER.request(
                {**header, "number": self._number, "dropped": dropped}, blobs
            )
        except Died as death:
            raise self._died(death) from death
        if "missing" in answer:
            raise ToolError(
                f"the tflite_micro package cannot be imported ({answer['missing']})",
                "pip install tflite-micro==0.dev20261023182759 (Linux x86-64)",
            )
        if "refused" in answer:
            raise ModelError(f"the TFLM interpreter refuses {self._name}: {answer['refused']}")
        return answer, arrays

    def _died(self, death: Died) -> ModelError | ToolError:
        if not death.how.startswith("SIG"):
            return ToolError(
                f"the process of the TFLM interpreter ended: {death.how}",
                "see what it says: python -m tinyml.model.interpreter < /dev/null",
            )
        slow = death.how == "SIGPROF"
        what = "takes more than a minute" if slow else f"dies of it ({death.how})"
        return ModelError(
            f"{self._name}: the TFLM interpreter {what}",
            "the file is damaged, or asks for what the interpreter does not check: export or "
            "quantize the model again",
        )


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
