"""Is what a device computes what the reference computes? Every output, on request every layer.

A connected device and input vectors in, a `ValidationReport` out; a difference is a report with
`passed=False`, never an exception. The reference is the TFLM interpreter (`tinyml.oracle`).
"""

from __future__ import annotations

import statistics
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import DeviceError
from tinyml.records import Bundle, Firmware, Folded, Step
from tinyml.tflite import Graph
from tinyml.vectors import Vector

if TYPE_CHECKING:
    from tinyml.device import Device

Array = NDArray[Any]


@dataclass(frozen=True)
class Difference:
    """The first of `count` elements that differ in one tensor.

    `worst` is the largest distance in units of the dtype; infinite where one side is NaN.
    """

    tensor: str
    index: tuple[int, ...]
    expected: float
    actual: float
    count: int
    worst: float


@dataclass(frozen=True)
class Mismatch:
    """A vector whose outputs differ from the reference."""

    vector: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class LayerCheck:
    """One step over all vectors: how often its tensor differed; `first` where it was fetched."""

    step: int
    op_index: int
    op_name: str
    tensor: str
    compared: int
    mismatched: int
    first: Difference | None


@dataclass(frozen=True)
class ValidationReport:
    """The comparison in figures. JSON document `tinyml.validate/1` has exactly these fields.

    `vectors`, `values`: inferences and output elements compared; `mismatched_*`: of them. `worst`:
    the largest difference of an output in units of its dtype (LSB for int8). `top1_agreement`:
    part of the vectors whose highest output is the same, None where there is no such thing.
    `counter_unit`: "instructions" or "cycles", per inference. Memory is in bytes; flash and RAM are
    those of the whole firmware, None where its build is not known. `folded`: operators that do not
    exist at run time, so that no layer stands for them.
    """

    passed: bool
    model: str
    sha256: str
    board: str
    runtime: str
    vectors: int
    mismatched_vectors: int
    values: int
    mismatched_values: int
    worst: float
    top1_agreement: float | None
    counter_unit: str
    counter_min: int
    counter_median: int
    counter_max: int
    arena_bytes: int
    stack_used_bytes: int
    stack_bytes: int
    flash_bytes: int | None
    ram_bytes: int | None
    mismatches: tuple[Mismatch, ...]
    layers: tuple[LayerCheck, ...]
    folded: tuple[Folded, ...]
    first_diverging_layer: LayerCheck | None


class Reference(Protocol):
    """What is compared with: `tinyml.oracle.Oracle`, or another one in tests."""

    @property
    def graph(self) -> Graph:
        """The model, for the names of its operators and tensors."""

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Return the outputs."""

    def run_all(self, inputs: Sequence[Array]) -> tuple[list[Array], dict[int, Array]]:
        """Return the outputs and every tensor by its index."""


def require_model(device: Device, bundle: Bundle) -> None:
    """Raise DeviceError where the device runs another model than `bundle`."""
    if device.info.sha256 != bundle.sha256:
        raise DeviceError(
            f"the device runs {device.info.model} ({device.info.sha256[:12]}), not {bundle.name} "
            f"({bundle.sha256[:12]})",
            f"flash it first: tinyml flash {bundle.path} --board {device.info.board}",
        )


def validate(
    device: Device,
    bundle: Bundle,
    vectors: Sequence[Vector],
    *,
    layers: bool = False,
    firmware: Firmware | None = None,
    reference: Reference | None = None,
    on_vector: Callable[[int, Vector], None] | None = None,
) -> ValidationReport:
    """Run every vector on `device` and on the reference and compare bit for bit.

    `layers` also compares the tensor of every step that exists at run time: by CRC-32, and the
    first one that differs element by element. `firmware` adds its sizes to the report.
    `on_vector` is called before each vector. Raises DeviceError for another model or a device that
    fails, ModelError where the reference refuses the model.
    """
    from tinyml.oracle import Oracle

    require_model(device, bundle)
    run = _Run(device, reference or Oracle(bundle.model, bundle.name))
    for number, vector in enumerate(vectors):
        if on_vector is not None:
            on_vector(number, vector)
        run.compare_outputs(vector)
        if layers:
            run.compare_layers(vector)
    return run.report(bundle, firmware)


def difference(name: str, expected: Array, actual: Array) -> Difference | None:
    """Return where and how much two tensors differ, or None where their bytes are the same."""
    if expected.tobytes() == actual.tobytes():
        return None
    differs = _bits(expected) != _bits(actual)
    first = tuple(int(axis) for axis in np.argwhere(differs)[0])
    distance = np.abs(expected.astype(np.float64) - actual.astype(np.float64))
    return Difference(
        tensor=name,
        index=first,
        expected=float(expected[first]),
        actual=float(actual[first]),
        count=int(differs.sum()),
        worst=float(np.nan_to_num(distance[differs], nan=np.inf).max()),
    )


def _bits(array: Array) -> Array:
    """The bit pattern of each element, so that NaN equals itself and -0.0 is not 0.0."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


