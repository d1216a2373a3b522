"""What element-wise operators of two int8 inputs share: checks, and the walk along the output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyml.compiler.call import Call, Const, Learned, Ref, Struct
from tinyml.compiler.ops import require_quantized, unsupported, unsupported_anywhere
from tinyml.compiler.ops._walk import MAX_RANK, broadcast_strides, walk
from tinyml.compiler.proof import PairFunction, linear_sum, requantized
from tinyml.compiler.quant import activation_range, quantize_multiplier, rounding_of
from tinyml.errors import ModelError
from tinyml.tflite import Graph, Op

ADD_LEFT_SHIFT = 20  # TML_ADD_LEFT_SHIFT in add.h


def check_binary(op: Op, graph: Graph) -> None:
    """Check dtypes, quantization, fused activation and that the inputs broadcast to the output."""
    left, right, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    require_quantized(op, left, right, target)
    activation_range(op, target)
    try:
        shape = np.broadcast_shapes(left.shape, right.shape)
    except ValueError:
        shape = None
    if shape != target.shape:
        raise ModelError(f"operator {op}: {left} and {right} do not broadcast to {target}")
    if len(shape) > MAX_RANK:
        raise unsupported(op, target, f"rank {len(shape)}, more than {MAX_RANK}")


def binary_call(op: Op, graph: Graph, kernel: str, params: Struct | None = None) -> Call:
    """The call of a kernel (input1, input2, output, walk), with its params where it has any.

    The output may lie on an input of its own shape: each element is read before it is written.
    """
    left, right, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    along = walk(
        target.shape,
        broadcast_strides(left.shape, target.shape),
        broadcast_strides(right.shape, target.shape),
    )
    in_place = tuple(
        {t.index for t in (left, right) if t.elements == target.elements and not t.is_constant}
    )
    args = (Ref(left.index), Ref(right.index), Ref(target.index), along)
    return Call(kernel, args if params is None else (*args, params), in_place)


def sum_call(op: Op, graph: Graph, name: str, sign: int) -> Call:
    """The call of ADD (`sign` 1) or SUB (-1): in a proved linear form where there is one."""
    params = add_params(op, graph)
    form = None if graph.exchangeable else linear_sum(_sum(op, graph, params, sign))
    if form is None:
        call = binary_call(op, graph, f"tml_{name}_s8", params)
        return replace(call, note="three rescales: no proved linear form of all pairs of inputs")
    clamp = params.fields["act_min"], params.fields["act_max"]
    entries = None if form.table is None else np.roll(form.table, 128)
    linear = Struct(
        "tml_linear_sum_t",
        {
            "multiplier1": form.multiplier1,
            "multiplier2": form.multiplier2,
            "bias": form.bias,
            "right": form.right,
            "table": None if entries is None else Const(entries.astype(np.int32), "sums"),
            "act_min": clamp[0],
            "act_max": clamp[1],
        },
    )
    how = "linear" if form.table is None else "linear in one input, a table of the other"
    call = binary_call(op, graph, f"tml_{name}_linear_s8", linear)
    return replace(call, note=f"{how}, proved on 65,536 pairs of inputs")


def _sum(op: Op, graph: Graph, params: Struct, sign: int) -> PairFunction:
    """What TFLM computes for each pair of inputs: three rescales, each rounded, and a clamp."""
    fields = {key: learned.value for key, learned in params.fields.items()}  # type: ignore
    number = {key: np.int64(value) for key, value in fields.items()}
    values = np.arange(-128, 128, dtype=np.int64)
    left, right = (
        requantized(
            (values + number[f"input{i}_offset"]) << ADD_LEFT_SHIFT,
            number[f"input{i}_multiplier"],
            number[f"input{i}_shift"],
        )
        for i in (1, 2)
    )
    total = left[:, None] + sign * right[None, :]
    scaled = requantized(total, number["output_multiplier"], number["output_shift"])
    low, high = int(fields["act_min"]), int(fields["act_max"])
    outputs = np.clip(scaled + number["output_offset"], low, high)
    one, two, target = (graph.tensors[index].scale for index in (*op.inputs[:2], op.outputs[0]))
    return PairFunction(outputs, one / target, sign * two / target, low, high)


def rescaling(op: Op, graph: Graph, scales: Sequence[tuple[int, int]]) -> dict[str, Learned]:
    """Return the fields of two inputs that are rescaled before they meet, and of the output.

    `scales`: multiplier and shift of input 0, input 1 and the output.
    """
    left, right, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    (multiplier1, shift1), (multiplier2, shift2), (multiplier, shift) = scales
    return {
        "input1_offset": Learned(-left.zero_point),
        "input1_multiplier": Learned(multiplier1),
        "input1_shift": Learned(shift1),
        "input2_offset": Learned(-right.zero_point),
        "input2_multiplier": Learned(multiplier2),
        "input2_shift": Learned(shift2),
        "output_offset": Learned(target.zero_point),
        "output_multiplier": Learned(multiplier),
        "output_shift": Learned(shift),
    }


def add_params(op: Op, graph: Graph) -> Struct:
    """The `tml_add_t` of ADD and SUB, as CalculateOpDataAdd and CalculateOpDataSub fill theirs.

    Raises UnsupportedOpError where the output scale is so small that TFLM would stop the program.
    """
    narrow = rounding_of(op)
    left, right, target = graph.input(op, 0), graph.input(op, 1), graph.output(op)
    twice_max = narrow(2 * max(left.scale, right.scale))
    scales = [narrow(left.scale / twice_max), narrow(right.scale / twice_max)]
    scales.append(narrow(twice_max / narrow((1 << ADD_LEFT_SHIFT) * target.scale)))
    if not all(0 < scale < 1 for scale in scales):
        why = f"scale {target.scale} too far from those of the inputs"
        raise unsupported_anywhere(op, target, why)
    act_min, act_max = activation_range(op, target)
    return Struct(
        "tml_add_t",
        {
            **rescaling(op, graph, [quantize_multiplier(scale) for scale in scales]),
            "act_min": Learned(act_min),
            "act_max": Learned(act_max),
        },
    )
