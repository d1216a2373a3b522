"""The comment above each call of `model.c`: tensors, shapes, options, and what the plan decided.

Text for people: nothing reads it, and code does not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml.compiler import c_text
from tinyml.compiler.call import Call
from tinyml.compiler.plan import Plan
from tinyml.tflite import Graph, Op, Tensor

_NAME_LENGTH = 48
_PADDINGS = {0: "SAME", 1: "VALID"}
_ACTIVATIONS = {1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6", 4: "TANH", 5: "SIGN_BIT"}
_PLAIN_OPTIONS = ("axis", "beta", "alpha", "depth_multiplier")


def comment(graph: Graph, plan: Plan, position: int, op: Op, call: Call) -> list[str]:
    """Return the lines of the comment above `call`, which computes `op` as step `position`."""
    lines = [f"operator {op.index}, step {position}: {op.name}"]
    lines += [
        f"{'in ' if index in op.inputs else 'out'} {tensor(graph.tensors[index])}"
        for index in (*op.inputs, *op.outputs)
        if index >= 0
    ]
    options = ", ".join(_options(graph, op))
    lines += [options] if options else []
    lines.append(", ".join(_decisions(graph, plan, position, op, call)))
    return [f"/* {lines[0]}", *(f" * {line}" for line in lines[1:-1]), f" * {lines[-1]} */"]


def tensor(described: Tensor) -> str:
    """Return number, name, dtype and shape of a tensor, for a comment."""
    name = c_text.comment(described.name)
    if len(name) > _NAME_LENGTH:
        name = f"{name[:_NAME_LENGTH]}..."
    constant = ", constant" if described.is_constant else ""
    return f"tensor {described.index} '{name}' {described.dtype}{list(described.shape)}{constant}"


def _options(graph: Graph, op: Op) -> Iterator[str]:
    """What the model file says of `op` besides its tensors, in words."""
    if "stride_h" in op.options:
        yield f"filter {_filter(graph, op)}"
        yield f"stride {op.option('stride_h')}x{op.option('stride_w')}"
        dilation = op.option("dilation_h_factor", 1), op.option("dilation_w_factor", 1)
        if dilation != (1, 1):
            yield f"dilation {dilation[0]}x{dilation[1]}"
        yield f"padding {_PADDINGS.get(op.option('padding'), '?')}"
    for name in _PLAIN_OPTIONS:
        if name in op.options:
            yield f"{name.replace('_', ' ')} {op.option(name):g}"
    activation = op.option("fused_activation_function", 0)
    if activation:
        yield f"then {_ACTIVATIONS.get(activation, '?')}"


def _filter(graph: Graph, op: Op) -> str:
    if "filter_height" in op.options:  # of a pool
        return f"{op.option('filter_height')}x{op.option('filter_width')}"
    height, width = graph.input(op, 1).shape[1:3]
    return f"{height}x{width}"


def _decisions(graph: Graph, plan: Plan, position: int, op: Op, call: Call) -> Iterator[str]:
    """Which kernel, and how its memory lies."""
    yield f"kernel {call.kernel}"
    if call.note:
        yield call.note
    target = graph.storage(op.outputs[0])
    start, end = plan.tensors[target], plan.tensors[target] + graph.tensors[target].bytes
    for index in dict.fromkeys(op.inputs):
        if index < 0 or graph.tensors[index].is_constant:
            continue
        at = plan.tensors[graph.storage(index)]
        if at == start:
            yield f"in place on tensor {index}"
        elif at < end and start < at + graph.tensors[index].bytes:
            yield f"reaches into tensor {index}"
    if position in plan.scratch:
        yield f"scratch {plan.scratch_bytes[position]:,} bytes"
