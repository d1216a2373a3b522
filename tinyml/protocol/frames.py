"""Framing of the serial line: COBS, CRC-32 and the packing of records into bytes.

A frame is `00 COBS(header payload crc) 00`. The header is `Header`, the CRC is the IEEE CRC-32 of
header and payload, all integers are little-endian. Knows no message: those are in `messages`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import IntFlag
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_type_hints
from zlib import crc32

from tinyml.errors import DeviceError

VERSION = 1
MAX_PAYLOAD = 512
HEADER_BYTES = 6
CRC_BYTES = 4
MAX_CONTENT = HEADER_BYTES + MAX_PAYLOAD + CRC_BYTES
MAX_ENCODED = MAX_CONTENT + MAX_CONTENT // 254 + 1  # COBS, without the two zeros around it


class Flag(IntFlag):
    """The header's flags."""

    RESPONSE = 1
    MORE = 2
    ERROR = 4
    EVENT = 8


NO_FLAGS = Flag(0)


@dataclass(frozen=True)
class FieldKind:
    """A field's form on the wire: a number, `count` of them, or one of the forms below.

    TEXT: u8 length and UTF-8. LIST: u16 length and u16 items. REST: all bytes that are left.
    Variable forms follow all others of a record, and REST comes last.
    """

    c: str
    code: str = ""
    count: int = 0

    @property
    def is_fixed(self) -> bool:
        """Whether every value takes the same number of bytes."""
        return bool(self.code)

    @property
    def bytes(self) -> int:
        """Size of a fixed field."""
        return struct.calcsize(f"<{self.code}") * max(self.count, 1)


_TEXT, _LIST, _REST = FieldKind("text"), FieldKind("list"), FieldKind("rest")

u8 = Annotated[int, FieldKind("u8", "B")]
u16 = Annotated[int, FieldKind("u16", "H")]
u32 = Annotated[int, FieldKind("u32", "I")]
u64 = Annotated[int, FieldKind("u64", "Q")]
i8 = Annotated[int, FieldKind("i8", "b")]
i32 = Annotated[int, FieldKind("i32", "i")]
f32 = Annotated[float, FieldKind("f32", "f")]
f64 = Annotated[float, FieldKind("f64", "d")]
Digest = Annotated[tuple[int, ...], FieldKind("u8", "B", 32)]
Shape = Annotated[tuple[int, ...], FieldKind("i32", "i", 6)]
Registers = Annotated[tuple[int, ...], FieldKind("u32", "I", 8)]
Text = Annotated[str, _TEXT]
List = Annotated[tuple[int, ...], _LIST]
Rest = Annotated[bytes, _REST]

R = TypeVar("R", bound="Record")


class Record:
    """A structure on the wire; subclasses are frozen dataclasses whose field types are above."""

    _layout: ClassVar[tuple[tuple[str, FieldKind], ...]]

    @classmethod
    def layout(cls) -> tuple[tuple[str, FieldKind], ...]:
        """Return (field name, kind) in wire order."""
        if "_layout" not in cls.__dict__:
            hints = get_type_hints(cls, include_extras=True)
            names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
            cls._layout = tuple((name, get_args(hints[name])[1]) for name in names)
        return cls._layout

    @classmethod
    def fixed_bytes(cls) -> int:
        """Return the size of the fixed fields, which is the smallest a record can be."""
        return sum(kind.bytes for _, kind in cls.layout() if kind.is_fixed)

    def pack(self) -> bytes:
        """Return the bytes on the wire. Raises DeviceError where a value does not fit its field."""
        try:
            return b"".join(_pack(kind, getattr(self, name)) for name, kind in self.layout())
        except (struct.error, OverflowError) as error:
            raise DeviceError(f"{self!r} does not fit the wire: {error}") from error

    @classmethod
    def unpack(cls: type[R], data: bytes) -> R:
        """Return the record that `data` is. Raises DeviceError unless it is exactly one."""
        record, end = cls.unpack_from(data, 0)
        if end != len(data):
            raise DeviceError(f"{cls.__name__} takes {end} bytes, the device sent {len(data)}")
        return record

    @classmethod
    def unpack_from(cls: type[R], data: bytes, start: int) -> tuple[R, int]:
        """Return the record at `start` and where it ends. Raises DeviceError where it is cut."""
        values: list[Any] = []
        offset = start
        for _, kind in cls.layout():
            try:
                value, offset = _unpack(kind, data, offset)
            except struct.error as error:
                raise DeviceError(
                    f"{cls.__name__} is cut: {len(data) - start} bytes from the device"
                ) from error
            values.append(value)
        return cls(*values), offset

    @classmethod
    def unpack_all(cls: type[R], data: bytes) -> list[R]:
        """Return the records that follow one another in `data`."""
        records, offset = [], 0
        while offset < len(data):
            record, offset = cls.unpack_from(data, offset)
            records.append(record)
        return records


def _pack(kind: FieldKind, value: Any) -> bytes:
    if kind is _TEXT:
        text: bytes = value.encode()
        return struct.pack("<B", len(text)) + text
    if kind is _LIST:
        return struct.pack(f"<H{len(value)}H", len(value), *value)
    if kind is _REST:
        return bytes(value)
    if kind.count:
        return struct.pack(f"<{kind.count}{kind.code}", *value)
    return struct.pack(f"<{kind.code}", value)


