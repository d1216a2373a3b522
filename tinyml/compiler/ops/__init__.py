"""The operators of the compiled runtime: one pair of files each, named after the TFLite operator.

To add the operator `SOME_OP`, write two files here and edit no list:

`some_op.py` (Python: decides, computes everything that is known before run time) defines

    check(op: Op, graph: Graph) -> None
        Raise UnsupportedOpError (`unsupported(op, tensor, why)` builds it) for every form of the
        operator that the kernels do not compute exactly as TFLM's reference kernel does: dtypes,
        ranks, options, quantization. Raise ModelError where TFLM would refuse the model, too.
        Runs before anything is written; `scratch_bytes` and `call` may rely on it.

    scratch_bytes(op: Op, graph: Graph) -> int
        Bytes of scratch memory the kernel needs while it runs; 0 for most.

    call(op: Op, graph: Graph) -> Call
        The kernel's name and its arguments (see `tinyml/compiler/call.py`): `Ref(tensor)`,
        `Const(array, name)`, `Struct("tml_some_op_t", {...})`, `Scratch()`, numbers. Argument
        order: inputs, weights, bias, output, parameters, scratch. Set `in_place` where the kernel
        allows the output to lie on an input, `overlap` where it may begin before it and reach in.

`some_op.h` (C99, header only) includes "tml_kernel.h" and defines the `static inline` kernel
`tml_some_op_s8` (suffix: dtype) with a comment on layout, ranges and alignment, plus, for a
parameter struct, the typedef `tml_some_op_t`. A pointer into the arena is aligned to 4 bytes at
least (8 for int64). A faster variant is an `#if defined(__ARM_FEATURE_DSP)` branch that gives the
same bits, or a second kernel that `call` chooses by shape. No heap, no stdio, no recursion, no
floating point in integer kernels; clean under -Wall -Wextra -Wshadow -Wconversion.

Shared by several operators: rounding in `tinyml/compiler/quant.py` and `tml_kernel.h` (the same
functions in Python and C, tested against each other), window geometry in `_window.py`, output
channels in `tinyml/compiler/channels.py`; the two-lane arithmetic of the DSP instructions, with a
plain C twin, in `tml_kernel.h`. A header may include
another operator's header; `emit.py` carries along what is included. The proof is data:
`tests/golden` holds a small model and vectors for each operator, and a test runs every one.

An operator without work at run time (RESHAPE) has no pair; a pass in `tinyml/compiler/passes`
removes it.
"""

from __future__ import annotations

from typing import Protocol, cast

from tinyml.compiler.call import Call
from tinyml.errors import UnsupportedOpError
from tinyml.registry import Registry
from tinyml.tflite import Graph, Op, Tensor

_OPERATORS = Registry(__name__, "operator")
FOLDER = _OPERATORS.folder


class Operator(Protocol):
    """What a file of this folder defines."""

    def check(self, op: Op, graph: Graph) -> None: ...
    def scratch_bytes(self, op: Op, graph: Graph) -> int: ...
    def call(self, op: Op, graph: Graph) -> Call: ...


def names() -> tuple[str, ...]:
    """The operators that have a pair here, as TFLite enum names, sorted."""
    return tuple(name.upper() for name in _OPERATORS.names())


def load(op: Op, graph: Graph) -> Operator:
    """Return the pair of `op`; raises UnsupportedOpError where there is none."""
    if op.name not in names():
        work = f"computes tensor {graph.output(op)}" if op.outputs else "computes no tensor"
        raise UnsupportedOpError(
            f"the compiled runtime has no operator {op.name} (operator {op.index}, which {work})",
            "use the TFLM runtime (--runtime tflm), or change the model; supported: "
            + ", ".join(names()),
        )
    return cast(Operator, _OPERATORS.load(op.name.lower()))


def unsupported(op: Op, tensor: Tensor, why: str) -> UnsupportedOpError:
    """The error for a form of `op` that its kernels lack; `tensor` is the one that shows it."""
    return UnsupportedOpError(
        f"the compiled runtime lacks this form of operator {op}: {why} (tensor {tensor})",
        "use the TFLM runtime (--runtime tflm), or quantize the model to full int8",
    )


def unsupported_anywhere(op: Op, tensor: Tensor, why: str) -> UnsupportedOpError:
    """The error for a form of `op` that TFLM refuses, too, so that no runtime helps."""
    return UnsupportedOpError(
        f"neither the compiled runtime nor TFLM has this form of operator {op}: {why} "
        f"(tensor {tensor})",
        "change the model and export it again",
    )


def require_dtype(op: Op, tensor: Tensor, *dtypes: str) -> None:
    """Raise UnsupportedOpError unless `tensor` has one of `dtypes`."""
    if tensor.dtype not in dtypes:
        raise unsupported(op, tensor, f"needs {' or '.join(dtypes)}, got {tensor.dtype}")


def require_quantized(op: Op, *tensors: Tensor) -> None:
    """Raise UnsupportedOpError unless each of `tensors` is int8 with one positive scale."""
    for tensor in tensors:
        require_dtype(op, tensor, "int8")
        if len(tensor.scales) != 1 or tensor.scales[0] <= 0:
            raise unsupported(op, tensor, "needs one positive scale per tensor")
        if not -128 <= tensor.zero_points[0] <= 127:
            raise unsupported(op, tensor, f"zero point {tensor.zero_points[0]} beyond int8")
