"""Graph, plan and calls in, C source out: the only file of the compiler that writes text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler import ops
from tinyml.compiler.call import Arg, Call, Const, Ref, Scratch, Struct
from tinyml.compiler.plan import Plan
from tinyml.records import Step, TensorInfo
from tinyml.tflite import Graph, Op

_C_TYPES = {
    "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "uint16": "uint16_t",
    "int32": "int32_t", "uint32": "uint32_t", "int64": "int64_t", "float32": "float",
}  # fmt: skip
_ENUM = {
    "int8": "TML_INT8", "uint8": "TML_UINT8", "int16": "TML_INT16", "int32": "TML_INT32",
    "int64": "TML_INT64", "float32": "TML_FLOAT32", "bool": "TML_BOOL",
}  # fmt: skip
_MAX_RANK = 6
_WIDTH = 100
_INCLUDE = re.compile(r'^#include "(\w+\.h)"', re.MULTILINE)
_FIXED_PART = "tml_compiled.h"


class Emitter:
    """Collects the constants and calls of one model, then writes its C files."""

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self.constant_bytes = 0
        self._graph = graph
        self._plan = plan
        self._arrays: dict[tuple[str, bytes], str] = {}
        self._names: set[str] = set()
        self._definitions: list[str] = []
        self._body: list[str] = []
        self._headers: list[str] = []

    def step(self, position: int, op: Op, call: Call) -> None:
        """Add the call that computes `op`, which runs as step `position`."""
        header = f"{op.name.lower()}.h"
        if header not in self._headers:
            self._headers.append(header)
        label = f"op{op.index}"
        output = self._graph.output(op)
        comment = f"/* {op.name}: tensor {output.index}, {_comment(output.name)} */"
        before = len(self._definitions)
        arguments = [self._argument(arg, label, position) for arg in call.args]
        if len(self._definitions) > before:
            self._definitions.insert(before, comment)
        self._body.append(_wrapped(f"  {call.kernel}(", arguments, ");", "      "))
        self._body.append(f"  done({position});")

    def files(
        self,
        heading: str,
        inputs: Sequence[TensorInfo],
        outputs: Sequence[TensorInfo],
        steps: Sequence[Step],
    ) -> dict[str, str]:
        """Return the C files by name: `model.c` and the headers it needs."""
        headers = _with_included(self._headers)
        own = (ops.FOLDER.parent / _FIXED_PART).read_text()
        tables = self._tables(inputs, outputs, steps)
        includes = [f'#include "{name}"' for name in sorted({*self._headers, "tml_kernel.h"})]
        text = "\n".join(
            [
                f"/* {_comment(heading)} */",
                '#include "model.h"',
                *includes,
                "",
                f"#define ARENA_BYTES {max(self._plan.arena_bytes, 1)}",
                f"#define CONSTANT_BYTES {self.constant_bytes}",
                f"#define INPUT_COUNT {len(inputs)}",
                f"#define OUTPUT_COUNT {len(outputs)}",
                f"#define STEP_COUNT {len(steps)}",
                "",
                *self._definitions,
                "",
                *tables,
                "",
                f'#include "{_FIXED_PART}"',
                "",
                "static void run(void) {",
                *self._body,
                "}",
                "",
            ]
        )
        return {"model.c": text, _FIXED_PART: own, **headers}

    def _argument(self, arg: Arg, label: str, position: int) -> str:
        if isinstance(arg, Struct):
            fields = ", ".join(
                f".{name} = {self._argument(value, label, position)}"
                for name, value in arg.fields.items()
            )
            name = self._unique(f"{label}_params")
            opening = f"const {arg.type} {name} = {{"
            if any(isinstance(value, Ref) for value in arg.fields.values()):
                # An address in the arena is no constant expression.
                self._body.append(_wrapped(f"  {opening}", fields.split(", "), "};", "      "))
            else:
                static = f"static {opening}"
                self._definitions.append(_wrapped(static, fields.split(", "), "};", "    "))
            return f"&{name}"
        if isinstance(arg, Scratch):
            return f"at({self._plan.scratch[position]})"
        if isinstance(arg, Const):
            return self._array(arg.data, f"{label}_{arg.name}", arg.struct)
        if isinstance(arg, Ref):
            tensor = self._graph.tensors[arg.tensor]
            if tensor.data is not None:
                return self._array(tensor.data, f"tensor{tensor.index}")
            return f"at({self._offset(arg.tensor)})"
        if arg is None:
            return "NULL"
        return _number(arg)

    def _offset(self, tensor: int) -> int:
        return self._plan.tensors[self._graph.storage(tensor)]

    def _array(self, data: NDArray[Any], name: str, struct: str = "") -> str:
        """The name of a constant array with this content; defines it unless it exists already."""
        flat = np.ascontiguousarray(data).reshape(-1)
        key = (struct or flat.dtype.name, flat.tobytes())
        if key not in self._arrays:
            name = self._unique(name)
            self._arrays[key] = name
            self.constant_bytes += flat.nbytes
            values = [_number(value) for value in flat.tolist()] or ["0"]
            if struct:
                values = [
                    f"{{{', '.join(_number(item) for item in row)}}}" for row in data.tolist()
                ]
            c_type = struct or _C_TYPES[flat.dtype.name]
            opening = f"static const {c_type} {name}[{len(values)}] TML_ALIGN_WORD = {{"
            self._definitions.append(_wrapped(opening, values, "};", "    "))
        return self._arrays[key]

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._names:
            count += 1
            candidate = f"{name}{count}"
        self._names.add(candidate)
        return candidate

    def _tables(
        self, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo], steps: Sequence[Step]
    ) -> list[str]:
        graph = self._graph
        lines = []
        for kind, infos in (("input", inputs), ("output", outputs)):
            lines.append(f"static const tml_tensor_t {kind}_info[] = {{")
            lines += [f"    {_tensor_info(info)}," for info in infos]
            lines.append("};")
        for index, step in enumerate(steps):
            if step.channels is not None:
                values = [str(channel) for channel in step.channels]
                opening = f"static const uint16_t step{index}_channels[] = {{"
                lines.append(_wrapped(opening, values, "};", "    "))
        lines.append("static const tml_step_t step_info[] = {")
        # C has no empty arrays; a model of nothing but reshapes has no steps.
        rows = [f"    {_step_info(index, step)}," for index, step in enumerate(steps)]
        lines += rows or ["    {0}"]
        lines.append("};")
        offsets = {
            "input": [self._offset(index) for index in graph.inputs],
            "output": [self._offset(index) for index in graph.outputs],
            "step": [self._offset(step.tensor_index) for step in steps],
        }
        for kind, values_of in offsets.items():
            opening = f"static const uint32_t {kind}_offset[] = {{"
            values = [str(value) for value in values_of] or ["0"]
            lines.append(_wrapped(opening, values, "};", "    "))
        return lines


def _with_included(headers: Iterable[str]) -> dict[str, str]:
    """The text of `headers` and of every header of the operators' folder that they include."""
    texts: dict[str, str] = {}
    waiting = ["tml_kernel.h", *headers]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name] = (ops.FOLDER / name).read_text()
            waiting += _INCLUDE.findall(texts[name])
    return {name: texts[name] for name in sorted(texts)}


