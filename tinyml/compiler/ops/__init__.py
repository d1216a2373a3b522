"""The operators: what each is and how it is computed, one file or pair of files each.

A file is named after its TFLite operator. To add the operator `SOME_OP`, write two files here and
a golden recipe, and edit no list:

`some_op.py` (Python: decides, computes everything that is known before run time) defines

    check(op: Op, graph: Graph) -> None
        Raise UnsupportedOpError (`unsupported(op, tensor, why)` builds it) for every form of the
        operator that the kernels do not compute exactly as TFLM's reference kernel does: dtypes,
        ranks, options, quantization. Raise ModelError where TFLM would refuse the model, too.
        Runs before anything is written; all that follows may rely on it.

    call(op: Op, graph: Graph) -> Call
        The kernel's name and its arguments (see `tinyml/compiler/call.py`): `Ref(tensor)`,
        `Const(array, name)`, `Struct("tml_some_op_t", {...})`, `Scratch()`, numbers. Argument
        order: inputs, weights, bias, output, parameters, scratch. Set `in_place` where the kernel
        allows the output to lie on an input, `overlap` where it may begin before it and reach in.

and, only where it differs from what stands in brackets,

    scratch_bytes(op: Op, graph: Graph) -> int
        Bytes of scratch memory that the kernel needs while it runs (0).

    macs(op: Op, graph: Graph) -> int
        Multiply-accumulates as the shapes imply them (0).

    evaluate(op: Op, graph: Graph) -> Array | None
        The value of the output, in its shape and dtype, where it is known before run time. Called
        when all inputs are constants, or at any time if the file says NEEDS_SHAPES_ONLY = True;
        `check` has passed where there is one (None: computed at run time after all).

    RENAMES = True
        The output has the bytes of input 0 under another shape, so nothing runs (False).

    TFLM = Registration(...)
        What TensorFlow Lite Micro calls the operator (see `Registration`).

`some_op.h` (C99, header only) includes "tml_kernel.h" and defines the `static inline` kernel
`tml_some_op_s8` (suffix: dtype) with a comment on layout, ranges and alignment, plus, for a
parameter struct, the typedef `tml_some_op_t`. A pointer into the arena is aligned to 4 bytes at
least (8 for int64). A faster variant is an `#if defined(__ARM_FEATURE_DSP)` branch that gives the
same bits, or a second kernel that `call` chooses by shape. No heap, no stdio, no recursion, no
floating point in integer kernels; clean under -Wall -Wextra -Wshadow -Wconversion.

An operator without a kernel has no header, and its file holds only such facts: RESHAPE, which runs
nowhere, or SVDF, which runs under TFLM only. One of which there is nothing to say needs no file.

Shared by several operators: rounding in `tinyml/compiler/quant.py` and `tml_kernel.h` (the same
functions in Python and C, tested against each other), window geometry in `_window.py`, output
channels in `tinyml/compiler/channels.py`; the two-lane arithmetic of the DSP instructions, with a
plain C twin, in `tml_kernel.h`. A header may include another operator's header; `emit.py` carries
along what is included. The proof is data: `tests/golden` holds a small model and vectors for each
operator, and a test runs every one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, cast

from numpy.typing import NDArray

from tinyml.compiler.call import Call
from tinyml.errors import UnsupportedOpError
from tinyml.registry import Registry
from tinyml.tflite import Graph, Op, Tensor

Array = NDArray[Any]
_OPERATORS = Registry(__name__, "operator")
FOLDER = _OPERATORS.folder


class Operator(Protocol):
    """What the Python file of an operator with a kernel defines."""

    def check(self, op: Op, graph: Graph) -> None:
        """Raise UnsupportedOpError or ModelError for what the kernels do not compute exactly."""

    def call(self, op: Op, graph: Graph) -> Call:
        """Return the kernel's name and arguments; `check` has passed."""
        ...


@dataclass(frozen=True)
class Registration:
    """How MicroMutableOpResolver of TensorFlow Lite Micro registers an operator.

    `method`: what follows `Add` in the method's name; "" for the operator's name in camel case.
    `int8_functions`: how names of the CMSIS-NN functions begin that the int8-only registration
    `Register_<OPERATOR>_INT8` calls; "" where TFLM has no such registration, which links less code.
    """

    method: str = ""
    int8_functions: str = ""


def names() -> tuple[str, ...]:
    """Return the operators that have a kernel here, as TFLite enum names, sorted."""
    files = _OPERATORS.names()
    return tuple(name.upper() for name in files if (FOLDER / f"{name}.h").is_file())


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


def scratch_bytes(op: Op, graph: Graph) -> int:
    """Return the bytes of scratch memory that the kernel of `op` needs while it runs."""
    return int(_fact(op.name, "scratch_bytes", lambda op, graph: 0)(op, graph))


def macs(op: Op, graph: Graph) -> int:
    """Return the multiply-accumulates of `op` as its shapes imply them; 0 without any."""
    return int(_fact(op.name, "macs", lambda op, graph: 0)(op, graph))


def evaluate(op: Op, graph: Graph) -> Array | None:
    """Return the value of the output of `op` where it is known before run time, else None.

    Raises UnsupportedOpError or ModelError as the operator's `check` does.
    """
    value = _fact(op.name, "evaluate", None)
    constant = all(index < 0 or graph.tensors[index].is_constant for index in op.inputs)
    if value is None or not (constant or _fact(op.name, "NEEDS_SHAPES_ONLY", False)):
        return None
    if op.name in names():
        load(op, graph).check(op, graph)
    return cast("Array | None", value(op, graph))


def renames(name: str) -> bool:
    """Whether the operator `name` only gives the bytes of its input 0 another shape."""
    return bool(_fact(name, "RENAMES", False))


def registration(name: str) -> Registration:
    """Return how TFLM registers the operator `name`."""
    return cast(Registration, _fact(name, "TFLM", Registration()))


def _fact(name: str, attribute: str, default: Any) -> Any:
    """What the file of the operator `name` defines as `attribute`, else `default`."""
    if name.lower() not in _OPERATORS.names():
        return default
    module: ModuleType = _OPERATORS.load(name.lower())
    return getattr(module, attribute, default)


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
