"""Every operator pair: it loads, its header is sound, golden models cover it, it refuses well."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from builder import ACTIVATION, ModelBuilder, Quant, Shape, schema

from tinyml import tflite
from tinyml.compiler import compile_graph, ops
from tinyml.errors import ModelError, UnsupportedOpError

GOLDEN = Path(__file__).parent.parent / "golden"


Q = Quant(0.1, 3)
NAMES = [name.lower() for name in ops.names()]


def test_there_are_operators() -> None:
    assert {"add", "conv_2d", "fully_connected"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_pair_is_complete(name: str) -> None:
    module = importlib.import_module(f"tinyml.compiler.ops.{name}")
    optional = [name for name in ("scratch_bytes", "macs", "evaluate") if hasattr(module, name)]
    for function in ("check", "call", *optional):
        assert list(inspect.signature(getattr(module, function)).parameters) == ["op", "graph"]
    header = (ops.FOLDER / f"{name}.h").read_text()
    assert f"#ifndef TML_{name.upper()}_H" in header
    assert re.search(rf"\nstatic inline void tml_{name}(_\w+)?\(", header)
    assert not re.search(r"\b(malloc|printf|double)\b *\(?", _code(header))
    if "float" in _code(header):
        assert name in ("quantize", "dequantize"), "floating point in an integer kernel"


@pytest.mark.parametrize("name", NAMES)
def test_golden_models_cover_it(name: str) -> None:
    models = sorted((GOLDEN / name).glob("*.tflite"))
    assert models, f"write tests/golden/recipes/{name}.py and run scripts/golden {name}"
    for path in models:
        used = {op.name for op in tflite.read(path.read_bytes()).ops}
        assert name.upper() in used, path


def test_every_recipe_has_models() -> None:
    recipes = {path.stem for path in (GOLDEN / "recipes").glob("[a-z]*.py")}
    assert recipes == {path.parent.name for path in GOLDEN.glob("*/*.tflite")}


def _code(header: str) -> str:
    return re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)


def one(
    op: str,
    inputs: Callable[[ModelBuilder], list[int]],
    out: Shape,
    quant: Quant | None = Q,
    dtype: str = "int8",
    options: object = None,
) -> ModelBuilder:
    """Return a model of one operator."""
    model = ModelBuilder("refused")
    model.op(op, inputs(model), [model.output(out, quant, dtype)], options)
    return model


def ints(model: ModelBuilder, *values: object) -> list[int]:
    return [model.constant(value, dtype="int32") for value in values]


def binary(a: Quant, y: Quant, activation: int = ACTIVATION.NONE) -> ModelBuilder:
    options = schema.AddOptionsT(fusedActivationFunction=activation)
    return one("ADD", lambda m: [m.input([4], a), m.input([4], a)], [4], y, "int8", options)


def joined(parts: int, second: Quant) -> ModelBuilder:
    return one(
        "CONCATENATION",
        lambda m: [m.input([4], Q), *(m.input([4], second) for _ in range(parts - 1))],
        [4 * parts],
        options=schema.ConcatenationOptionsT(axis=0),
    )


def sliced(**options: int) -> ModelBuilder:
    return one(
        "STRIDED_SLICE",
        lambda m: [m.input([4], Q), *ints(m, [0], [4], [1])],
        [4],
        options=schema.StridedSliceOptionsT(**options),
    )


UNSUPPORTED = {
    "no_pair": (one("COS", lambda m: [m.input([4], Q)], [4]), "no operator COS"),
    "int16_add": (
        one(
            "ADD",
            lambda m: [m.input([4], Q, "int16"), m.input([4], Q, "int16")],
            [4], Q, "int16", schema.AddOptionsT(),
        ),
        "needs int8, got int16",
    ),
    "add_scale": (binary(Quant(1.0), Quant(1e-7)), "neither"),
    "add_tanh": (binary(Q, Q, ACTIVATION.TANH), "fused activation"),
    "concatenation_count": (joined(11, Q), "11 inputs"),
    "concatenation_scale": (joined(2, Quant(0.2, 3)), "another scale"),
    "transpose_rank": (
        one(
            "TRANSPOSE",
            lambda m: [m.input([1] * 6, Q), *ints(m, [5, 4, 3, 2, 1, 0])],
            [1] * 6, options=schema.TransposeOptionsT(),
        ),
        "rank 6",
    ),
    "transpose_dynamic": (
        one(
            "TRANSPOSE", lambda m: [m.input([2, 2], Q), m.input([2], None, "int32")], [2, 2],
            options=schema.TransposeOptionsT(),
        ),
        "constant permutation",
    ),
    "slice_new_axis": (sliced(newAxisMask=1), "new_axis_mask"),
    "slice_ellipsis": (sliced(ellipsisMask=1), "ellipsis_mask"),
    "quantize_int32": (
        one(
            "QUANTIZE", lambda m: [m.input([4], Q)], [4], Q, "int32",
            options=schema.QuantizeOptionsT(),
        ),
        "int8 to int32",
    ),
    "mean_dynamic": (
        one(
            "MEAN", lambda m: [m.input([2, 2], Q), m.input([1], None, "int32")], [2],
            options=schema.ReducerOptionsT(),
        ),
        "constant axes",
    ),
    "shape_of_output": (
        one(
            "SHAPE", lambda m: [m.input([2, 2], Q)], [2], None, "int32",
            schema.ShapeOptionsT(outType=schema.TensorType.INT32),
        ),
        "no operator SHAPE",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_unsupported_forms_name_operator_tensor_and_way_out(case: str) -> None:
    model, reason = UNSUPPORTED[case]
    graph = tflite.read(model.bytes())
    with pytest.raises(UnsupportedOpError) as caught:
        compile_graph(graph, "test")
    assert reason in caught.value.message
    assert graph.ops[0].name in caught.value.message
    assert "tensor" in caught.value.message
    assert caught.value.hint


SENSELESS = {
    "broadcast": one("MUL", lambda m: [m.input([4], Q), m.input([3], Q)], [4],
                     options=schema.MulOptionsT()),
    "concatenation_size": one("CONCATENATION", lambda m: [m.input([4], Q), m.input([4], Q)], [9],
                              options=schema.ConcatenationOptionsT(axis=0)),
    "permutation": one("TRANSPOSE", lambda m: [m.input([2, 3], Q), *ints(m, [0, 0])], [2, 2],
                       options=schema.TransposeOptionsT()),
    "padding": one("PAD", lambda m: [m.input([3], Q), *ints(m, [[1, 1]])], [4],
                   options=schema.PadOptionsT()),
    "negative_padding": one("PAD", lambda m: [m.input([3], Q), *ints(m, [[-1, 1]])], [3],
                            options=schema.PadOptionsT()),
    "step_zero": one("STRIDED_SLICE", lambda m: [m.input([4], Q), *ints(m, [0], [4], [0])], [4],
                     options=schema.StridedSliceOptionsT()),
    "slice_size": one("STRIDED_SLICE", lambda m: [m.input([4], Q), *ints(m, [0], [3], [1])], [4],
                      options=schema.StridedSliceOptionsT()),
    "axis": one("MEAN", lambda m: [m.input([2, 2], Q), *ints(m, [2])], [2],
                options=schema.ReducerOptionsT()),
    "logistic_output": one("LOGISTIC", lambda m: [m.input([4], Q)], [4]),
    "empty": one("RELU", lambda m: [m.input([0, 4], Q)], [0, 4]),
    "relu_size": one("RELU", lambda m: [m.input([4], Q)], [5]),
}  # fmt: skip


@pytest.mark.parametrize("case", SENSELESS)
def test_senseless_operators_are_model_errors(case: str) -> None:
    with pytest.raises(ModelError) as caught:
        compile_graph(tflite.read(SENSELESS[case].bytes()), "test")
    assert "operator 0" in caught.value.message
