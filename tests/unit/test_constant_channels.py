"""Dead channel elimination: what goes, what must stay at borders, and what the weights become."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from builder import SAME, VALID, ModelBuilder, Quant, schema

from tinyml import tflite
from tinyml.compiler import compile_graph
from tinyml.compiler.passes import constant_channels
from tinyml.tflite import Graph

_Q = Quant(0.02, -128)
_CHANNELS = 12


def _convolution(
    model: ModelBuilder, source: int, weights: np.ndarray, bias: list[int], padding: int,
    target: int,
) -> None:  # fmt: skip
    inputs = [source, model.constant(weights, Quant(0.01)), model.constant(bias, None, "int32")]
    options = schema.Conv2DOptionsT(padding=padding, strideH=1, strideW=1)
    model.op("CONV_2D", inputs, [target], options)


def _two_layers(kernel: int, padding: int, constant: int) -> Graph:
    """Eight of the first layer's channels have no weights and the bias `constant`."""
    model = ModelBuilder(f"two_{kernel}_{padding}_{abs(constant)}")
    first = model.rng.integers(-127, 128, [_CHANNELS, 1, 1, 3])
    first[2:10] = 0
    bias = [0] * 2 + [constant] * 8 + [0] * 2
    second = model.rng.integers(1, 128, [4, kernel, kernel, _CHANNELS])
    x, middle = model.input([1, 5, 5, 3], _Q), model.tensor([1, 5, 5, _CHANNELS], _Q)
    size = 5 if padding == SAME else 6 - kernel
    out = model.output([1, size, size, 4], Quant(0.5, 0))
    _convolution(model, x, first, bias, VALID, middle)
    _convolution(model, middle, second, [0] * 4, padding, out)
    return tflite.read(model.bytes())


def test_constant_channels_go_into_the_bias() -> None:
    graph = _two_layers(1, VALID, 400)
    after, _ = constant_channels.run(graph)
    middle = graph.ops[0].outputs[0]
    assert after.channels == {middle: (0, 1, 10, 11)}
    first, second = after.ops
    assert after.input(first, 1).shape == (4, 1, 1, 3)
    assert after.input(second, 1).shape == (4, 1, 1, 4)
    # 400 * 0.02 * 0.01 / 0.02 = 4 steps above the zero point.
    weights, bias = after.input(second, 2).data, graph.input(graph.ops[1], 1).data
    assert bias is not None
    np.testing.assert_array_equal(weights, bias[:, 0, 0, 2:10].astype(int).sum(axis=1) * 4)
    steps = compile_graph(graph, "test").steps
    assert [step.channels for step in steps] == [(0, 1, 10, 11), None]


def test_a_constant_that_padding_does_not_have_stays() -> None:
    assert constant_channels.run(_two_layers(3, SAME, 400))[0].channels == {}


def test_a_constant_equal_to_padding_goes() -> None:
    assert constant_channels.run(_two_layers(3, SAME, -400))[0].channels


def test_without_padding_any_constant_goes() -> None:
    assert constant_channels.run(_two_layers(3, VALID, 400))[0].channels


def test_a_graph_whose_weights_may_change_stays() -> None:
    graph = replace(_two_layers(1, VALID, 400), exchangeable=True)
    assert constant_channels.run(graph)[0] is graph


def test_a_convolution_of_a_constant_reads_no_tensor_that_could_lose_channels() -> None:
    model = ModelBuilder("constant_input")
    picture = model.random([1, 5, 5, _CHANNELS], _Q)
    weights = model.rng.integers(-127, 128, [4, 1, 1, _CHANNELS])
    x, out = model.tensor([1, 5, 5, 4], _Q), model.output([1, 5, 5, 4], Quant(0.5, 0))
    _convolution(model, picture, weights, [0] * 4, VALID, x)
    model.op("ADD", [x, model.input([1, 5, 5, 4], _Q)], [out], schema.AddOptionsT())
    assert constant_channels.run(tflite.read(model.bytes()))[0].channels == {}
