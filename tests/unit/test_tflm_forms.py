"""A model that a TFLM library computes wrong or cannot run is refused for it by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tinyml import tflite
from tinyml.errors import ModelError
from tinyml.runtimes import _tflm_forms
from tinyml.tflite import Graph, Op, Tensor

ARDUINO, TREE = "2023", "2026-08"


def graph(
    name: str,
    inputs: list[tuple[tuple[int, ...], str, float]],
    output: tuple[int, ...] = (1, 4),
    scale: float = 0.1,
    **options: Any,
) -> Graph:
    """One operator; its inputs as (shape, dtype, scale), its output int8."""
    described = [*inputs, (output, "int8", scale)]
    tensors = tuple(
        Tensor(index, f"t{index}", dtype, shape, (float(one),), (0,))
        for index, (shape, dtype, one) in enumerate(described)
    )
    last = len(inputs)
    op = Op(0, name, tuple(range(last)), (last,), options)
    return Graph("made", "00" * 32, tensors, (op,), (0,), (last,), {})


PICTURE = ((1, 8, 8, 4), "int8", 0.1)
BATCH = ((3, 8, 8, 4), "int8", 0.1)
FILTER, HALF_FILTER = ((4, 3, 3, 4), "int8", 0.1), ((4, 3, 3, 2), "int8", 0.1)
BIAS, AXES = ((4,), "int32", 0.01), ((2,), "int32", 0.0)
SMALL, LARGE = ((1, 4, 4, 2), "int8", 0.1), ((1, 4, 4, 2), "int8", 300.0)


@pytest.mark.parametrize(
    ("made", "generations"),
    [
        (graph("CONV_2D", [PICTURE, FILTER, BIAS]), ()),
        (graph("CONV_2D", [PICTURE, HALF_FILTER, BIAS]), (ARDUINO,)),
        (graph("CONV_2D", [PICTURE, FILTER]), (ARDUINO,)),
        (graph("MAX_POOL_2D", [PICTURE]), ()),
        (graph("MAX_POOL_2D", [BATCH]), (ARDUINO,)),
        (graph("AVERAGE_POOL_2D", [BATCH]), (ARDUINO,)),
        (graph("MEAN", [PICTURE, AXES]), (ARDUINO,)),
        (graph("MEAN", [((1, 8), "float32", 0.0), AXES]), ()),
        (graph("SUM", [PICTURE, AXES]), (ARDUINO,)),
        (graph("SQUARED_DIFFERENCE", [SMALL, SMALL]), ()),
        (graph("SQUARED_DIFFERENCE", [SMALL, LARGE]), (ARDUINO,)),
        (graph("ADD", [((2, 3, 4, 5, 2), "int8", 0.1), ((2,), "int8", 0.1)]), (ARDUINO,)),
        (graph("ADD", [((2, 3, 4, 5, 2), "int8", 0.1)] * 2), ()),
        (graph("TRANSPOSE", [((2, 3, 2, 2, 3), "int8", 0.1)]), (TREE,)),
        (graph("TRANSPOSE", [((2, 3, 2, 3), "int16", 0.1)]), (ARDUINO,)),
        (graph("TRANSPOSE_CONV", [PICTURE], fused_activation_function=1), (ARDUINO, TREE)),
        (graph("TRANSPOSE_CONV", [PICTURE]), ()),
        (graph("RESIZE_NEAREST_NEIGHBOR", [PICTURE, AXES], (1, 12, 12, 4),
               half_pixel_centers=True), (ARDUINO,)),
        (graph("RESIZE_NEAREST_NEIGHBOR", [PICTURE, AXES], (1, 16, 16, 4),
               half_pixel_centers=True), ()),
        (graph("BATCH_MATMUL", [PICTURE, PICTURE]), (ARDUINO,)),
        (graph("UNIDIRECTIONAL_SEQUENCE_LSTM", [PICTURE] * 19 + [((1, 6), "int16", 2.0**-13)]),
         (ARDUINO, TREE)),
        (graph("UNIDIRECTIONAL_SEQUENCE_LSTM", [PICTURE] * 19 + [((1, 6), "int16", 2.0**-12)]),
         (TREE,)),
    ],
)  # fmt: skip
def test_forms_by_generation(made: Graph, generations: tuple[str, ...]) -> None:
    for generation in (ARDUINO, TREE):
        found = _tflm_forms.bad_form(made, generation)
        assert (found is not None) == (generation in generations), generation


def test_the_refusal_names_library_operator_and_form() -> None:
    with pytest.raises(ModelError, match=r"the TFLM library of 2023 .*operator 0 SUM") as caught:
        _tflm_forms.require_right(
            graph("SUM", [PICTURE, AXES]), ARDUINO, "the TFLM library of 2023"
        )
    assert "--runtime compiled" in caught.value.hint


def test_a_damaged_operator_is_no_bad_form() -> None:
    assert _tflm_forms.bad_form(graph("MAX_POOL_2D", []), ARDUINO) is None


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "operator"),
    list(
        {
            "lstm": "UNIDIRECTIONAL_SEQUENCE_LSTM",
            "groupconv": "CONV_2D",
            "reduce_sum": "SUM",
            "batch4": "MAX_POOL_2D",
            "mean_keep_c": "MEAN",
            "layernorm": "MEAN",
            "mha": "BATCH_MATMUL",
        }.items()
    ),
)
def test_models_that_were_seen_to_go_wrong(name: str, operator: str) -> None:
    file = Path(os.environ["TINYML_TEST_DATA"]) / "faults" / "models" / f"{name}.tflite"
    found = _tflm_forms.bad_form(tflite.read(file.read_bytes(), name), ARDUINO)
    assert found is not None
    assert found[0].name == operator
