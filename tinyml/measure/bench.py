"""Benchmark: what a model costs on a board, beside TensorFlow Lite Micro for the same file.

Figures are instructions per inference on an emulated board (its timer counts them exactly) and
core cycles on a real one. Instructions are not time: no milliseconds are derived from them.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from tinyml import tflite
from tinyml.compiler import ops
from tinyml.measure.validate import require_model
from tinyml.model.vectors import random
from tinyml.records import Firmware, Step
from tinyml.tflite import Graph, Op

if TYPE_CHECKING:
    from tinyml.device import Device

Array = npt.NDArray[Any]
_VECTOR = 2  # the first that is random all over
_BASELINE = Path(__file__).with_name("baseline.json")


@dataclass(frozen=True)
class Baseline:
    """TFLM's figures for one model file with one set of kernels, as measured on `qemu-m4`'s CPU."""

    instructions: int
    arena_bytes: int
    flash_bytes: int
    runtime_flash_bytes: int


@dataclass(frozen=True)
class LayerCost:
    """One step: its `counter` in the row's unit, and which `share` of all steps that is.

    `macs`: multiply-accumulates as its shapes imply them; `macs_per_count` of them for each
    instruction or cycle, None where there are none. `tensor` is what it computes.
    """

    step: int
    op_index: int
    op_name: str
    tensor: str
    macs: int
    counter: int
    share: float
    macs_per_count: float | None


@dataclass(frozen=True)
class BenchRow:
    """One model. JSON document `tinyml.bench/1` has `rows` of exactly these fields.

    `counter_*`: per inference, in `counter_unit`. `code_bytes`: flash beyond the model's constants,
    application and protocol included. `tflm_*` are None for a model without a baseline;
    `ratio`: TFLM with CMSIS-NN divided by ours, None without it or where we count cycles.
    `counters`: one per inference, in order. `layers`: where they were measured, one per step.
    """

    model: str
    sha256: str
    board: str
    runtime: str
    counter_unit: str
    counter_min: int
    counter_median: int
    counter_max: int
    arena_bytes: int
    ram_bytes: int
    flash_bytes: int
    constant_bytes: int
    code_bytes: int
    tflm_reference: Baseline | None
    tflm_cmsis_nn: Baseline | None
    ratio: float | None
    counters: tuple[int, ...] = ()
    layers: tuple[LayerCost, ...] = ()


def bench(device: Device, firmware: Firmware, count: int, layers: bool = False) -> BenchRow:
    """Run `count` inferences of the model that `firmware` carries, on one seeded random input.

    `layers` measures each step as well. Raises DeviceError where the device runs another model.
    """
    bundle, source = firmware.project.bundle, firmware.project.source
    require_model(device, bundle)
    inputs = random(device.info.inputs, _VECTOR + 1, seed=0)[_VECTOR].arrays
    device.infer(inputs)
    counters = device.bench(count)
    costs = layer_costs(tflite.read(bundle.model), device, inputs, count) if layers else ()
    median = statistics.median_low(counters)
    unit = device.info.counter_unit
    cmsis_nn = baseline(bundle.sha256, "tflm_cmsis_nn")
    comparable = cmsis_nn is not None and unit == "instructions" and median > 0
    return BenchRow(
        model=bundle.name,
        sha256=bundle.sha256,
        board=device.info.board,
        runtime=device.info.runtime,
        counter_unit=unit,
        counter_min=min(counters),
        counter_median=median,
        counter_max=max(counters),
        arena_bytes=source.arena_bytes,
        ram_bytes=firmware.ram_bytes,
        flash_bytes=firmware.flash_bytes,
        constant_bytes=source.constant_bytes,
        code_bytes=firmware.flash_bytes - source.constant_bytes,
        tflm_reference=baseline(bundle.sha256, "tflm_reference"),
        tflm_cmsis_nn=cmsis_nn,
        ratio=cmsis_nn.instructions / median if cmsis_nn and comparable else None,
        counters=tuple(counters),
        layers=costs,
    )


def layer_costs(
    graph: Graph, device: Device, inputs: Sequence[Array], count: int
) -> tuple[LayerCost, ...]:
    """Run `count` inferences step by step and return the median cost of each step.

    What looking between the steps costs is in none of them.
    """
    runs = [[layer.counter for layer in device.layers(inputs)] for _ in range(count)]
    medians = [int(statistics.median_low(step)) for step in zip(*runs, strict=True)]
    ops = {op.index: op for op in graph.ops}
    return tuple(
        _cost(graph, number, ops[step.op_index], step, counter, sum(medians))
        for number, (step, counter) in enumerate(zip(device.info.steps, medians, strict=True))
    )


def _cost(graph: Graph, number: int, op: Op, step: Step, counter: int, total: int) -> LayerCost:
    macs = ops.macs(op, graph)
    return LayerCost(
        step=number,
        op_index=op.index,
        op_name=op.name,
        tensor=graph.tensors[step.tensor_index].name,
        macs=macs,
        counter=counter,
        share=counter / max(total, 1),
        macs_per_count=macs / counter if macs and counter else None,
    )


def baseline(sha256: str, kernels: str) -> Baseline | None:
    """Return TFLM's figures for a model file, with `kernels` as named in baseline.json."""
    model = _recorded()["models"].get(sha256)
    if model is None:
        return None
    figures = model[kernels]
    return Baseline(
        instructions=figures["instructions"],
        arena_bytes=figures["arena_bytes"],
        flash_bytes=figures["total_flash_bytes"],
        runtime_flash_bytes=figures["runtime_flash_bytes_leanest"],
    )


def provenance() -> str:
    """Return how the baseline was measured, in one line."""
    recorded = _recorded()
    return f"{recorded['source']}; {recorded['machine']}; {recorded['measured']}"


@cache
def _recorded() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_BASELINE.read_text(encoding="utf-8"))
    return document
