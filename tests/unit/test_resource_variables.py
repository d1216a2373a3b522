"""Variables of streaming models: what becomes of their handles, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from builder import ModelBuilder, Quant, schema

from tinyml import tflite
from tinyml.compiler import compile_graph, passes
from tinyml.compiler.passes import resource_variables
from tinyml.errors import ModelError, UnsupportedOpError
from tinyml.tflite import Graph

Q = Quant(0.05, -3)
SHAPE = (1, 4)


def model(change: Callable[[list[str]], None] = lambda ops: None) -> Graph:
    """A running sum: out = state + x; state = out. `change` may alter the order of operators."""
    b = ModelBuilder("running_sum")
    handle = b.tensor([], dtype="resource")
    state, x = b.tensor(SHAPE, Q), b.input(SHAPE, Q)
    out, again = b.output(SHAPE, Q), b.tensor(SHAPE, Q)
    options = schema.VarHandleOptionsT(container="", sharedName="total")
    add = schema.AddOptionsT()
    parts = {
        "once": lambda: b.op("CALL_ONCE", [], [], schema.CallOnceOptionsT(initSubgraphIndex=1)),
        "handle": lambda: b.op("VAR_HANDLE", [], [handle], options),
        "read": lambda: b.op("READ_VARIABLE", [handle], [state]),
        "read again": lambda: b.op("READ_VARIABLE", [handle], [again]),
        "add": lambda: b.op("ADD", [state, x], [out], add),
        "assign": lambda: b.op("ASSIGN_VARIABLE", [handle, out], []),
    }
    order = ["once", "handle", "read", "add", "assign"]
    change(order)
    for name in order:
        parts[name]()
    b.first_values = {"total": (np.arange(4).reshape(SHAPE) * 10).astype(np.int8)}
    return tflite.read(b.bytes(), "running_sum")


def test_a_variable_is_the_tensor_that_was_read() -> None:
    graph, folded = resource_variables.run(model())
    assert [op.name for op in graph.ops] == ["ADD", "ASSIGN_VARIABLE"]
    (state,) = graph.initial
    assert graph.tensors[state].variable
    assert graph.initial[state].reshape(-1).tolist() == [0, 10, 20, 30]
    assert graph.ops[1].outputs == (state,)
    assert {gone.op_name for gone in folded} == {"CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE"}


def test_its_memory_is_nobody_else_s_and_reset_fills_it() -> None:
    source = compile_graph(model(), "test")
    placed = {place.name: place for place in source.memory}
    state = next(place for place in source.memory if place.first == -1 and place.last == 2)
    for place in placed.values():
        apart = place.offset + place.bytes <= state.offset
        assert place is state or apart or state.offset + state.bytes <= place.offset
    text = source.files["model.c"]
    assert "#define KEEPS_STATE" in text
    assert "static void forget(void)" in text


def test_a_model_without_variables_stays_as_it_is() -> None:
    b = ModelBuilder("plain")
    b.op("ADD", [b.input(SHAPE, Q), b.input(SHAPE, Q)], [b.output(SHAPE, Q)], schema.AddOptionsT())
    graph = tflite.read(b.bytes())
    assert resource_variables.run(graph) == (graph, ())
    assert "KEEPS_STATE" not in compile_graph(graph, "test").files["model.c"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda ops: ops.insert(3, "read again"), "is read more than once"),
        (lambda ops: ops.remove("read"), "reads tensor 1 too early"),
        (lambda ops: ops.remove("once"), "has no constant first value"),
        (lambda ops: ops.append("assign"), "is needed after it was assigned"),
    ],
)
def test_what_cannot_be_one_tensor_is_refused(
    change: Callable[[list[str]], None], why: str
) -> None:
    with pytest.raises((UnsupportedOpError, ModelError), match=why):
        resource_variables.run(model(change))


def test_a_model_with_state_has_no_slot() -> None:
    with pytest.raises(UnsupportedOpError, match="keeps state"):
        compile_graph(model(), "test", with_slot=True)


@pytest.mark.parametrize("is_output", [False, True])
def test_another_name_of_an_old_value_is_an_old_value(is_output: bool) -> None:
    """RESHAPE of the state is the state's own bytes, so it too must be used before they change."""
    b = ModelBuilder("alias")
    handle = b.tensor([], dtype="resource")
    state, x, out = b.tensor(SHAPE, Q), b.input(SHAPE, Q), b.output(SHAPE, Q)
    again = b.output((4, 1), Q) if is_output else b.tensor((4, 1), Q)
    b.op("CALL_ONCE", [], [], schema.CallOnceOptionsT(initSubgraphIndex=1))
    b.op("VAR_HANDLE", [], [handle], schema.VarHandleOptionsT(container="", sharedName="total"))
    b.op("READ_VARIABLE", [handle], [state])
    b.op("RESHAPE", [state], [again])
    b.op("ADD", [state, x], [out], schema.AddOptionsT())
    b.op("ASSIGN_VARIABLE", [handle, out], [])
    if not is_output:
        twice = b.output((4, 1), Q)
        b.op("ADD", [again, again], [twice], schema.AddOptionsT())
    b.first_values = {"total": np.zeros(SHAPE, np.int8)}
    with pytest.raises(UnsupportedOpError, match=r"output of the model|after it was assigned"):
        passes.run_all(tflite.read(b.bytes()))


def test_a_variable_assigned_to_itself_is_refused() -> None:
    b = ModelBuilder("itself")
    handle = b.tensor([], dtype="resource")
    state, x, out = b.tensor(SHAPE, Q), b.input(SHAPE, Q), b.output(SHAPE, Q)
    b.op("CALL_ONCE", [], [], schema.CallOnceOptionsT(initSubgraphIndex=1))
    b.op("VAR_HANDLE", [], [handle], schema.VarHandleOptionsT(container="", sharedName="total"))
    b.op("READ_VARIABLE", [handle], [state])
    b.op("ADD", [state, x], [out], schema.AddOptionsT())
    b.op("ASSIGN_VARIABLE", [handle, state], [])
    b.first_values = {"total": np.zeros(SHAPE, np.int8)}
    with pytest.raises(UnsupportedOpError, match="assigned to itself"):
        resource_variables.run(tflite.read(b.bytes()))
