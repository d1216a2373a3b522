"""What kind of model a file is, and the copy without an offline plan."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from builder import ModelBuilder, Quant, schema

from tinyml import tflite
from tinyml.compiler import compile_graph
from tinyml.errors import ModelError, UnsupportedOpError
from tinyml.firmware import boards
from tinyml.measure import footprint
from tinyml.model import bundle
from tinyml.model.oracle import Oracle
from tinyml.tflite import Encoding, accelerator, encoding

GOLDEN = Path(__file__).parents[1] / "golden"


def dense(activations: str, weights: str) -> bytes:
    """A fully connected layer; float16 weights are dequantized first, as the converter does."""
    model = ModelBuilder("dense")
    quant = Quant(0.1) if activations != "float32" else None
    if weights == "float16":
        half = model.constant(np.ones((3, 4)), dtype="float16")
        w = model.tensor([3, 4], dtype="float32")
        model.op("DEQUANTIZE", [half], [w])
    else:
        w = model.constant(np.ones((3, 4)), Quant(0.1) if weights == "int8" else None, weights)
    x, y = model.input([1, 4], quant, activations), model.output([1, 3], quant, activations)
    model.op("FULLY_CONNECTED", [x, w, -1], [y], schema.FullyConnectedOptionsT())
    return model.bytes()


@pytest.mark.parametrize(
    ("activations", "weights", "kind"),
    [
        ("int8", "int8", Encoding.INT8),
        ("uint8", "uint8", Encoding.UINT8),
        ("int16", "int8", Encoding.INT16),
        ("float32", "int8", Encoding.DYNAMIC_RANGE),
        ("float32", "float16", Encoding.FLOAT16),
        ("float32", "float32", Encoding.FLOAT32),
    ],
)
def test_kinds_are_told_apart_and_named_when_refused(
    activations: str, weights: str, kind: Encoding
) -> None:
    graph = tflite.read(dense(activations, weights))
    assert encoding(graph) is kind
    if kind is Encoding.INT8:
        compile_graph(graph, "test")
        return
    with pytest.raises(ModelError) as caught:
        compile_graph(graph, "test")
    assert kind.value in caught.value.message
    assert "tinyml quantize" in caught.value.hint


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/*.tflite")), ids=lambda path: path.stem)
def test_golden_models_are_for_no_accelerator(path: Path) -> None:
    assert accelerator(tflite.read(path.read_bytes())) == ""


@pytest.mark.parametrize(
    ("code", "words"), [("ethos-u", "Vela"), ("edgetpu-custom-op", "Edge TPU")]
)
def test_a_model_compiled_for_an_npu_is_named_as_such(code: str, words: str) -> None:
    plain = ModelBuilder("npu")
    plain.op("RELU", [plain.input([4], Quant(0.1))], [plain.output([4], Quant(0.1))])
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(plain.bytes()))
    custom = schema.BuiltinOperator.CUSTOM
    model.operatorCodes = [
        schema.OperatorCodeT(deprecatedBuiltinCode=custom, builtinCode=custom, customCode=code)
    ]
    graph = tflite.read(packed(model))
    assert words in accelerator(graph)
    with pytest.raises(UnsupportedOpError, match=words):
        compile_graph(graph, "test")


def packed(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_an_offline_plan_is_left_out_of_the_copy_that_keeps_tensors() -> None:
    path = GOLDEN / "graph" / "long_chain.tflite"
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes()))
    count = len(model.subgraphs[0].tensors)
    offsets = [-1] * count  # the planner may choose each
    plan = np.array([1, 0, count, *offsets], np.int32)
    model.buffers.append(schema.BufferT(data=np.frombuffer(plan.tobytes(), np.uint8)))
    model.metadata = [
        schema.MetadataT(name="OfflineMemoryAllocation", buffer=len(model.buffers) - 1)
    ]
    planned = packed(model)
    assert tflite.without_offline_plan(path.read_bytes()) == path.read_bytes()
    without = tflite.without_offline_plan(planned)
    assert len(without) == len(planned)
    assert b"OfflineMemoryAllocation" not in without
    graph = tflite.read(without)
    inputs = [
        np.zeros(graph.tensors[index].shape, graph.tensors[index].dtype) for index in graph.inputs
    ]
    outputs, tensors = Oracle(planned).run_all(inputs)
    wanted, others = Oracle(path.read_bytes()).run_all(inputs)
    assert [output.tobytes() for output in outputs] == [output.tobytes() for output in wanted]
    assert {index: value.tobytes() for index, value in tensors.items()} == {
        index: value.tobytes() for index, value in others.items()
    }


@pytest.mark.needs_data
def test_a_planned_model_shows_every_layer(data: Path) -> None:
    model = (data / "faults/models/offline_plan_hello.tflite").read_bytes()
    _, tensors = Oracle(model).run_all([np.zeros((1, 1), np.int8)])
    assert len(tensors) == 3


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("models/extra/esphome_okay_nabu_v2", True),
        ("faults/models/fp16_weights", False),
        ("faults/models/uint8_kws_ref_model", False),
    ],
)
def test_inspect_shows_what_no_compiler_takes(name: str, fits: bool, data: Path) -> None:
    found = footprint.inspect(bundle.load(data / f"{name}.tflite"), boards.load("qemu-m4"))
    assert found.fits is fits
    assert len(found.operators) > 4
    assert all(cost.problem or cost.fits for cost in found.runtimes)
