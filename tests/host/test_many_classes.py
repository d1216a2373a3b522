"""SOFTMAX over so many classes that the interpreter dies of some scores: against exact values."""

from __future__ import annotations

import numpy as np
import pytest
from builder import ModelBuilder, Quant, schema

from tinyml import tflite
from tinyml.compiler import compile_graph
from tinyml.model.host_library import HostModel

pytestmark = pytest.mark.needs_cc


@pytest.mark.parametrize("classes", [512, 1000, 4095])
@pytest.mark.parametrize("level", ["flat", "two_groups", "noise"])
def test_a_softmax_of_many_classes_is_right_where_the_interpreter_dies(
    classes: int, level: str
) -> None:
    model = ModelBuilder("many_classes")
    x = model.input([1, classes], Quant(0.05, 3))
    y = model.output([1, classes], Quant(1 / 256, -128))
    model.op("SOFTMAX", [x], [y], schema.SoftmaxOptionsT(beta=1.0))
    scores = {
        "flat": np.full(classes, 7),
        "two_groups": np.where(np.arange(classes) % 64 == 0, 127, -128),
        "noise": model.rng.integers(-4, 5, classes),
    }[level].astype(np.int8)
    host = HostModel(compile_graph(tflite.read(model.bytes()), "test"), sanitize=True)
    (output,) = host.run([scores.reshape(1, -1)])
    powers = np.exp(0.05 * (scores.astype(np.float64) - scores.max()))
    exact = powers / powers.sum() * 256 - 128
    assert np.abs(output.reshape(-1) - exact).max() <= 1
