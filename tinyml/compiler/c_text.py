"""Values as C text, for every generator of C: literals, comments, filled lines, rows of tables.

The text is C99; it is deterministic and ASCII whatever names a model has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from tinyml.records import DTYPES, Step, TensorInfo

MAX_RANK = 6  # model.h: TML_MAX_RANK
_WIDTH = 100
_PLAIN = frozenset(range(32, 127)) - frozenset(b'"\\?')  # "?" could start a trigraph


def string(text: str) -> str:
    """Return `text` as a string literal whose bytes are those of UTF-8."""
    body = "".join(chr(byte) if byte in _PLAIN else f"\\{byte:03o}" for byte in text.encode())
    return f'"{body}"'


def comment(text: str) -> str:
    """Return `text` so that it can end neither a comment nor a line."""
    return re.sub(r"[^ -~]|\\|\?", "_", text).replace("*/", "* /").replace("/*", "/ *")


def identifier(text: str, length: int = 32) -> str:
    """Return the letters and digits of the end of `text` as part of an upper-case identifier."""
    words = re.sub(r"[^A-Z0-9]+", "_", text.split(";")[0].upper()).strip("_")
    return words[-length:].strip("_")


def number(value: float) -> str:
    """Return an int as an expression of its value, a float as a literal of the same float32."""
    if isinstance(value, int):
        # -2147483648 is an expression in C, of a wider type.
        return "(-2147483647 - 1)" if value == -(1 << 31) else str(value)
    single = float(np.float32(value))
    if np.isinf(single):
        return "INFINITY" if single > 0 else "-INFINITY"
    digits = repr(single)  # has a point or an exponent, without which C would see an integer
    return f"{single:.9g}f" if "e" in digits else f"{digits}f"


def wrapped(opening: str, items: Sequence[str], closing: str, indent: str = "    ") -> str:
    """Return `opening item, item, ... closing` on one line, or filled over several."""
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


def dtype(name: str) -> str:
    """Return the `tml_dtype_t` (model.h) of the dtype `name`, which must have a number there."""
    assert DTYPES[name].number >= 0, name
    return f"TML_{name.upper()}"


def tensor_info(info: TensorInfo) -> str:
    """Return the initialiser of a `tml_tensor_t` (model.h)."""
    shape = [*info.shape, *[1] * (MAX_RANK - len(info.shape))]
    fields = {
        "name": string(info.name),
        "dtype": dtype(info.dtype),
        "rank": str(len(info.shape)),
        "shape": "{" + ", ".join(map(str, shape)) + "}",
        "scale": number(float(info.scale)),
        "zero_point": number(info.zero_point),
        "bytes": str(info.bytes),
    }
    return "{" + ", ".join(f".{key} = {value}" for key, value in fields.items()) + "}"


def step_info(step: Step, channels: str = "NULL") -> str:
    """Return the initialiser of a `tml_step_t`; `channels` names its array of channels."""
    count = len(step.channels or ())
    return f"{{{step.op_index}, {step.tensor_index}, {step.bytes}, {channels}, {count}}}"
