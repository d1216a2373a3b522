"""Shape arithmetic disappears before run time; what depends on an input stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import tflite
from tinyml.compiler.passes import fold_constants, run_all

GOLDEN = Path(__file__).parent.parent / "golden"


def read(name: str) -> tflite.Graph:
    return tflite.read((GOLDEN / f"{name}.tflite").read_bytes())


def test_keras_flatten_leaves_one_operator() -> None:
    graph, folded = run_all(read("graph/keras_flatten"))
    assert [op.name for op in graph.ops] == ["RELU"]
    assert [item.op_name for item in folded] == ["SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE"]
    assert all(item.reason for item in folded)


def test_folded_value_is_the_target_shape() -> None:
    before = read("graph/keras_flatten")
    graph, _ = fold_constants.run(before)
    target = next(op for op in before.ops if op.name == "PACK").outputs[0]
    value = graph.tensors[target].data
    assert value is not None
    assert value.dtype == np.int32
    assert value.tolist() == [1, -1]


def test_concatenated_shape() -> None:
    graph, folded = run_all(read("graph/shape_as_constant"))
    assert graph.ops == ()
    assert len(folded) == 4


@pytest.mark.parametrize("name", ["strided_slice/middle", "concatenation/batch", "graph/diamond"])
def test_computation_on_inputs_stays(name: str) -> None:
    before = read(name)
    graph, folded = fold_constants.run(before)
    assert graph == before
    assert folded == ()
