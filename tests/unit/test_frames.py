"""Framing and records: what is packed comes back, and nothing else is taken for a frame."""

from __future__ import annotations

import binascii
import contextlib
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml.errors import DeviceError
from tinyml.protocol import frames, messages
from tinyml.protocol.frames import Flag, Frame, Receiver

FRAMES = st.builds(
    Frame,
    type=st.integers(0, 255),
    seq=st.integers(0, 255),
    payload=st.binary(max_size=frames.MAX_PAYLOAD)
    | st.integers(0, frames.MAX_PAYLOAD).flatmap(
        lambda n: st.sampled_from((bytes(n), b"\xff" * n))
    ),
    flags=st.integers(0, 15).map(Flag),
    version=st.integers(0, 255),
)


def test_a_frame_on_the_line_is_what_the_description_says() -> None:
    content = bytes([1, 3, 8, 7, 4, 0]) + b"a\0b\0"
    content += struct.pack("<I", binascii.crc32(content))
    encoded = Frame(3, 7, b"a\0b\0", Flag.EVENT).encode()
    assert encoded[0] == encoded[-1] == 0
    assert frames.cobs_decode(encoded[1:-1]) == content


@pytest.mark.parametrize(
    ("data", "encoded"),
    [
        ("", "01"),
        ("00", "0101"),
        ("0000", "010101"),
        ("11220033", "0311220233"),
        ("11000000", "0211010101"),
    ],
)
def test_cobs_on_the_examples_of_its_paper(data: str, encoded: str) -> None:
    assert frames.cobs_encode(bytes.fromhex(data)).hex() == encoded
    assert frames.cobs_decode(bytes.fromhex(encoded)) == bytes.fromhex(data)


@pytest.mark.parametrize("encoded", ["", "00", "0011", "05112233", "0311002233", "ff01"])
def test_what_is_not_cobs_is_refused(encoded: str) -> None:
    assert frames.cobs_decode(bytes.fromhex(encoded)) is None


@given(st.binary(max_size=1200))
def test_cobs_round_trip(data: bytes) -> None:
    encoded = frames.cobs_encode(data)
    assert 0 not in encoded
    assert len(encoded) <= len(data) + len(data) // 254 + 1
    assert frames.cobs_decode(encoded) == data


@given(st.lists(FRAMES, max_size=6), st.integers(1, 700))
def test_frames_come_back_however_the_line_cuts_them(frames: list[Frame], step: int) -> None:
    line = b"".join(frame.encode() for frame in frames)
    receiver = Receiver()
    found = [f for at in range(0, len(line), step) for f in receiver.feed(line[at : at + step])]
    assert found == frames
    assert receiver.bad == 0


