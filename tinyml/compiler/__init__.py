"""An int8 `.tflite` to plain C: passes, memory plan, kernels.

Graph in, C source of one model out: check, passes, memory plan, emit.

`compile_graph` is the whole pipeline. Operators live in `ops/` (a file or a pair each), rewrites
of the graph in `passes/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tinyml.compiler import ops, passes, slot
from tinyml.compiler.c_text import MAX_RANK
from tinyml.compiler.call import Call
from tinyml.compiler.emit import Emitter
from tinyml.compiler.passes.resource_variables import ASSIGN
from tinyml.compiler.plan import plan
from tinyml.errors import ModelError, UnsupportedOpError
from tinyml.model import generations
from tinyml.model.generations import Generation
from tinyml.records import CSource, Decision, Step
from tinyml.tflite import Encoding, Graph, Op, accelerator, encoding

_MAX_STEPS = 65535
_QUANTIZE = "quantize the network to int8: tinyml quantize NETWORK --representative DIR"


def compile_graph(
    graph: Graph,
    heading: str,
    *,
    with_slot: bool = False,
    generation: Generation = generations.REFERENCE,
) -> CSource:
    """Return the C implementation of `model.h` for `graph`; `heading` is its first comment.

    `with_slot`: constants lie in a block that can be exchanged, see `slot`. `generation`: that of
    TFLM whose arithmetic is computed, bit for bit.

    Equal input gives equal bytes. Raises UnsupportedOpError for an operator, or a form of one,
    that `ops` lacks, and ModelError for a model that makes no sense or is float only.
    """
    _require_runnable(graph)
    _require_storable(graph)
    graph = whole = _with_arithmetic(
        replace(graph, exchangeable=with_slot or graph.exchangeable), generation
    )
    graph, folded = passes.run_all(graph)
    if with_slot and graph.initial:
        raise UnsupportedOpError(
            f"{graph.name} keeps state between inferences, so it cannot be exchanged in a slot",
            "leave --model-slot away",
        )
    operators = [ops.load(op, graph) for op in graph.ops]
    _require_quantized(graph)
    _require_elements(graph)
    work = list(zip(operators, graph.ops, strict=True))
    _check(graph, work)
    calls = [operator.call(op, graph) for operator, op in work]
    scratch = [ops.scratch_bytes(op, graph) for op in graph.ops]
    memory = plan(graph, calls, scratch)
    block = slot.Block() if with_slot else None
    emitter = Emitter(graph, memory, block)
    for position, (op, call) in enumerate(zip(graph.ops, calls, strict=True)):
        emitter.step(position, op, call)
    inputs = tuple(graph.tensors[index].info for index in graph.inputs)
    outputs = tuple(graph.tensors[index].info for index in graph.outputs)
    steps = tuple(_step(graph, position) for position in range(len(graph.ops)))
    files = emitter.files(heading, inputs, outputs, steps)
    return CSource(
        runtime="compiled",
        files=files,
        inputs=inputs,
        outputs=outputs,
        steps=steps,
        folded=folded,
        arena_bytes=memory.arena_bytes,
        constant_bytes=emitter.constant_bytes + (len(block.content) if block else 0),
        memory=memory.placements,
        decisions=tuple(
            _decision(whole, graph, op, call) for op, call in zip(graph.ops, calls, strict=True)
        ),
        slot=slot.describe(block, files, inputs, outputs) if block else None,
        generation=generation.name,
    )


def _with_arithmetic(graph: Graph, generation: Generation) -> Graph:
    """Mark the operators whose multipliers `generation` computes in float32."""
    marked = (replace(op, in_float32=op.name in generation.float32) for op in graph.ops)
    return replace(graph, ops=tuple(marked))


def _decision(whole: Graph, graph: Graph, op: Op, call: Call) -> Decision:
    """How `op` is computed; `whole` is the graph before passes took channels from it."""
    shapes = [each.tensors[op.outputs[0]].shape for each in (graph, whole)]
    channels, all_channels = (int(shape[-1]) if shape else 1 for shape in shapes)
    return Decision(op.index, op.name, call.kernel, call.note, channels, all_channels)


def _step(graph: Graph, position: int) -> Step:
    op = graph.ops[position]
    # What was assigned is the tensor that the file knows; the variable has the same bytes.
    output = graph.input(op, 0) if op.name == ASSIGN else graph.output(op)
    channels = graph.channels.get(output.index)
    return Step(op.index, op.name, output.index, output.name, output.bytes, channels)


def _require_storable(graph: Graph) -> None:
    """Refuse what `model.h` or a static plan cannot hold."""
    for tensor in (graph.tensors[index] for index in graph.inputs + graph.outputs):
        if len(tensor.shape) > MAX_RANK:
            raise ModelError(f"tensor {tensor} has more than {MAX_RANK} dimensions")
    if len(graph.ops) > _MAX_STEPS or len(graph.tensors) > _MAX_STEPS:
        raise ModelError(f"{graph.name} has more than {_MAX_STEPS} operators or tensors")
    for op in graph.ops:
        for index in (*op.inputs, *op.outputs):
            if index >= 0 and graph.tensors[index].variable:
                raise UnsupportedOpError(
                    f"the compiled runtime does not keep state between inferences (operator {op}, "
                    f"tensor {graph.tensors[index]})",
                    "use the TFLM runtime (--runtime tflm)",
                )


def _require_elements(graph: Graph) -> None:
    """Refuse empty tensors, on which no kernel is prepared to work."""
    for op in graph.ops:
        for index in (*op.inputs, *op.outputs):
            if index >= 0 and graph.tensors[index].elements == 0:
                raise ModelError(
                    f"operator {op} works on an empty tensor ({graph.tensors[index]})",
                    "export the model with fixed sizes above 0",
                )


def _check(graph: Graph, work: Sequence[tuple[ops.Operator, Op]]) -> None:
    """Check every operator; of a model of another integer encoding, say that this is the reason."""
    try:
        for operator, op in work:
            operator.check(op, graph)
    except UnsupportedOpError as error:
        kind = encoding(graph)
        if kind is Encoding.INT8:
            raise
        raise UnsupportedOpError(
            f"{graph.name} is {kind.value}: {error.message}", _QUANTIZE
        ) from None


def _require_runnable(graph: Graph) -> None:
    """Refuse a model whose operators another processor runs."""
    name = accelerator(graph)
    if name:
        raise UnsupportedOpError(
            f"{graph.name} was compiled for {name}, which none of the boards has",
            "give the .tflite file from which that compiler made it",
        )


def _require_quantized(graph: Graph) -> None:
    """Refuse a model that computes in floating point only."""
    used = [graph.tensors[index] for op in graph.ops for index in (*op.inputs, *op.outputs)]
    activations = [tensor for tensor in used if not tensor.is_constant]
    if activations and all(tensor.dtype == "float32" for tensor in activations):
        raise ModelError(
            f"{graph.name} is {encoding(graph).value}; the compiled runtime computes in int8",
            _QUANTIZE,
        )
