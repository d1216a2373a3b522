"""Whole graphs: shape arithmetic, forks and joins, inputs and outputs in odd places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from builder import ModelBuilder, Quant, schema

Q = Quant(0.1, 3)
R = Quant(0.17, -20)


def models() -> Iterator[ModelBuilder]:
    yield _keras_flatten()
    yield _shape_as_constant()
    yield _diamond()
    yield _output_used_inside()
    yield _input_is_output()
    yield _same_output_twice()
    yield _several()
    yield _unused_input()
    yield _long_chain()
    yield _float_branches()
    yield from _constants()


def _add(model: ModelBuilder, a: int, b: int, y: int) -> None:
    model.op("ADD", [a, b], [y], schema.AddOptionsT())


def _keras_flatten() -> ModelBuilder:
    # What the converter makes of Keras' Flatten with an unknown batch size.
    model = ModelBuilder("keras_flatten")
    x = model.input([1, 3, 4, 2], Q)
    relu = model.tensor([1, 3, 4, 2], Q)
    shape, batch, target = (model.tensor(s, dtype="int32") for s in ([4], [], [2]))
    model.op("RELU", [x], [relu])
    model.op("SHAPE", [relu], [shape], schema.ShapeOptionsT(outType=schema.TensorType.INT32))
    bounds = [model.constant([value], dtype="int32") for value in (0, 1, 1)]
    options = schema.StridedSliceOptionsT(shrinkAxisMask=1)
    model.op("STRIDED_SLICE", [shape, *bounds], [batch], options)
    rest = model.constant(-1, dtype="int32")
    model.op("PACK", [batch, rest], [target], schema.PackOptionsT(valuesCount=2))
    model.op("RESHAPE", [relu, target], [model.output([1, 24], Q)], schema.ReshapeOptionsT())
    return model


def _shape_as_constant() -> ModelBuilder:
    # Shape arithmetic over an inner axis, joined by CONCATENATION instead of PACK.
    model = ModelBuilder("shape_as_constant")
    x = model.input([2, 3, 4], Q)
    shape, tail, target = (model.tensor([n], dtype="int32") for n in (3, 1, 2))
    model.op("SHAPE", [x], [shape], schema.ShapeOptionsT(outType=schema.TensorType.INT32))
    bounds = [model.constant([value], dtype="int32") for value in (2, 3, 1)]
    model.op("STRIDED_SLICE", [shape, *bounds], [tail], schema.StridedSliceOptionsT())
    head = model.constant([6], dtype="int32")
    options = schema.ConcatenationOptionsT(axis=0)
    model.op("CONCATENATION", [head, tail], [target], options)
    model.op("RESHAPE", [x, target], [model.output([6, 4], Q)], schema.ReshapeOptionsT())
    return model


def _diamond() -> ModelBuilder:
    model = ModelBuilder("diamond")
    x = model.input([2, 6], Q)
    top, left = model.tensor([2, 6], Q), model.tensor([2, 6], R)
    model.op("RELU", [x], [top])
    model.op("MUL", [top, top], [left], schema.MulOptionsT())
    right = model.tensor([2, 6], Quant(1 / 256, -128))
    model.op("LOGISTIC", [top], [right])
    _add(model, left, right, model.output([2, 6], R))
    return model


def _output_used_inside() -> ModelBuilder:
    model = ModelBuilder("output_used_inside")
    x = model.input([2, 6], Q)
    first, second = model.output([2, 6], Q), model.output([2, 6], R)
    model.op("RELU", [x], [first])
    _add(model, first, x, second)
    _add(model, second, first, model.output([2, 6], Q))
    return model


def _input_is_output() -> ModelBuilder:
    model = ModelBuilder("input_is_output")
    x = model.input([2, 6], Q)
    model.outputs.append(x)
    _add(model, x, x, model.output([2, 6], R))
    return model


def _same_output_twice() -> ModelBuilder:
    model = ModelBuilder("same_output_twice")
    x = model.input([2, 6], Q)
    y = model.output([2, 6], R)
    model.outputs.append(y)
    _add(model, x, x, y)
    return model


def _several() -> ModelBuilder:
    # Three inputs of different shapes, outputs not in the order in which they are computed.
    model = ModelBuilder("several")
    a, b, c = (model.input(shape, Q) for shape in ([2, 6], [6], [3]))
    first = model.output([2, 6], Q)
    second = model.output([3], Q)
    early = model.output([2, 6], R)
    _add(model, a, b, early)
    model.op("RELU", [c], [second])
    model.op("SUB", [early, b], [first], schema.SubOptionsT())
    return model


def _unused_input() -> ModelBuilder:
    model = ModelBuilder("unused_input")
    x = model.input([2, 6], Q)
    model.input([5], Q)
    model.op("RELU", [x], [model.output([2, 6], Q)])
    return model


def _long_chain() -> ModelBuilder:
    # Tensors of many sizes with overlapping lifetimes: a test of the memory plan.
    model = ModelBuilder("long_chain")
    kept = here = model.input([1, 4, 4, 2], Q)
    for depth in range(6):
        wide = model.tensor([1, 4, 4, 4], Q)
        model.op("CONCATENATION", [here, kept], [wide], schema.ConcatenationOptionsT(axis=3))
        narrow = model.tensor([1, 4, 4, 2], Q)
        inputs = [wide, model.random([2, 1, 1, 4], Quant(0.006))]
        options = schema.Conv2DOptionsT(
            padding=schema.Padding.SAME,
            strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1,
        )  # fmt: skip
        model.op("CONV_2D", inputs, [narrow], options)
        if depth == 2:
            kept = narrow
        here = narrow
    _add(model, here, kept, model.output([1, 4, 4, 2], R))
    return model


def _float_branches() -> ModelBuilder:
    # A float input quantized twice; one float and one int8 output.
    model = ModelBuilder("float_branches")
    x = model.input([3, 5], dtype="float32", float_step=0.1)
    a, b = model.tensor([3, 5], Q), model.tensor([3, 5], R)
    model.op("QUANTIZE", [x], [a], schema.QuantizeOptionsT())
    model.op("QUANTIZE", [x], [b], schema.QuantizeOptionsT())
    total = model.output([3, 5], R)
    _add(model, a, b, total)
    y = model.output([3, 5], dtype="float32")
    model.op("DEQUANTIZE", [total], [y], schema.DequantizeOptionsT())
    return model


def _constants() -> Iterator[ModelBuilder]:
    """Operators whose data input is a constant, though nothing changes it at run time."""
    ints = [1, 2, 3, 4, 5, 6]
    for name, op, extra, out, options in (
        ("relu", "RELU", [], [2, 3], None),
        ("logistic", "LOGISTIC", [], [2, 3], None),
        ("quantize", "QUANTIZE", [], [2, 3], schema.QuantizeOptionsT()),
        ("transpose", "TRANSPOSE", [[1, 0]], [3, 2], schema.TransposeOptionsT()),
        ("pad", "PAD", [[[0, 1], [1, 0]]], [3, 4], schema.PadOptionsT()),
        ("slice", "STRIDED_SLICE", [[0, 1], [2, 3], [1, 1]], [2, 2], schema.StridedSliceOptionsT()),
    ):
        model = ModelBuilder(f"constant_{name}")
        quant = Quant(1 / 256, -128) if op == "LOGISTIC" else Q
        source = model.random([2, 3], Quant(0.13, 7) if op == "QUANTIZE" else Q)
        inputs = [source, *(model.constant(values, dtype="int32") for values in extra)]
        known, direct = model.tensor(out, quant), model.output(out, quant)
        model.op(op, inputs, [known], options)
        model.op(op, inputs, [direct], options)
        x, y = model.input(out, Q), model.output(out, R)
        _add(model, x, known, y)
        yield model
    for name, dtype in (("bool", "bool"), ("int32", "int32")):
        model = ModelBuilder(f"constant_concatenation_{name}")
        parts = [model.constant(np.array(ints) % 2 if dtype == "bool" else ints, dtype=dtype)] * 2
        model.op(
            "CONCATENATION",
            parts,
            [model.output([12], None, dtype)],
            schema.ConcatenationOptionsT(axis=0),
        )
        model.op("RELU", [model.input([4], Q)], [model.output([4], R)])
        yield model
