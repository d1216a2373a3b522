"""Resource variables become tensors that live on: state of streaming models, without handles.

Converters write VAR_HANDLE (names a variable), READ_VARIABLE, ASSIGN_VARIABLE, and CALL_ONCE, whose
subgraph gives first values. Where a variable is read once, before it is assigned, and nothing reads
that value afterwards, what READ_VARIABLE returns can lie where the variable lies: reading costs
nothing, assigning is one copy. First values are given back by `tml_model_reset`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tinyml.errors import ModelError, UnsupportedOpError
from tinyml.records import Folded
from tinyml.tflite import Graph, Op
from tinyml.tflite.graph import Array

ASSIGN = "ASSIGN_VARIABLE"
_HINT = "use the TFLM runtime (--runtime tflm)"


def run(graph: Graph) -> tuple[Graph, tuple[Folded, ...]]:
    """Turn every READ_VARIABLE's output into the variable itself, and ASSIGN_VARIABLE into a copy.

    Raises UnsupportedOpError for a variable that is read twice, or after it was assigned.
    """
    names = {op.outputs[0]: op.resource for op in graph.ops if op.name == "VAR_HANDLE"}
    if not names:
        return graph, ()
    tensors = list(graph.tensors)
    initial: dict[int, Array] = {}
    states: dict[str, int] = {}
    kept: list[Op] = []
    folded: list[Folded] = []
    for op in graph.ops:
        if op.name == "CALL_ONCE":
            folded.append(Folded(op.index, op.name, "its values are given by reset"))
        elif op.name == "VAR_HANDLE":
            folded.append(Folded(op.index, op.name, f"names the variable {op.resource}"))
        elif op.name == "READ_VARIABLE":
            name = _variable(op, names)
            if name in states:
                raise _unsupported(op, name, "is read more than once")
            state = states[name] = op.outputs[0]
            tensors[state] = replace(tensors[state], variable=True)
            initial[state] = _first_value(graph, op, name)
            folded.append(Folded(op.index, op.name, f"the variable {name} itself"))
        elif op.name == ASSIGN:
            kept.append(_assignment(graph, op, _variable(op, names), states))
        else:
            kept.append(op)
    _check_order(graph, kept)
    return replace(graph, tensors=tuple(tensors), ops=tuple(kept), initial=initial), tuple(folded)


def _variable(op: Op, names: Mapping[int, str]) -> str:
    name = names.get(op.inputs[0]) if op.inputs else None
    if name is None:
        raise ModelError(f"operator {op} has no handle of a variable", "export the model again")
    return name


def _first_value(graph: Graph, op: Op, name: str) -> Array:
    value, tensor = graph.variables.get(name), graph.output(op)
    if value is None:
        raise _unsupported(op, name, "has no constant first value")
    if value.shape != tensor.shape or value.dtype.name != tensor.dtype:
        raise ModelError(f"operator {op}: {tensor} is not what the variable {name} holds")
    return value


def _assignment(graph: Graph, op: Op, name: str, states: Mapping[str, int]) -> Op:
    """Return `op` as a copy from a tensor to the one that is the variable."""
    if name not in states:
        raise _unsupported(op, name, "is assigned before it is read")
    value, state = graph.input(op, 1), graph.tensors[states[name]]
    if value.shape != state.shape or value.dtype != state.dtype:
        raise ModelError(f"operator {op} cannot assign {value} to {state}")
    return replace(op, inputs=(value.index,), outputs=(state.index,))


def _check_order(graph: Graph, ops: list[Op]) -> None:
    """Refuse variables whose old value, by any name, is needed after a new one is assigned."""
    assigned: set[int] = set()
    for op in ops:
        used = {graph.storage(index) for index in op.inputs}
        if op.name == ASSIGN and op.outputs[0] in used:
            raise _unsupported(op, str(graph.tensors[op.outputs[0]]), "is assigned to itself")
        late = assigned & {*used, *(op.outputs if op.name == ASSIGN else ())}
        if late:
            tensor = graph.tensors[min(late)]
            raise _unsupported(op, str(tensor), "is needed after it was assigned")
        if op.name == ASSIGN:
            assigned.add(op.outputs[0])
    if kept := assigned & {graph.storage(index) for index in graph.outputs}:
        raise _unsupported(ops[-1], str(graph.tensors[min(kept)]), "is an output of the model")


def _unsupported(op: Op, name: str, why: str) -> UnsupportedOpError:
    return UnsupportedOpError(
        f"the compiled runtime keeps no such variable (operator {op}): {name} {why}", _HINT
    )
