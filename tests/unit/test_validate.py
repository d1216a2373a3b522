"""The comparison itself, with a device and a reference made of a few numpy lines."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinyml.errors import DeviceError
from tinyml.measure import validate as room
from tinyml.model import tensor_diff
from tinyml.model.vectors import random
from tinyml.records import Bundle, TensorInfo

BUNDLE = Bundle("m", b"model", "aa" * 32, Path("m.tflite"))
INPUT = TensorInfo("x", "int8", (1, 8), 1.0, 0)
OUTPUT = TensorInfo("y", "int8", (1, 8), 1.0, 0)
STEPS = (
    SimpleNamespace(op_index=0, tensor_index=1, channels=(0, 2, 4, 6)),
    SimpleNamespace(op_index=1, tensor_index=2, channels=None),
)
VECTORS = random([INPUT], 5, seed=3)


def tensors(x: Any) -> dict[int, Any]:
    half = np.invert(x)
    return {1: half, 2: np.ascontiguousarray(half[:, ::-1])}


class Reference:
    graph = SimpleNamespace(
        keeps_state=False,
        ops=[
            SimpleNamespace(index=0, name="NEGATE", outputs=(1,)),
            SimpleNamespace(index=1, name="REVERSE", outputs=(2,)),
        ],
        tensors=[SimpleNamespace(name=name) for name in ("x", "half", "y")],
    )

    def restart(self) -> None:
        pass

    def step(self, inputs: Any) -> list[Any]:
        return [tensors(inputs[0])[2]]

    def step_all(self, inputs: Any) -> tuple[list[Any], dict[int, Any]]:
        return self.step(inputs), tensors(inputs[0])


@dataclass
class Device:
    """Computes as the reference does, but for the faults it is given."""

    flip: dict[int, int] = field(default_factory=dict)  # tensor -> element that is off by one
    sha256: str = BUNDLE.sha256
    fetched: list[int] = field(default_factory=list)
    parameters: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.info = SimpleNamespace(
            sha256=self.sha256,
            model="m",
            board="qemu-m4",
            runtime="compiled",
            outputs=(OUTPUT,),
            steps=STEPS,
            counter_unit="instructions",
            version="",
            features="",
            labels=(),
            parameters=self.parameters,
        )
        self.counter = 100

    def status(self) -> Any:
        return SimpleNamespace(arena=64, arena_used=64, stack_used=300, stack=4096)

    def compute(self, x: Any) -> dict[int, Any]:
        found = {index: tensor.copy() for index, tensor in tensors(x).items()}
        for index, element in self.flip.items():
            found[index][0, element] ^= 1
        return found

    def infer(self, inputs: Any) -> Any:
        self.counter += 1
        return SimpleNamespace(outputs=[self.compute(inputs[0])[2]], counter=self.counter)

    def layers(self, inputs: Any) -> Any:
        self.now = [
            tensor_diff.computed(
                self.compute(inputs[0])[step.tensor_index], step.channels
            ).tobytes()
            for step in STEPS
        ]
        return [
            SimpleNamespace(step=number, crc=zlib.crc32(raw), counter=self.counter + number)
            for number, raw in enumerate(self.now)
        ]

    def layer(self, step: int) -> bytes:
        self.fetched.append(step)
        return self.now[step]


def check(device: Device, **options: Any) -> room.ValidationReport:
    return room.validate(device, BUNDLE, VECTORS, reference=Reference(), **options)  # type: ignore


def test_an_equal_device_passes() -> None:
    report = check(Device(), layers=True)
    assert report.passed
    assert (report.vectors, report.mismatched_vectors) == (5, 0)
    assert (report.values, report.mismatched_values, report.worst) == (40, 0, 0.0)
    assert report.top1_agreement == 1.0
    assert (report.counter_min, report.counter_median, report.counter_max) == (101, 103, 105)
    assert (report.arena_bytes, report.stack_used_bytes, report.stack_bytes) == (64, 300, 4096)
    assert [(layer.compared, layer.mismatched) for layer in report.layers] == [(5, 0), (5, 0)]
    assert report.first_diverging_layer is None
    assert report.flash_bytes is None


def test_one_wrong_value_fails_and_is_named() -> None:
    report = check(Device(flip={2: 6}))
    assert not report.passed
    assert (report.mismatched_vectors, report.mismatched_values, report.worst) == (5, 5, 1.0)
    first = report.mismatches[0]
    assert first.vector == "lowest"
    assert first.differences[0].index == (0, 6)
    assert (first.differences[0].expected, first.differences[0].actual) == (127, 126)


def test_the_first_diverging_layer_is_found_though_its_output_is_equal() -> None:
    device = Device(flip={1: 4})
    report = check(device, layers=True)
    assert report.mismatched_vectors == 0
    assert not report.passed
    assert report.first_diverging_layer is not None
    assert report.first_diverging_layer.op_name == "NEGATE"
    assert report.first_diverging_layer.first is not None
    assert report.first_diverging_layer.first.index == (0, 2)  # of the computed channels
    assert set(device.fetched) == {0}


def test_a_channel_that_is_not_computed_is_not_compared() -> None:
    assert check(Device(flip={1: 5}), layers=True).passed


def test_no_vectors_prove_nothing() -> None:
    report = room.validate(Device(), BUNDLE, [], reference=Reference())  # type: ignore[arg-type]
    assert not report.passed


def test_another_model_is_refused_with_the_command() -> None:
    with pytest.raises(DeviceError, match="not m") as caught:
        check(Device(sha256="bb" * 32))
    assert "tinyml flash m.tflite --board qemu-m4" in caught.value.hint


@pytest.mark.parametrize(
    ("expected", "actual", "count", "worst"),
    [
        (np.float32([0.0, 1.0]), np.float32([-0.0, 1.0]), 1, 0.0),
        (np.float32([np.nan, 1.0]), np.float32([np.nan, 1.5]), 1, 0.5),
        (np.float32([np.nan]), np.float32([0.0]), 1, np.inf),
        (np.int8([-128, 0]), np.int8([127, 0]), 1, 255.0),
        (np.array([True, False]), np.array([True, True]), 1, 1.0),
    ],
)
def test_differences_are_of_bits(expected: Any, actual: Any, count: int, worst: float) -> None:
    found = tensor_diff.difference("t", expected, actual)
    assert found is not None
    assert (found.count, found.worst) == (count, worst)
    assert tensor_diff.difference("t", expected, expected.copy()) is None


def test_settings_that_differ_fail_and_are_named() -> None:
    report = check(Device(parameters={"stream.threshold": (0.5,)}))
    assert report.mismatched_vectors == 0
    assert not report.passed
    assert [(one.name, one.expected, one.actual) for one in report.settings] == [
        ("stream.threshold", "none", "0.5")
    ]


def test_the_channel_is_that_of_the_model_and_the_histogram_counts_all() -> None:
    expected = np.zeros((1, 2, 3), np.int8)
    actual = expected.copy()
    actual[0, :, 2] = (5, -40)
    found = tensor_diff.difference("t", expected, actual, (1, 4, 9))
    assert found is not None
    assert (found.index, found.channel, found.channels, found.all_channels) == ((0, 0, 2), 9, 1, 3)
    assert sum(one.count for one in found.histogram) == found.count == 2
    assert (found.histogram[0].low, found.histogram[0].count) == (-40, 1)
    assert found.histogram[-1].low <= 5 <= found.histogram[-1].high
    assert len(found.histogram) <= 16


def test_small_whole_differences_each_have_a_bin() -> None:
    found = tensor_diff.difference("t", np.int8([0, 0, 0, 9]), np.int8([1, -1, 1, 9]))
    assert found is not None
    assert [(one.low, one.high, one.count) for one in found.histogram] == [
        (-1, -1, 1),
        (0, 0, 0),
        (1, 1, 2),
    ]
