"""Validation: a device's outputs, and on request its layers, compared bit for bit with a reference.

A connected device and input vectors in, a `ValidationReport` out; a difference is a report with
`passed=False`, never an exception. `reference` says what is compared with.
"""

from __future__ import annotations

import statistics
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml import __version__, runtimes
from tinyml.compiler import ops
from tinyml.device import mismatch
from tinyml.device.mismatch import SettingMismatch
from tinyml.errors import DeviceError
from tinyml.firmware import boards
from tinyml.measure.reference import Reference, load
from tinyml.model import generations
from tinyml.model.generations import Generation
from tinyml.model.tensor_diff import Difference, computed, difference
from tinyml.model.vectors import Vector
from tinyml.records import Bundle, Firmware, Folded, Step

if TYPE_CHECKING:
    from tinyml.device import Device, DeviceInfo, LayerResult

Array = NDArray[Any]


@dataclass(frozen=True)
class Mismatch:
    """A vector whose outputs differ from the reference."""

    vector: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class LayerCheck:
    """One step over all vectors: how often its tensor differed; `first` where it was fetched.

    `counter`: its cost, the lowest seen, in the report's `counter_unit`. `macs`:
    multiply-accumulates as its shapes imply them.
    """

    step: int
    op_index: int
    op_name: str
    tensor: str
    compared: int
    mismatched: int
    first: Difference | None
    counter: int = 0
    macs: int = 0


