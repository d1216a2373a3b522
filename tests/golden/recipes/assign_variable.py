"""ASSIGN_VARIABLE: running sums and histories, with their handles and first values."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from builder import ModelBuilder, Quant, schema

Q = Quant(0.05, -3)


def models() -> Iterator[ModelBuilder]:
    yield running_sum()
    yield history()


def running_sum() -> ModelBuilder:
    """Return a model whose output is the sum of all inputs so far, and a first value."""
    model = ModelBuilder("running_sum")
    shape = [1, 5]
    state = variable(model, "total", (np.arange(5, dtype=np.int8) * 9 - 20).reshape(1, 5), Q)
    out = model.output(shape, Q)
    model.op("ADD", [state, model.input(shape, Q)], [out], schema.AddOptionsT())
    assign(model, out)
    return model


def history() -> ModelBuilder:
    """Return a streaming convolution: the last three rows of the input and a new one."""
    model = ModelBuilder("history")
    kept = variable(model, "stream/states", np.full((1, 3, 1, 4), -3, np.int8), Q)
    window, last = model.tensor([1, 4, 1, 4], Q), model.tensor([1, 3, 1, 4], Q)
    x = model.input([1, 1, 1, 4], Q)
    options = schema.ConcatenationOptionsT(axis=1)
    model.op("CONCATENATION", [kept, x], [window], options)
    bounds = ([0, 1, 0, 0], [1, 4, 1, 4], [1, 1, 1, 1])
    inputs = [window, *(model.constant(values, dtype="int32") for values in bounds)]
    model.op("STRIDED_SLICE", inputs, [last], schema.StridedSliceOptionsT())
    assign(model, last)
    weights = model.constant(model.rng.integers(-127, 128, [2, 4, 1, 4]), Quant(0.01))
    bias = model.constant([100, -100], Quant(0.0005), "int32")
    out = model.output([1, 1, 1, 2], Quant(0.1, 4))
    conv = schema.Conv2DOptionsT(padding=schema.Padding.VALID, strideH=1, strideW=1)
    model.op("CONV_2D", [window, weights, bias], [out], conv)
    return model


def variable(model: ModelBuilder, name: str, first: np.ndarray, quant: Quant) -> int:
    """Add a variable with its first value; return the tensor that it is read into."""
    model.op("CALL_ONCE", [], [], schema.CallOnceOptionsT(initSubgraphIndex=1))
    handle = model.tensor([], dtype="resource")
    options = schema.VarHandleOptionsT(container="", sharedName=name)
    model.op("VAR_HANDLE", [], [handle], options)
    value = model.tensor(first.shape, quant)
    model.op("READ_VARIABLE", [handle], [value], schema.ReadVariableOptionsT())
    model.first_values[name] = first
    return value


def assign(model: ModelBuilder, value: int) -> None:
    """Let the variable, the only one of `model`, hold `value` from now on."""
    (handle,) = (op.outputs[0] for op in model.operators("VAR_HANDLE"))
    model.op("ASSIGN_VARIABLE", [handle, value], [], schema.AssignVariableOptionsT())