def _tensor_info(info: TensorInfo) -> str:
    shape = [*info.shape, *[1] * (_MAX_RANK - len(info.shape))]
    fields: Mapping[str, str] = {
        "name": _string(info.name),
        "dtype": _ENUM[info.dtype],
        "rank": str(len(info.shape)),
        "shape": "{" + ", ".join(map(str, shape)) + "}",
        "scale": _number(float(info.scale)),
        "zero_point": _number(info.zero_point),
        "bytes": str(info.bytes),
    }
    return "{" + ", ".join(f".{key} = {value}" for key, value in fields.items()) + "}"


def _step_info(index: int, step: Step) -> str:
    channels, count = "NULL", 0
    if step.channels is not None:
        channels, count = f"step{index}_channels", len(step.channels)
    return f"{{{step.op_index}, {step.tensor_index}, {step.bytes}, {channels}, {count}}}"


def _number(value: float) -> str:
    if isinstance(value, int):
        # -2147483648 is an expression in C, of a wider type.
        return "(-2147483647 - 1)" if value == -(1 << 31) else str(value)
    text = repr(float(np.float32(value))) if value else "0.0"
    return (
        f"{float(np.float32(value)):.9g}f".replace("inf", "INFINITY") if "e" in text else text + "f"
    )


def _string(text: str) -> str:
    """A C string literal; bytes outside printable ASCII become octal escapes of UTF-8."""
    special = {ord('"'), ord("\\"), ord("?")}
    return (
        '"'
        + "".join(
            chr(byte) if 32 <= byte < 127 and byte not in special else f"\\{byte:03o}"
            for byte in text.encode()
        )
        + '"'
    )


def _comment(text: str) -> str:
    """Text that cannot end a C comment or a line."""
    return re.sub(r"[^ -~]|\\|\?", "_", text).replace("*/", "* /").replace("/*", "/ *")


def _wrapped(opening: str, items: Sequence[str], closing: str, indent: str) -> str:
    """`opening item, item, ... closing` on one line, or filled over several."""
    joined = ", ".join(items)
    if len(opening) + len(joined) + len(closing) <= _WIDTH:
        return f"{opening}{joined}{closing}"
    lines = [opening]
    current = indent
    for item in items:
        if len(current) + len(item) + 2 > _WIDTH:
            lines.append(current.rstrip())
            current = indent
        current += item + ", "
    lines.append(current.rstrip().rstrip(",") + closing)
    return "\n".join(lines)
