"""Generations of TFLM: the oracle's arithmetic by default, another's where it is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from builder import ModelBuilder, Quant, schema

from tinyml import tflite
from tinyml.compiler import compile_graph
from tinyml.errors import ConfigError
from tinyml.model import generations
from tinyml.model.host_library import HostModel
from tinyml.model.oracle import Oracle

pytestmark = pytest.mark.needs_cc
OTHERS = [name for name, it in generations.GENERATIONS.items() if it is not generations.REFERENCE]


def differing(
    model: bytes, vectors: Sequence[Sequence[np.ndarray]], generation: str | None = None
) -> int:
    """The number of `vectors` on which an output is not the oracle's."""
    chosen = generations.REFERENCE if generation is None else generations.load(generation)
    host = HostModel(compile_graph(tflite.read(model), "test", generation=chosen))
    oracle = Oracle(model)
    return sum(
        any(
            got.tobytes() != want.tobytes()
            for got, want in zip(host.run(vector), oracle.run(vector), strict=True)
        )
        for vector in vectors
    )


def difference_of_tenths() -> ModelBuilder:
    """(0.3 a - 0.1 b) / 0.2: half of all results lie halfway between two values."""
    model = ModelBuilder("difference_of_tenths")
    inputs = [model.input([1, 256], Quant(0.3)), model.input([1, 256], Quant(0.1))]
    model.op("SUB", inputs, [model.output([1, 256], Quant(0.2))], schema.SubOptionsT())
    return model


def rectified_tenths() -> ModelBuilder:
    """RELU from scale 0.1 to 0.2."""
    model = ModelBuilder("rectified_tenths")
    model.op("RELU", [model.input([256], Quant(0.3))], [model.output([256], Quant(0.6))])
    return model


def dense_of_tenths() -> ModelBuilder:
    """Sums times 0.1 * 0.7 / 0.14: halves of small integers."""
    model = ModelBuilder("dense_of_tenths")
    weights = model.constant(model.rng.integers(-1, 2, [16, 8]), Quant(0.7))
    y = model.output([32, 16], Quant(0.14))
    options = schema.FullyConnectedOptionsT()
    model.op("FULLY_CONNECTED", [model.input([32, 8], Quant(0.1)), weights], [y], options)
    return model


@pytest.mark.parametrize("make", [difference_of_tenths, rectified_tenths, dense_of_tenths])
def test_the_default_is_the_oracle_on_halves(make: type[ModelBuilder]) -> None:
    model = make()
    vectors = list(zip(*model.vectors(20), strict=True))
    assert differing(model.bytes(), vectors) == 0


@pytest.mark.parametrize("name", OTHERS)
def test_another_generation_differs_where_halves_are(name: str) -> None:
    model = difference_of_tenths()
    assert differing(model.bytes(), list(zip(*model.vectors(2), strict=True)), name) > 0


@pytest.mark.parametrize("name", OTHERS)
def test_generations_agree_where_scales_are_powers_of_two(name: str) -> None:
    model = ModelBuilder("binary_scales")
    inputs = [model.input([1, 256], Quant(0.5)), model.input([1, 256], Quant(0.25))]
    model.op("SUB", inputs, [model.output([1, 256], Quant(0.5))], schema.SubOptionsT())
    assert differing(model.bytes(), list(zip(*model.vectors(4), strict=True)), name) == 0


def test_an_unknown_generation_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        generations.load("2026-11")
    assert "2026-1" in caught.value.hint or "2026-0" in caught.value.hint


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        ("models/mlperf_tiny/ad01_int8", "ad01_differs"),
        ("faults/models/subtie", "subtie"),
        ("faults/models/subtie2", "subtie2"),
    ],
)
def test_inputs_on_which_generations_part_are_the_oracle_s(
    model: str, inputs: str, data: Path
) -> None:
    content = (data / f"{model}.tflite").read_bytes()
    arrays = np.load(data / "faults/models" / f"{inputs}.npz")
    vectors = list(zip(*(arrays[name] for name in sorted(arrays)), strict=True))
    assert differing(content, vectors) == 0
    assert all(differing(content, vectors, name) == len(vectors) for name in OTHERS)
