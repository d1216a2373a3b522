"""The `tflite_micro` interpreter in a worker process: the other end of `tinyml.model.oracle`.

It computes what damaged models ask of it unchecked, and dies of some: of no consequence here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml import quiet
from tinyml.model import confinement, worker

CPU_S = 60.0  # a request may take so long; the largest public models take a tenth
MEMORY_BYTES = 6 << 30


def main() -> None:
    """Serve `create`, `run` and `allocations` until the other end is gone."""
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError as error:
        text = str(error)
        worker.serve(lambda _header, _blobs: ({"missing": text}, []), CPU_S)
        return
    confinement.confine(memory_bytes=MEMORY_BYTES, written_bytes=1 << 20)
    worker.serve(_Interpreters(runtime).answer, CPU_S)


class _Interpreters:
    """The interpreters that exist, by the numbers that the other end gave them."""

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self._interpreters: dict[int, Any] = {}

    def answer(self, header: dict[str, Any], blobs: list[bytes]) -> worker.Message:
        """Do what `header` asks; what the interpreter refuses is `refused`, with its reason."""
        for number in header["dropped"]:
            self._interpreters.pop(number, None)
        try:
            with quiet.held() as text:
                arrays = getattr(self, f"_{header['do']}")(header, blobs)
        except (RuntimeError, ValueError, MemoryError) as error:
            lines = text().strip().splitlines() or [str(error) or type(error).__name__]
            return {"refused": lines[0]}, []
        described = [(array.dtype.str, array.shape) for array in arrays]
        return {"arrays": described, "text": text()}, [array.tobytes() for array in arrays]

    def _create(self, header: dict[str, Any], blobs: list[bytes]) -> list[Any]:
        config = self._runtime.InterpreterConfig
        self._interpreters[header["number"]] = self._runtime.Interpreter.from_bytes(
            blobs[0],
            arena_size=header["arena_bytes"],
            intrepreter_config=config.kPreserveAllTensors
            if header["preserve"]
            else config.kAllocationRecording,
        )
        return []

    def _run(self, header: dict[str, Any], blobs: list[bytes]) -> list[Any]:
        """Return the outputs, and after them the tensors that are asked for."""
        interpreter = self._interpreters[header["number"]]
        for position, (dtype, shape) in enumerate(header["inputs"]):
            array = np.frombuffer(blobs[position], dtype).reshape(shape)
            interpreter.set_input(array, position)
        interpreter.invoke()
        outputs = [np.array(interpreter.get_output(i)) for i in range(header["outputs"])]
        tensors = [
            np.array(interpreter.GetTensor(index, 0)["tensor_data"]) for index in header["tensors"]
        ]
        return outputs + tensors

    def _allocations(self, header: dict[str, Any], _: list[bytes]) -> list[Any]:
        self._interpreters[header["number"]].print_allocations()
        return []


if __name__ == "__main__":
    main()