@dataclass(frozen=True)
class ValidationReport:
    """The comparison in figures. JSON document `tinyml.validate/1` has exactly these fields.

    `vectors`, `values`: inferences and output elements compared; `mismatched_*`: of them. `worst`:
    the largest difference of an output in units of its dtype (LSB for int8). `top1_agreement`:
    part of the vectors whose highest output is the same, None where there is no such thing.
    `counter_unit`: "instructions" or "cycles", per inference. Memory is in bytes; flash and RAM are
    those of the whole firmware, None where its build is not known. `folded`: operators that do not
    exist at run time, so that no layer stands for them. `counters`: one per inference, in order.
    `settings`: what the firmware was built with that is not what the model's bundle says.
    `reference`: what was compared with, and the generation of TFLM that it is, in words.
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
    counters: tuple[int, ...] = ()
    settings: tuple[SettingMismatch, ...] = ()
    reference: str = ""


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
    generation: Generation = generations.REFERENCE,
    reference: Reference | None = None,
    on_vector: Callable[[int, Vector], None] | None = None,
) -> ValidationReport:
    """Run every vector on `device` and on the reference and compare bit for bit.

    `layers` also compares the tensor of every step that exists at run time: by CRC-32, and the
    first one that differs element by element. Of a model that keeps state, the vectors are one
    sequence that begins anew. `firmware` adds its sizes to the report. `generation`: of TFLM, that
    the device is to equal; `reference` is one of it that exists already.
    `on_vector` is called before each vector. Raises DeviceError for another model or a device that
    fails, ModelError where the reference refuses the model.
    """
    require_model(device, bundle)
    chosen = (reference, "") if reference is not None else load(bundle, generation)
    run = _Run(device, *chosen)
    keeps_state = run.start()
    for number, vector in enumerate(vectors):
        if on_vector is not None:
            on_vector(number, vector)
        run.compare_outputs(vector)
        if layers and not keeps_state:
            run.compare_layers(vector)
    if layers and keeps_state:  # each inference counts, so layers need a sequence of their own
        run.start()
        for vector in vectors:
            run.compare_layers(vector)
    return run.report(bundle, firmware)


class _Run:
    """What has been compared so far."""

    def __init__(self, device: Device, reference: Reference, described: str) -> None:
        self._device = device
        self._reference = reference
        self._described = described
        graph = reference.graph
        self._op_names = {op.index: op.name for op in graph.ops}
        self._macs = {op.index: ops.macs(op, graph) for op in graph.ops}
        self._vectors = 0
        self._values = 0
        self._top1: list[bool] = []
        self._counters: list[int] = []
        self._mismatches: list[Mismatch] = []
        self._layers: dict[int, LayerCheck] = {}
        self._sequence: list[Vector] = []  # since the start, where the model keeps state

    def start(self) -> bool:
        """Begin a sequence; return whether the model keeps state, which both sides then forget."""
        self._reference.restart()
        self._sequence.clear()
        if self._reference.graph.keeps_state:
            self._device.forget()
        return self._reference.graph.keeps_state

    def compare_outputs(self, vector: Vector) -> None:
        expected = self._reference.step(vector.arrays)
        inference = self._device.infer(vector.arrays)
        differences = []
        for info, want, got in zip(
            self._device.info.outputs, expected, inference.outputs, strict=True
        ):
            self._values += want.size
            if (differs := difference(info.name, want, got.reshape(want.shape))) is not None:
                differences.append(differs)
        if differences:
            self._mismatches.append(Mismatch(vector.name, tuple(differences)))
        if len(expected) == 1 and expected[0].size > 1:
            self._top1.append(int(expected[0].argmax()) == int(inference.outputs[0].argmax()))
        self._vectors += 1
        self._counters.append(inference.counter)

    def compare_layers(self, vector: Vector) -> None:
        _, tensors = self._reference.step_all(vector.arrays)
        if self._reference.graph.keeps_state:
            self._sequence.append(vector)
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
            self._count_layer(result, step, differs, first)

    def _fetch(self, number: int, step: Step, expected: Array) -> Difference | None:
        self._replay()
        raw = self._device.layer(number)
        actual = np.frombuffer(raw, expected.dtype).reshape(expected.shape)
        name = self._reference.graph.tensors[step.tensor_index].name
        return difference(name, expected, actual, step.channels)

    def _replay(self) -> None:
        """Bring a device whose model keeps state to where it was before the last inference."""
        if self._sequence:
            self._device.forget()
            for vector in self._sequence[:-1]:
                self._device.infer(vector.arrays)
            self._device.send_inputs(self._sequence[-1].arrays)

    def _count_layer(
        self, result: LayerResult, step: Step, differs: bool, first: Difference | None
    ) -> None:
        before = self._layers.get(result.step)
        self._layers[result.step] = LayerCheck(
            step=result.step,
            op_index=step.op_index,
            op_name=self._op_names[step.op_index],
            tensor=self._reference.graph.tensors[step.tensor_index].name,
            compared=(before.compared if before else 0) + 1,
            mismatched=(before.mismatched if before else 0) + differs,
            first=(before.first if before else None) or first,
            counter=min(result.counter, before.counter) if before else result.counter,
            macs=self._macs[step.op_index],
        )

    def report(self, bundle: Bundle, firmware: Firmware | None) -> ValidationReport:
        info, status = self._device.info, self._device.status()
        built = _settings(info, status.arena, bundle, firmware)
        layers = tuple(self._layers[number] for number in sorted(self._layers))
        diverging = next((layer for layer in layers if layer.mismatched), None)
        differences = [differs for mismatch in self._mismatches for differs in mismatch.differences]
        return ValidationReport(
            passed=self._vectors > 0 and not (self._mismatches or diverging or built),
            model=bundle.name,
            sha256=bundle.sha256,
            board=info.board,
            runtime=info.runtime,
            vectors=self._vectors,
            mismatched_vectors=len(self._mismatches),
            values=self._values,
            mismatched_values=sum(differs.count for differs in differences),
            worst=max((differs.worst for differs in differences), default=0.0),
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
            counters=tuple(self._counters),
            settings=built,
            reference=self._described,
        )


def _settings(
    info: DeviceInfo, arena_bytes: int, bundle: Bundle, firmware: Firmware | None
) -> tuple[SettingMismatch, ...]:
    """What the device was built with that is not what `bundle` says, its arena included."""
    differing = mismatch.of_settings(info, bundle)
    source = firmware.project.source if firmware is not None else None
    if source is None and info.version == __version__ and info.runtime in runtimes.names():
        runtime = runtimes.load(info.runtime)
        if runtime.stands_alone:  # its arena is known to the byte
            source = runtime.generate(bundle, boards.load(boards.DEFAULT))
    return (
        differing if source is None else (*differing, *mismatch.of_arena(info, arena_bytes, source))
    )
