"""What a device is compared with: the TFLM interpreter, or a host build of another generation.

There is an interpreter of one generation of TFLM only. Of the others, the compiled runtime computes
the arithmetic, and its host build stands for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml import tflite
from tinyml.compiler import compile_graph, passes
from tinyml.errors import UnsupportedOpError
from tinyml.model import generations
from tinyml.model.generations import Generation
from tinyml.model.host_library import HostModel
from tinyml.records import Bundle
from tinyml.tflite import Graph

Array = NDArray[Any]


class Reference(Protocol):
    """What is compared with: `tinyml.oracle.Oracle`, `HostReference`, or another one in tests."""

    @property
    def graph(self) -> Graph:
        """The model, for the names of its operators and tensors."""

    def restart(self) -> None:
        """Forget earlier inferences, where the model keeps any state."""

    def step(self, inputs: Sequence[Array]) -> list[Array]:
        """Return the outputs."""

    def step_all(self, inputs: Sequence[Array]) -> tuple[list[Array], dict[int, Array]]:
        """Return the outputs and every tensor by its index."""


def load(bundle: Bundle, generation: Generation = generations.REFERENCE) -> tuple[Reference, str]:
    """Return what gives the answers of `bundle` under TFLM of `generation`, and what that is.

    That is the interpreter, whatever the generation, for a model without an operator that the two
    compute differently; and for one that the compiled runtime cannot run, which the words then say.
    Raises ModelError where the interpreter refuses the model.
    """
    from tinyml.model.oracle import Oracle

    graph = tflite.read(bundle.model, bundle.name)
    interpreter = f"TFLM interpreter, generation {generations.REFERENCE.name}"
    differing = sorted({op.name for op in graph.ops} & generation.float32)
    if not differing:
        same = (
            "" if generation is generations.REFERENCE else f", for this model as {generation.name}"
        )
        return Oracle(bundle.model, bundle.name), interpreter + same
    try:
        host = HostReference(graph, generation)
    except UnsupportedOpError:
        apart = f"{generation.name} may differ by 1 from {', '.join(differing)} on"
        return Oracle(bundle.model, bundle.name), f"{interpreter}: {apart}"
    return host, f"host build of the compiled runtime as TFLM generation {generation.name}"


class HostReference:
    """The host build of the compiled runtime with the arithmetic of one generation of TFLM.

    Raises ToolError where no C compiler works.
    """

    def __init__(self, graph: Graph, generation: Generation) -> None:
        self.graph = graph
        whole = replace(graph, exchangeable=True)  # no channel may be missing that others compare
        self._source = compile_graph(whole, "reference", generation=generation)
        self._host = HostModel(self._source)
        self._rewritten, _ = passes.run_all(whole)

    def restart(self) -> None:
        """Forget earlier inferences."""
        self._host.restart()

    def step(self, inputs: Sequence[Array]) -> list[Array]:
        """Return the outputs for `inputs`, in the model's shapes and dtypes; raises DataError."""
        return self._host.step(inputs)

    def step_all(self, inputs: Sequence[Array]) -> tuple[list[Array], dict[int, Array]]:
        """Return the outputs, and by its index every tensor that an operator writes.

        Tensors that need no computation at run time are there as well: constants and other names.
        """
        outputs, steps = self._host.step_all(inputs)
        computed: dict[int, Array] = dict(zip(self.graph.inputs, inputs, strict=True))
        for step, content in zip(self._source.steps, steps, strict=True):
            tensor = self.graph.tensors[step.tensor_index]
            computed[step.tensor_index] = np.frombuffer(content, tensor.dtype)
        tensors = {}
        for index in (index for op in self.graph.ops for index in op.outputs):
            value = self._rewritten.tensors[index].data
            if value is None:
                value = computed.get(self._rewritten.storage(index))
            if value is not None:
                tensors[index] = value.reshape(self.graph.tensors[index].shape)
        return outputs, tensors