def _unpack(kind: FieldKind, data: bytes, offset: int) -> tuple[Any, int]:
    if kind is _REST:
        return data[offset:], len(data)
    if kind is _TEXT:
        (count,), offset = _take("B", 1, data, offset)
        (text,), offset = _take(f"{count}s", 1, data, offset)
        return text.decode("utf-8", "replace"), offset
    if kind is _LIST:
        (count,), offset = _take("H", 1, data, offset)
        return _take("H", count, data, offset)
    values, offset = _take(kind.code, max(kind.count, 1), data, offset)
    return (values if kind.count else values[0]), offset


def _take(code: str, count: int, data: bytes, offset: int) -> tuple[tuple[Any, ...], int]:
    form = f"<{count}{code}" if count != 1 else f"<{code}"
    return struct.unpack_from(form, data, offset), offset + struct.calcsize(form)


@dataclass(frozen=True)
class Header(Record):
    """Precedes every payload; `bytes` is the payload's length."""

    version: u8
    type: u8
    flags: u8
    seq: u8
    bytes: u16


@dataclass(frozen=True)
class Frame:
    """What travels: a message's number, flags, sequence number and packed record."""

    type: int
    seq: int
    payload: bytes = b""
    flags: Flag = NO_FLAGS
    version: int = VERSION

    def encode(self) -> bytes:
        """Return the bytes on the line, zeros around them included."""
        if len(self.payload) > MAX_PAYLOAD:
            raise DeviceError(f"a frame carries {MAX_PAYLOAD} bytes, not {len(self.payload)}")
        head = Header(self.version, self.type, self.flags, self.seq, len(self.payload)).pack()
        content = head + self.payload
        return b"\0" + cobs_encode(content + struct.pack("<I", crc32(content))) + b"\0"


def decode(encoded: bytes) -> Frame | None:
    """Return the frame that stood between two zeros, None where it is damaged or none at all."""
    content = cobs_decode(encoded)
    if content is None or not HEADER_BYTES + CRC_BYTES <= len(content) <= MAX_CONTENT:
        return None
    body, crc = content[:-CRC_BYTES], content[-CRC_BYTES:]
    header, end = Header.unpack_from(body, 0)
    if struct.pack("<I", crc32(body)) != crc or header.bytes != len(body) - end:
        return None
    return Frame(header.type, header.seq, body[end:], Flag(header.flags), header.version)


def cobs_encode(data: bytes) -> bytes:
    """Return `data` without zeros (Cheshire and Baker, Consistent Overhead Byte Stuffing)."""
    out = bytearray()
    for run in (data + b"\0").split(b"\0")[:-1]:
        start = 0
        while len(run) - start >= 254:
            out.append(255)
            out += run[start : start + 254]
            start += 254
        out.append(len(run) - start + 1)
        out += run[start:]
    return bytes(out)


def cobs_decode(encoded: bytes) -> bytes | None:
    """Return what `cobs_encode` was given, or None where `encoded` cannot come from it."""
    out = bytearray()
    at = 0
    while at < len(encoded):
        code = encoded[at]
        run = encoded[at + 1 : at + code]
        if code == 0 or len(run) != code - 1 or 0 in run:
            return None
        out += run
        at += code
        if code < 255 and at < len(encoded):
            out.append(0)
    return bytes(out) if encoded else None


class Receiver:
    """Cuts a byte stream into frames. Never raises; keeps at most one frame's worth of bytes.

    `bad` counts what lay between two zeros and was no frame; `text` collects printable text
    between frames (at most `MAX_TEXT` bytes of it) until its owner takes it: at the next frame, or
    at the end of its line from a device that sends no frames at all.
    """

    MAX_TEXT: ClassVar[int] = 4096

    def __init__(self) -> None:
        self.bad = 0
        self.text = bytearray()
        self._part = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that `data` completes."""
        *complete, rest = data.split(b"\0")
        for part in complete:
            self._keep(part)
            encoded = bytes(self._part)
            self._part.clear()
            frame = decode(encoded)
            if frame is not None:
                yield frame
            elif _is_text(encoded):
                self.text += encoded[: self.MAX_TEXT - len(self.text)]
            else:
                self.bad += 1
        self._keep(self._without_lines(rest))

    def _without_lines(self, rest: bytes) -> bytes:
        """Take whole lines of text, which no frame begins with, and return what is left."""
        end = rest.rfind(b"\n") + 1
        if not end or not _is_text(bytes(self._part) + rest):
            return rest  # the second byte of every frame is its version, which is no text
        text = bytes(self._part) + rest[:end]
        self.text += text[: self.MAX_TEXT - len(self.text)]
        self._part.clear()
        return rest[end:]

    def _keep(self, part: bytes) -> None:
        # One byte more than fits marks the frame as oversize; the rest of it is of no use.
        self._part += part[: MAX_ENCODED + 1 - len(self._part)]


_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"


def _is_text(data: bytes) -> bool:
    return not data.translate(None, _PRINTABLE)
