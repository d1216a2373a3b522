"""C code generation for the protocol: the structs and byte functions of `tml_protocol.h.j2`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from tinyml.protocol import frames, messages

_C_TYPES = {
    "u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t",
    "i8": "int8_t", "i32": "int32_t", "f32": "float", "f64": "double",
}  # fmt: skip


@dataclass(frozen=True)
class CStruct:
    """The fixed fields of a record: `tml_wire_<name>_t`, `tml_wire_put_<name>` and so on.

    `puts` and `gets` are the statements that move it to and from bytes, where a device does that.
    """

    name: str
    doc: str
    bytes: int
    fields: tuple[str, ...]
    puts: tuple[str, ...]
    gets: tuple[str, ...]


def structs() -> list[CStruct]:
    """Return every record that has fixed fields; a device gets requests and puts all others."""
    requests = {message.request for message in messages.MESSAGES}
    return [
        _struct(
            record,
            put=record not in requests,
            get=record in requests or record is frames.Header,
        )
        for record in frames.Record.__subclasses__()
        if record.fixed_bytes()
    ]


def enums() -> list[tuple[str, list[tuple[str, int]]]]:
    """Return (comment, [(C name, value)]) of every enumeration."""
    types = [(f"TML_TYPE_{message.name}", message.number) for message in messages.MESSAGES]
    all_enums: tuple[type[Enum], ...] = (
        frames.Flag,
        messages.ErrorCode,
        messages.InfoSection,
        messages.Action,
        messages.ResetTarget,
    )
    return [("The header's type.", types)] + [
        (
            _first_line(enum),
            [(f"TML_{_snake(enum.__name__).upper()}_{m.name}", m.value) for m in enum],
        )
        for enum in all_enums
    ]


def _struct(record: type[frames.Record], *, put: bool, get: bool) -> CStruct:
    fields, puts, gets, offset = [], [], [], 0
    for name, kind in record.layout():
        if not kind.is_fixed:
            continue
        step = kind.bytes // max(kind.count, 1)
        fields.append(f"{_C_TYPES[kind.c]} {name}" + (f"[{kind.count}]" if kind.count else ""))
        for item in range(max(kind.count, 1)):
            element = f"{name}[{item}]" if kind.count else name
            at = offset + item * step
            puts.append(f"tml_put_{kind.c}(out + {at}, record->{element})")
            gets.append(f"record->{element} = tml_get_{kind.c}(in + {at})")
        offset += kind.bytes
    return CStruct(
        name=_snake(record.__name__),
        doc=_first_line(record),
        bytes=offset,
        fields=tuple(fields),
        puts=tuple(puts if put else ()),
        gets=tuple(gets if get else ()),
    )


def _first_line(documented: type) -> str:
    return (documented.__doc__ or "").strip().splitlines()[0]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
