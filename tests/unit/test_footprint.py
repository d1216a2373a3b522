"""What `inspect` says of a model: MACs from shapes, cost per runtime, and whether it fits."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from builder import SAME, ModelBuilder, Quant, schema

from tinyml import runtimes, tflite
from tinyml.compiler import ops
from tinyml.firmware import boards
from tinyml.measure import footprint
from tinyml.model import bundle

GOLDEN = Path(__file__).parents[1] / "golden"
BOARD = boards.load("qemu-m4")


def macs_by_hand(model: Path) -> int:
    """Count the multiplications of a model of one convolution or fully connected layer."""
    graph = tflite.read(model.read_bytes())
    total = 0
    for op in graph.ops:
        if op.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        weights, output = graph.input(op, 1), graph.output(op)
        per_output = np.prod(weights.shape[1:])
        if op.name == "DEPTHWISE_CONV_2D":
            per_output //= weights.shape[3]
        total += int(per_output) * output.elements
    return total


@pytest.mark.parametrize("operator", ["conv_2d", "depthwise_conv_2d", "fully_connected", "softmax"])
def test_macs_follow_from_the_shapes(operator: str) -> None:
    for model in sorted((GOLDEN / operator).glob("*.tflite")):
        found = footprint.inspect(bundle.load(model), BOARD)
        assert found.macs == macs_by_hand(model)
        assert found.macs == sum(one.macs for one in found.operators)
        assert (found.macs > 0) is (operator != "softmax")


def test_a_transposed_convolution_multiplies_each_input_with_all_taps() -> None:
    model = ModelBuilder("transposed")
    weights = model.random([5, 3, 2, 4], Quant(0.1))  # 5 channels from 4, 3x2 taps
    x = model.input([1, 6, 7, 4], Quant(0.1))
    shape = model.constant([1, 12, 14, 5], dtype="int32")
    y = model.output([1, 12, 14, 5], Quant(0.1))
    options = schema.TransposeConvOptionsT(padding=SAME, strideH=2, strideW=2)
    model.op("TRANSPOSE_CONV", [shape, weights, x], [y], options)
    graph = tflite.read(model.bytes())
    assert ops.macs(graph.ops[0], graph) == (6 * 7) * (3 * 2) * (4 * 5)


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("kws_ref_model", 2_656_768),
        ("vww_96_int8", 7_489_664),
        ("pretrainedResnet_quant", 12_501_632),
        ("ad01_int8", 264_192),
    ],
)
def test_macs_of_the_benchmark_models(name: str, macs: int, data: Path) -> None:
    model = data / "models" / "mlperf_tiny" / f"{name}.tflite"
    found = footprint.inspect(bundle.load(model), BOARD)
    assert found.macs == macs
    assert found.fits


def test_costs_are_those_of_the_generated_source() -> None:
    model = bundle.load(next(iter(sorted((GOLDEN / "conv_2d").glob("*.tflite")))))
    found = footprint.inspect(model, BOARD)
    assert [cost.runtime for cost in found.runtimes] == list(runtimes.names())
    (cost,) = (cost for cost in found.runtimes if cost.runtime == "compiled")
    source = runtimes.load("compiled").generate(model, BOARD)
    assert (cost.arena_bytes, cost.constant_bytes, cost.steps) == (
        source.arena_bytes,
        source.constant_bytes,
        len(source.steps),
    )
    assert cost.fits


@pytest.mark.parametrize(
    ("limit", "words"),
    [({"ram_bytes": 1}, "activations need"), ({"flash_bytes": 1}, "constants need")],
)
def test_a_model_too_large_says_by_how_much(limit: dict[str, int], words: str) -> None:
    model = bundle.load(next(iter(sorted((GOLDEN / "conv_2d").glob("*.tflite")))))
    found = footprint.inspect(model, dataclasses.replace(BOARD, **limit))
    assert not found.fits
    assert all(words in cost.problem and "qemu-m4 has 1" in cost.problem for cost in found.runtimes)
    assert all(cost.hint for cost in found.runtimes)
