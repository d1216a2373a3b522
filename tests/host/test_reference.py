"""The reference of another generation of TFLM: every tensor of the host build, as the oracle's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import tflite
from tinyml.measure import reference
from tinyml.model import bundle, generations
from tinyml.model.oracle import Oracle

GOLDEN = Path(__file__).parents[1] / "golden"
pytestmark = pytest.mark.needs_cc


@pytest.mark.parametrize(
    "name", ["keras_flatten", "shape_as_constant", "diamond", "float_branches"]
)
def test_the_host_build_knows_every_tensor_that_the_interpreter_writes(name: str) -> None:
    path = GOLDEN / "graph" / f"{name}.tflite"
    oracle = Oracle(path.read_bytes(), name)
    arrays = np.load(path.with_suffix(".npz"))
    inputs = [arrays[f"in{index}"][0] for index in range(len(oracle.inputs))]
    wanted, tensors = oracle.run_all(inputs)
    host = reference.HostReference(tflite.read(path.read_bytes()), generations.REFERENCE)
    outputs, found = host.step_all(inputs)
    for got, want in zip((*outputs, *host.step(inputs)), (*wanted, *wanted), strict=True):
        np.testing.assert_array_equal(got.reshape(want.shape), want)
    assert found.keys() == tensors.keys()
    for index, tensor in tensors.items():
        np.testing.assert_array_equal(found[index].reshape(tensor.shape), tensor)


def test_the_interpreter_stands_for_its_own_generation_only() -> None:
    model = bundle.load(GOLDEN / "sub" / "channel.tflite")
    chosen, words = reference.load(model)
    assert isinstance(chosen, Oracle)
    assert generations.REFERENCE.name in words
    chosen, words = reference.load(model, generations.load("2023"))
    assert isinstance(chosen, reference.HostReference)
    assert "2023" in words


def test_the_interpreter_stands_for_others_where_they_compute_the_same() -> None:
    model = bundle.load(GOLDEN / "add" / "channel.tflite")
    chosen, words = reference.load(model, generations.load("2023"))
    assert isinstance(chosen, Oracle)
    assert "for this model as 2023" in words


@pytest.mark.needs_data
def test_what_the_compiled_runtime_lacks_is_said(data: Path) -> None:
    model = bundle.load(data / "models/tflm/trained_lstm_int8.tflite")
    chosen, words = reference.load(model, generations.load("2023"))
    assert isinstance(chosen, Oracle)
    assert "2023 may differ by 1" in words
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in words


@pytest.mark.needs_data
def test_channels_that_the_compiler_leaves_out_are_there_to_compare(data: Path) -> None:
    """In vww, channels of 18 tensors are constant, and the compiled model has none of them."""
    path = data / "models/mlperf_tiny/vww_96_int8.tflite"
    oracle = Oracle(path.read_bytes(), "vww")
    x = np.random.default_rng(3).integers(-128, 128, (1, 96, 96, 3)).astype(np.int8)
    _, tensors = oracle.run_all([x])
    host = reference.HostReference(tflite.read(path.read_bytes()), generations.REFERENCE)
    _, found = host.step_all([x])
    for index, tensor in tensors.items():
        np.testing.assert_array_equal(found[index].reshape(tensor.shape), tensor)
