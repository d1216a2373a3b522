"""Code generation: graph, memory plan and calls in, the text of `model.c` out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml import paths
from tinyml.compiler import annotate, c_text, ops
from tinyml.compiler.call import Arg, Call, Const, Learned, Ref, Scratch, Struct
from tinyml.compiler.plan import Plan
from tinyml.compiler.slot import Block
from tinyml.records import DTYPES, Step, TensorInfo
from tinyml.tflite import Graph, Op

_INCLUDE = re.compile(r'^#include "(\w+\.h)"', re.MULTILINE)
_FIXED_PART = "tml_compiled.h"


class Emitter:
    """Collects the constants and calls of one model, then writes its C files.

    With a `block`, all that is learned goes there, and the code that is left reads it from there.
    """

    def __init__(self, graph: Graph, plan: Plan, block: Block | None = None) -> None:
        self.constant_bytes = 0
        self._graph = graph
        self._plan = plan
        self._block = block
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
        output = annotate.tensor(self._graph.output(op))
        before = len(self._definitions)
        structs = len(self._body)
        arguments = [self._argument(arg, label, position) for arg in call.args]
        if len(self._definitions) > before:
            self._definitions.insert(before, f"/* operator {op.index}, {op.name}: {output} */")
        self._body.append(c_text.wrapped(f"  {call.kernel}(", arguments, ");", "      "))
        if self._block is not None:  # many structs: those of one step give their stack to the next
            inner = textwrap.indent("\n".join(self._body[structs:]), "  ")
            self._body[structs:] = ["  {", inner, "  }"]
        comment = annotate.comment(self._graph, self._plan, position, op, call)
        apart = [""] if structs else []
        self._body[structs:structs] = [*apart, *(f"  {line}" for line in comment)]
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
        fixed_part = (ops.FOLDER.parent / _FIXED_PART).read_text()
        tables = self._tables(inputs, outputs, steps)
        slot_data, slot_code = ([], []) if self._block is None else self._block.c_text()
        forget = self._forget()
        slot_bytes = 0 if self._block is None else len(self._block.content)
        includes = [f'#include "{name}"' for name in sorted({*self._headers, "tml_kernel.h"})]
        text = "\n".join(
            [
                f"/* {c_text.comment(heading)} */",
                '#include "model.h"',
                *includes,
                "",
                f"#define ARENA_BYTES {max(self._plan.arena_bytes, 1)}",
                f"#define CONSTANT_BYTES {self.constant_bytes + slot_bytes}",
                f"#define INPUT_COUNT {len(inputs)}",
                f"#define OUTPUT_COUNT {len(outputs)}",
                f"#define STEP_COUNT {len(steps)}",
                *(["#define KEEPS_STATE"] if self._graph.initial else []),
                "",
                *self._places(),
                "",
                *self._definitions,
                *slot_data,
                "",
                *tables,
                "",
                f'#include "{_FIXED_PART}"',
                *slot_code,
                "",
                "static void run(void) {",
                *self._body,
                "}",
                *forget,
                "",
            ]
        )
        files = {"model.c": text, _FIXED_PART: fixed_part, **headers}
        return files if self._block is None else {**files, **self._block.files()}

    def _forget(self) -> list[str]:
        """The function that gives every variable its first value; nothing without any."""
        if not self._graph.initial:
            return []
        lines = ["", "static void forget(void) {"]
        for index, value in sorted(self._graph.initial.items()):
            raw = np.ascontiguousarray(value).view(np.uint8).reshape(-1)
            target = f"at({self._place(index)})"
            if (raw == raw[0]).all():
                lines.append(f"  memset({target}, {raw[0]}, {len(raw)});")
            else:
                name = self._array(value, f"tensor{index}_first")
                lines.append(f"  memcpy({target}, {name}, {len(raw)});")
        return [*lines, "}"]

    def _argument(self, arg: Arg, label: str, position: int) -> str:
        if isinstance(arg, Struct):
            fields = [
                f".{name} = {self._argument(value, label, position)}"
                for name, value in arg.fields.items()
            ]
            name = self._unique(f"{label}_params")
            opening = f"const {arg.type} {name} = {{"
            if any(self._is_read(value) for value in arg.fields.values()):
                # What lies in the arena or in a slot is no constant expression.
                self._body.append(c_text.wrapped(f"  {opening}", fields, "};", "      "))
            else:
                self._definitions.append(c_text.wrapped(f"static {opening}", fields, "};"))
            return f"&{name}"
        if isinstance(arg, Scratch):
            return f"at({_scratch(position)})"
        if isinstance(arg, Const):
            if self._block is not None and arg.learned:
                return self._block.array(arg.data, arg.room)
            return self._array(arg.data, f"{label}_{arg.name}", arg.struct)
        if isinstance(arg, Learned):
            if self._block is not None:
                return self._block.number(arg.value)
            return c_text.number(arg.value)
        if isinstance(arg, Ref):
            tensor = self._graph.tensors[arg.tensor]
            if tensor.data is not None and self._block is not None:
                return self._block.array(tensor.data)
            if tensor.data is not None:
                # A kernel that moves bytes takes them unsigned, whatever they mean.
                return f"(const void *){self._array(tensor.data, f'tensor{tensor.index}')}"
            return f"at({self._place(arg.tensor)})"
        if arg is None:
            return "NULL"
        return c_text.number(arg)

    def _is_read(self, arg: Arg) -> bool:
        """Whether `arg` is something that only running code can know."""
        if isinstance(arg, Ref):
            return True
        in_slot = isinstance(arg, Learned) or (isinstance(arg, Const) and arg.learned)
        return in_slot and self._block is not None

    def _place(self, tensor: int) -> str:
        """The name of the offset of a tensor in the arena."""
        owner = self._graph.tensors[self._graph.storage(tensor)]
        return f"AT_{owner.index}_{c_text.identifier(owner.name)}".rstrip("_")

    def _places(self) -> list[str]:
        """The offsets of all that lies in the arena, by name."""
        plan, tensors = self._plan, self._graph.tensors
        lines = ["/* Where tensors and scratch memory lie in the arena, in bytes. */", "enum {"]
        for index, offset in sorted(plan.tensors.items()):
            size = tensors[index].bytes
            lines.append(f"  {self._place(index)} = {offset}, /* {size:,} bytes */")
        for step, offset in sorted(plan.scratch.items()):
            size = plan.scratch_bytes[step]
            lines.append(f"  {_scratch(step)} = {offset}, /* {size:,} bytes */")
        return [*lines, "};"] if len(lines) > 2 else []

    def _array(self, data: NDArray[Any], name: str, struct: str = "") -> str:
        """The name of a constant array with this content; defines it unless it exists already."""
        flat = np.ascontiguousarray(data).reshape(-1)
        if flat.dtype == np.bool_:
            flat = flat.view(np.uint8)
        key = (struct or flat.dtype.name, flat.tobytes())
        if key not in self._arrays:
            name = self._unique(name)
            self._arrays[key] = name
            self.constant_bytes += flat.nbytes
            values = [c_text.number(value) for value in flat.tolist()] or ["0"]
            if struct:
                values = [
                    f"{{{', '.join(c_text.number(item) for item in row)}}}" for row in data.tolist()
                ]
            c_type = struct or DTYPES[flat.dtype.name].c_type
            opening = f"static const {c_type} {name}[{len(values)}] TML_ALIGN_WORD = {{"
            self._definitions.append(c_text.wrapped(opening, values, "};"))
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
            lines += [f"    {c_text.tensor_info(info)}," for info in infos]
            lines.append("};")
        rows = []
        for index, step in enumerate(steps):
            channels = "NULL"
            if step.channels is not None:
                channels = f"step{index}_channels"
                values = [str(channel) for channel in step.channels]
                opening = f"static const uint16_t {channels}[] = {{"
                lines.append(c_text.wrapped(opening, values, "};"))
            rows.append(f"    {c_text.step_info(step, channels)},")
        lines.append("static const tml_step_t step_info[] = {")
        # C has no empty arrays; a model of nothing but reshapes has no steps.
        lines += rows or ["    {0}"]
        lines.append("};")
        offsets = {
            "input": [self._place(index) for index in graph.inputs],
            "output": [self._place(index) for index in graph.outputs],
            "step": [self._place(step.tensor_index) for step in steps],
        }
        for kind, names in offsets.items():
            opening = f"static const uint32_t {kind}_offset[] = {{"
            lines.append(c_text.wrapped(opening, names or ["0"], "};"))
        return lines


def _scratch(step: int) -> str:
    """The name of the offset of the scratch memory of a step."""
    return f"AT_SCRATCH_OF_STEP_{step}"


def _with_included(headers: Iterable[str]) -> dict[str, str]:
    """The text of `headers` and of all that they include, the DSP operations of features too."""
    texts: dict[str, str] = {}
    waiting = ["tml_kernel.h", *headers]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            header = ops.FOLDER / name
            texts[name] = (
                header if header.is_file() else paths.shared("features") / name
            ).read_text()
            waiting += _INCLUDE.findall(texts[name])
    return {name: texts[name] for name in sorted(texts)}
