"""The block of a model slot: weights and quantization of a model, in one piece apart from its code.

Two models of the same structure differ in their blocks only. What the code takes from the block is
laid out in the order in which the code reads it, so the layout follows from the code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler import c_text, ops
from tinyml.records import ModelSlot, TensorInfo

_FIXED_PART = "tml_compiled_slot.h"
_ALIGNMENT = 4
_CONTENT = re.compile(r"^static const uint32_t builtin\[.*?};$", re.DOTALL | re.MULTILINE)
_PLACE = re.compile(r"\b(AT_\d+)_\w+")  # the rest is the tensor's name
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


class Block:
    """Collects what is learned; its numbers are little-endian, as on every board."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def array(self, data: NDArray[Any], room: int = 0) -> str:
        """Keep `data`, with room for `room` elements of it; return the C expression of its start.

        Unlike constants in code, equal arrays are kept apart: those of another model may differ.
        """
        flat = np.ascontiguousarray(data).reshape(-1)
        content = flat.astype(flat.dtype.newbyteorder("<")).tobytes()
        free = max(0, room - len(flat)) * flat.dtype.itemsize
        return f"constant({self._keep(content + bytes(free))})"

    def number(self, value: float) -> str:
        """Keep a number; return the C expression that reads it."""
        if isinstance(value, int):
            return f"integer({self._keep(np.array(value, '<i4').tobytes())})"
        return f"real({self._keep(np.array(value, '<f4').tobytes())})"

    def _keep(self, content: bytes) -> int:
        offset = len(self._bytes)
        self._bytes += content + bytes(-len(content) % _ALIGNMENT)
        return offset

    @property
    def content(self) -> bytes:
        """What was kept so far."""
        return bytes(self._bytes)

    def c_text(self) -> tuple[list[str], list[str]]:
        """Return what goes before and after the tables of `model.c`."""
        words = [f"0x{word:08x}u" for word in np.frombuffer(self.content, "<u4").tolist()]
        opening = f"static const uint32_t builtin[{max(len(words), 1)}] TML_ALIGN_ARENA = {{"
        data = [c_text.wrapped(opening, words or ["0"], "};")]
        return data, [f"#define BLOCK_BYTES {len(self._bytes)}", f'#include "{_FIXED_PART}"']

    def files(self) -> Mapping[str, str]:
        """Return the C files that firmware with a slot has besides the others."""
        return {_FIXED_PART: (ops.FOLDER.parent / _FIXED_PART).read_text()}


def describe(
    block: Block,
    files: Mapping[str, str],
    inputs: Sequence[TensorInfo],
    outputs: Sequence[TensorInfo],
) -> ModelSlot:
    """Return the slot of generated `files`.

    The structure is the hash of the code without what is learned, and without the names that a
    training run gives to tensors; a block fits all code of the same structure.
    """
    code = dict(files)
    text = _CONTENT.sub("", files["model.c"], count=1)
    for info in (*inputs, *outputs):
        text = text.replace(c_text.tensor_info(info), c_text.tensor_info(replace(info, name="")))
    text = _PLACE.sub(r"\1", _COMMENT.sub("", text))
    code["model.c"] = " ".join(text.split())  # long names break lines elsewhere than short ones
    parts = (f"{name}\0{code[name]}\0".encode() for name in sorted(code))
    structure = hashlib.sha256(b"".join(parts)).hexdigest()
    return ModelSlot(structure, len(block.content), block.content)