@given(FRAMES, st.data())
def test_a_changed_bit_is_never_accepted(frame: Frame, data: st.DataObject) -> None:
    line = bytearray(frame.encode())
    bit = data.draw(st.integers(8, 8 * len(line) - 9))
    line[bit // 8] ^= 1 << bit % 8
    assert list(Receiver().feed(bytes(line))) == []


@given(st.lists(st.binary(max_size=900), max_size=8))
def test_noise_is_no_frame_and_the_next_frame_is_found(noise: list[bytes]) -> None:
    receiver = Receiver()
    good = Frame(1, 2, b"x")
    for part in noise:
        assert list(receiver.feed(part)) == []
    assert list(receiver.feed(b"\0" + good.encode())) == [good]


def test_the_receiver_keeps_a_bounded_amount() -> None:
    receiver = Receiver()
    for _ in range(200):
        assert list(receiver.feed(random.Random(1).randbytes(1000).replace(b"\0", b"\1"))) == []
        assert list(receiver.feed(b"text " * 1000 + b"\0")) == []
    assert len(receiver.text) <= Receiver.MAX_TEXT
    assert len(receiver._part) <= frames.MAX_ENCODED + 1
    assert receiver.bad == 200


def test_text_between_frames_is_kept_apart() -> None:
    receiver = Receiver()
    frame = Frame(1, 2, b"x")
    assert list(receiver.feed(b"hello\r\n" + frame.encode() + b"m-ready\r\n\0")) == [frame]
    assert (bytes(receiver.text), receiver.bad) == (b"hello\r\nm-ready\r\n", 0)


def test_a_frame_has_its_limit() -> None:
    Frame(1, 1, bytes(frames.MAX_PAYLOAD)).encode()
    with pytest.raises(DeviceError, match="513"):
        Frame(1, 1, bytes(frames.MAX_PAYLOAD + 1)).encode()


def value_of(kind: frames.FieldKind) -> st.SearchStrategy[object]:
    if kind.c == "text":
        return st.text(max_size=60)
    if kind.c == "list":
        return st.lists(st.integers(0, 0xFFFF), max_size=9).map(tuple)
    if kind.c == "rest":
        return st.binary(max_size=50)
    bits = 8 * struct.calcsize(f"<{kind.code}")
    if kind.c[0] == "f":
        one: st.SearchStrategy[object] = st.floats(width=bits, allow_nan=False)
    elif kind.c[0] == "i":
        one = st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
    else:
        one = st.integers(0, (1 << bits) - 1)
    return st.tuples(*[one] * kind.count) if kind.count else one


RECORDS = st.sampled_from(messages.RECORDS).flatmap(
    lambda record: st.builds(record, **{name: value_of(kind) for name, kind in record.layout()})
)


@given(RECORDS)
def test_records_round_trip_and_cut_ones_are_refused(record: frames.Record) -> None:
    packed = record.pack()
    assert type(record).unpack(packed) == record
    ends_open = any(kind.c == "rest" for _, kind in record.layout())
    for cut in range(type(record).fixed_bytes() if ends_open else len(packed)):
        with pytest.raises(DeviceError):
            type(record).unpack(packed[:cut])
    if not ends_open:
        with pytest.raises(DeviceError):
            type(record).unpack(packed + b"x")


@given(st.sampled_from(messages.RECORDS), st.binary(max_size=600))
def test_a_device_can_send_anything(record: type[frames.Record], data: bytes) -> None:
    with contextlib.suppress(DeviceError):
        assert isinstance(record.unpack(data), record)


def test_values_that_do_not_fit_are_refused() -> None:
    for record in (messages.Info(256), messages.Hello(-1), messages.Label("é" * 128)):
        with pytest.raises(DeviceError, match="does not fit"):
            record.pack()


def test_records_that_follow_one_another() -> None:
    labels = [messages.Label("yes"), messages.Label(""), messages.Label("nö")]
    assert messages.Label.unpack_all(b"".join(x.pack() for x in labels)) == labels
    with pytest.raises(DeviceError):
        messages.Label.unpack_all(b"\x05abc")


def test_lines_of_a_device_that_sends_no_frames_are_text_as_they_end() -> None:
    receiver = Receiver()
    assert list(receiver.feed(b"boot")) == []
    assert receiver.text == b""
    assert list(receiver.feed(b"ing\r\nready\r\n> ")) == []
    assert receiver.text == b"booting\r\nready\r\n"
    receiver.text.clear()
    frame = Frame(1, 2, b"\n\n")
    assert list(receiver.feed(b"no newline" + frame.encode())) == [frame]
    assert receiver.text == b"> no newline"
    assert receiver.bad == 0


@given(st.lists(st.sampled_from([b"text\n", b"\n", b"\t a", Frame(9, 10, b"\n" * 9).encode()])),
       st.integers(1, 30))  # fmt: skip
def test_where_a_line_is_cut_changes_neither_frames_nor_text(parts: list[bytes], size: int) -> None:
    whole, cut = Receiver(), Receiver()
    data = b"".join(parts) + b"\0"
    frames = list(whole.feed(data))
    assert frames == [Frame(9, 10, b"\n" * 9)] * sum(len(part) > 20 for part in parts)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [frame for piece in pieces for frame in cut.feed(piece)] == frames
    assert cut.text == whole.text == b"".join(part for part in parts if len(part) < 20)
    assert cut.bad == whole.bad == 0
