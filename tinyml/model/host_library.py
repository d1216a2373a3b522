"""The host build of a model's C: CSource and inputs in, outputs and step results out."""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml import paths, proc
from tinyml.errors import ToolError
from tinyml.model.oracle import checked_inputs
from tinyml.records import CSource, TensorInfo

Array = NDArray[Any]
_WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion")
_SANITIZE = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_RUNNER = Path(__file__).parent / "host_runner.c"
_HINT = "install a C compiler: sudo apt-get install gcc (or set CC)"


class HostModel:
    """A compiled model on the host. Not thread-safe: all instances of one source share its memory.

    With `sanitize` every run is a process of its own under AddressSanitizer and UBSan; a finding
    is a ToolError that shows it. Raises ToolError where no C compiler works.
    """

    def __init__(self, source: CSource, sanitize: bool = False) -> None:
        self._source = source
        self._sanitize = sanitize
        self._binary = _build(source, sanitize)

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Return the outputs for `inputs`, in the model's shapes and dtypes; raises DataError.

        State that the model keeps starts anew with each call.
        """
        if self._sanitize:
            return self.run_all(inputs)[0]
        self.restart()
        return self.step(inputs)

    def restart(self) -> None:
        """Forget what earlier inferences left behind."""
        _check(self._library.tml_model_init())

    def step(self, inputs: Sequence[Array]) -> list[Array]:
        """As `run`, but in the state in which the last call left the model; not with `sanitize`."""
        outputs = self._invoke(checked_inputs(self._source.inputs, inputs))
        return [_array(i, data) for i, data in zip(self._source.outputs, outputs, strict=True)]

    def steps(self, inputs: Sequence[Array]) -> list[bytes]:
        """Return what each step of `source.steps` computed, in order."""
        return self.run_all(inputs)[1]

    def run_all(self, inputs: Sequence[Array]) -> tuple[list[Array], list[bytes]]:
        """As `run`, and the bytes of every step of the inference; raises DataError."""
        if not self._sanitize:
            self.restart()
            return self.step_all(inputs)
        return self._arrays(*self._in_process(checked_inputs(self._source.inputs, inputs)))

    def step_all(self, inputs: Sequence[Array]) -> tuple[list[Array], list[bytes]]:
        """As `run_all`, in the state in which the last call left the model; not with `sanitize`."""
        return self._arrays(*self._in_library(checked_inputs(self._source.inputs, inputs)))

    def _arrays(self, outputs: list[bytes], steps: list[bytes]) -> tuple[list[Array], list[bytes]]:
        pairs = zip(self._source.outputs, outputs, strict=True)
        return [_array(info, data) for info, data in pairs], steps

    def _in_library(self, inputs: Sequence[Array]) -> tuple[list[bytes], list[bytes]]:
        library = self._library
        steps: list[bytes] = []
        sizes = [step.bytes for step in self._source.steps]
        hook_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        hook = hook_type(lambda _, step, data: steps.append(ctypes.string_at(data, sizes[step])))
        library.tml_model_set_step_hook(hook, None)
        try:
            return self._invoke(inputs), steps
        finally:
            library.tml_model_set_step_hook(hook_type(), None)

    def _invoke(self, inputs: Sequence[Array]) -> list[bytes]:
        library = self._library
        for index, array in enumerate(inputs):
            ctypes.memmove(library.tml_model_input(index), array.tobytes(), array.nbytes)
        _check(library.tml_model_invoke())
        return [
            ctypes.string_at(library.tml_model_output(index), info.bytes)
            for index, info in enumerate(self._source.outputs)
        ]

    def _in_process(self, inputs: Sequence[Array]) -> tuple[list[bytes], list[bytes]]:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "inputs"), Path(folder, "results")
            source.write_bytes(b"".join(array.tobytes() for array in inputs))
            proc.run([self._binary, source, target], timeout_s=120)
            results = target.read_bytes()
        sizes = [step.bytes for step in self._source.steps]
        sizes += [info.bytes for info in self._source.outputs]
        ends = np.cumsum(sizes).tolist()
        parts = [results[end - size : end] for size, end in zip(sizes, ends, strict=True)]
        count = len(self._source.steps)
        return parts[count:], parts[:count]

    @cached_property
    def _library(self) -> Any:
        library = ctypes.CDLL(str(self._binary))
        library.tml_model_input.restype = ctypes.c_void_p
        library.tml_model_output.restype = ctypes.c_void_p
        _check(library.tml_model_init())
        return library


def _check(status: int) -> None:
    if status != 0:
        raise ToolError(f"the host build of the model failed with {status}")


def _array(info: TensorInfo, data: bytes) -> Array:
    return np.frombuffer(data, info.dtype).reshape(info.shape)


def _build(source: CSource, sanitize: bool) -> Path:
    """Compile `source`, unless the cache has it; returns the shared library or executable."""
    compiler = proc.require(os.environ.get("CC", "cc"), _HINT)
    contract = paths.shared("firmware_templates") / "common" / "model.h"
    flags = ["-std=c99", "-O1" if sanitize else "-O2", *_WARNINGS]
    flags += _SANITIZE if sanitize else ["-shared", "-fPIC"]
    texts = {**source.files, contract.name: contract.read_text()}
    if sanitize:
        texts[_RUNNER.name] = _RUNNER.read_text()
    digest = hashlib.sha256(repr((compiler, flags, sorted(texts.items()))).encode()).hexdigest()
    binary = paths.cache() / "host" / (digest[:32] + ("" if sanitize else ".so"))
    if binary.is_file():
        return binary
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        for name, text in texts.items():
            Path(folder, name).write_text(text)
        units = sorted(Path(folder).glob("*.c"))
        built = Path(folder, "built")
        proc.run([compiler, *flags, "-o", built, *units], hint=_HINT)
        built.replace(binary)
    return binary
