"""The reader: whatever the bytes are, the answer is a Graph or a ModelError."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from builder import SAME, ModelBuilder, Quant, schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinyml import tflite
from tinyml.compiler import compile_graph
from tinyml.errors import ModelError, UnsupportedOpError
from tinyml.runtimes import load, names

_GOLDEN = Path(__file__).parents[1] / "golden"
_SMALLEST = min(_GOLDEN.glob("*/*.tflite"), key=lambda path: path.stat().st_size)
_MODELS = {path.parent.name: path.read_bytes() for path in sorted(_GOLDEN.glob("*/*.tflite"))}
_DEEP = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def read_and_compile(model: bytes) -> None:
    """What the command line does with a model file, up to the C source."""
    with contextlib.suppress(ModelError):
        compile_graph(tflite.read(model), "heading")


@pytest.mark.parametrize("model", [b"", b"TFL3", b"\0" * 64, b"\x1c\0\0\0TFL3" + b"\xff" * 64])
def test_what_is_no_model_is_refused(model: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        tflite.read(model, "some.tflite")
    assert "some.tflite" in caught.value.message
    assert caught.value.hint


@_DEEP
@given(st.binary(max_size=512))
def test_random_bytes_are_refused(noise: bytes) -> None:
    with pytest.raises(ModelError):
        tflite.read(noise[:4] + b"TFL3" + noise[4:])


@pytest.mark.parametrize("operator", sorted(_MODELS))
def test_a_truncated_model_never_crashes(operator: str) -> None:
    model = _MODELS[operator]
    for length in range(0, len(model), 1 + len(model) // 100):
        read_and_compile(model[:length])


@_DEEP
@given(st.sampled_from(sorted(_MODELS)), st.data())
def test_a_bit_flipped_model_never_crashes(operator: str, data: st.DataObject) -> None:
    model = bytearray(_MODELS[operator])
    for _ in range(data.draw(st.integers(1, 3))):
        model[data.draw(st.integers(0, len(model) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    read_and_compile(bytes(model))


def test_every_single_bit_of_the_smallest_model_may_flip() -> None:
    model = _SMALLEST.read_bytes()
    for bit in range(8 * len(model)):
        flipped = bytearray(model)
        flipped[bit // 8] ^= 1 << bit % 8
        read_and_compile(bytes(flipped))


@pytest.mark.parametrize("zero_point", [1 << 31, -(1 << 31)])
def test_a_zero_point_that_c_cannot_negate_is_refused(zero_point: int) -> None:
    model = ModelBuilder("far")
    model.op(
        "QUANTIZE", [model.input([4], None, "float32")], [model.output([4], Quant(0.1, zero_point))]
    )
    with pytest.raises(ModelError, match="zero point beyond 32 bits"):
        tflite.read(model.bytes())


def test_a_graph_tells_tensors_options_and_quantization() -> None:
    graph = tflite.read((_GOLDEN / "softmax").glob("*.tflite").__next__().read_bytes())
    op = graph.ops[-1]
    assert op.name == "SOFTMAX"
    assert op.option("beta") > 0
    assert graph.output(op).info.scale == 1 / 256
    with pytest.raises(ModelError, match="no option 'gamma'"):
        op.option("gamma")
    with pytest.raises(ModelError, match="lacks input 7"):
        graph.input(op, 7)


def convolution(op: str, weights: list[int], multiplier: int = 1, *, bias: bool = True) -> bytes:
    """A convolution of [1, 4, 4, 3], with a bias that is there or only listed."""
    model = ModelBuilder("convolution")
    x, w = model.input([1, 4, 4, 3], Quant(0.1)), model.random(weights, Quant(0.1))
    b = model.constant([0] * weights[-1], Quant(0.01), "int32") if bias else -1
    options = (
        schema.Conv2DOptionsT(padding=SAME, strideH=1, strideW=1)
        if op == "CONV_2D"
        else schema.DepthwiseConv2DOptionsT(
            padding=SAME, strideH=1, strideW=1, depthMultiplier=multiplier
        )
    )
    model.op(op, [x, w, b], [model.output([1, 4, 4, weights[-1]], Quant(0.1))], options)
    return model.bytes()


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (convolution("CONV_2D", [3, 3, 3]), "need 4 axes"),
        (convolution("CONV_2D", [3, 1, 1, 3, 1]), "need 4 axes"),
        (convolution("CONV_2D", [3, 1, 1, 3], bias=False), "bias that is listed"),
        (convolution("DEPTHWISE_CONV_2D", [1, 1, 1, 3], 32767), "depth multiplier 32767"),
        (convolution("DEPTHWISE_CONV_2D", [1, 1, 1, 3], -1), "depth multiplier -1"),
    ],
)
def test_a_convolution_that_the_interpreter_dies_of_is_refused(model: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        tflite.read(model)


@pytest.mark.parametrize("axis", [-3, 2, 6])
def test_an_axis_that_the_input_lacks_is_refused(axis: int) -> None:
    model = ModelBuilder("arg_max")
    inputs = [model.input([1, 5], Quant(0.1)), model.constant([axis], dtype="int32")]
    model.op("ARG_MAX", inputs, [model.output([1], None, "int32")], schema.ArgMaxOptionsT())
    with pytest.raises(ModelError, match=f"axis {axis} of"):
        tflite.read(model.bytes())


@pytest.mark.parametrize("name", names())
def test_every_runtime_loads(name: str) -> None:
    assert callable(load(name).generate)


def test_an_unsupported_operator_is_a_kind_of_model_error() -> None:
    assert issubclass(UnsupportedOpError, ModelError)