class _Run:
    """What has been compared so far."""

    def __init__(self, device: Device, reference: Reference) -> None:
        self._device = device
        self._reference = reference
        self._op_names = {op.index: op.name for op in reference.graph.ops}
        self._vectors = 0
        self._values = 0
        self._top1: list[bool] = []
        self._counters: list[int] = []
        self._mismatches: list[Mismatch] = []
        self._layers: dict[int, LayerCheck] = {}

    def compare_outputs(self, vector: Vector) -> None:
        expected = self._reference.run(vector.arrays)
        inference = self._device.infer(vector.arrays)
        found = []
        for info, want, got in zip(
            self._device.info.outputs, expected, inference.outputs, strict=True
        ):
            self._values += want.size
            if (differs := difference(info.name, want, got.reshape(want.shape))) is not None:
                found.append(differs)
        if found:
            self._mismatches.append(Mismatch(vector.name, tuple(found)))
        if len(expected) == 1 and expected[0].size > 1:
            self._top1.append(int(expected[0].argmax()) == int(inference.outputs[0].argmax()))
        self._vectors += 1
        self._counters.append(inference.counter)

    def compare_layers(self, vector: Vector) -> None:
        _, tensors = self._reference.run_all(vector.arrays)
        steps = self._device.info.steps
        diverged = False
        for result in self._device.layers(vector.arrays):
            step = steps[result.step]
            expected = computed(tensors[step.tensor_index], step.channels)
            differs = zlib.crc32(expected.tobytes()) != result.crc
            first = None
            if differs and not diverged:
                first = self._fetch(result.step, step, expected)
                diverged = True
            self._count_layer(result.step, step, differs, first)

    def _fetch(self, number: int, step: Step, expected: Array) -> Difference | None:
        raw = self._device.layer(number)
        actual = np.frombuffer(raw, expected.dtype).reshape(expected.shape)
        return difference(self._reference.graph.tensors[step.tensor_index].name, expected, actual)

    def _count_layer(
        self, number: int, step: Step, differs: bool, first: Difference | None
    ) -> None:
        before = self._layers.get(number)
        self._layers[number] = LayerCheck(
            step=number,
            op_index=step.op_index,
            op_name=self._op_names[step.op_index],
            tensor=self._reference.graph.tensors[step.tensor_index].name,
            compared=(before.compared if before else 0) + 1,
            mismatched=(before.mismatched if before else 0) + differs,
            first=(before.first if before else None) or first,
        )

    def report(self, bundle: Bundle, firmware: Firmware | None) -> ValidationReport:
        info, status = self._device.info, self._device.status()
        layers = tuple(self._layers[number] for number in sorted(self._layers))
        diverging = next((layer for layer in layers if layer.mismatched), None)
        found = [one for mismatch in self._mismatches for one in mismatch.differences]
        return ValidationReport(
            passed=self._vectors > 0 and not self._mismatches and diverging is None,
            model=bundle.name,
            sha256=bundle.sha256,
            board=info.board,
            runtime=info.runtime,
            vectors=self._vectors,
            mismatched_vectors=len(self._mismatches),
            values=self._values,
            mismatched_values=sum(one.count for one in found),
            worst=max((one.worst for one in found), default=0.0),
            top1_agreement=statistics.fmean(self._top1) if self._top1 else None,
            counter_unit=info.counter_unit,
            counter_min=min(self._counters, default=0),
            counter_median=int(statistics.median_low(self._counters)) if self._counters else 0,
            counter_max=max(self._counters, default=0),
            arena_bytes=status.arena_used,
            stack_used_bytes=status.stack_used,
            stack_bytes=status.stack,
            flash_bytes=firmware.flash_bytes if firmware else None,
            ram_bytes=firmware.ram_bytes if firmware else None,
            mismatches=tuple(self._mismatches),
            layers=layers,
            folded=firmware.project.source.folded if firmware and layers else (),
            first_diverging_layer=diverging,
        )


def computed(tensor: Array, channels: Sequence[int] | None) -> Array:
    """Return what exists at run time of a tensor: those channels, in order; None means all."""
    return tensor if channels is None else np.ascontiguousarray(tensor[..., list(channels)])
