"""The .spk writer against RFC 6114 and against images made by Sony's own tool."""

import hashlib
import struct

import pytest

from tinyml.platforms.spresense.spk import SpkError, cmac, encrypt, make_spk, write_spk


def make_elf(segments, symbols=(("__stack", 0x0D0C0000),), entry=0x0D000001):
    """A 32-bit ARM ELF of segments (address, content, bytes in memory) with a symbol table."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name, _ in symbols)
    headers, contents = b"", b""
    content_at = 52 + 32 * len(segments)
    for address, content, memory_bytes in segments:
        offset = content_at + len(contents)
        headers += struct.pack("<8I", 1, offset, address, address, len(content), memory_bytes, 7, 4)
        contents += content
    table = bytes(16)
    for name, value in symbols:
        table += struct.pack("<IIIBBH", names.index(name.encode()), value, 0, 16, 0, 0xFFF1)
    shstrings = b"\0.symtab\0.strtab\0.shstrtab\0"
    at = content_at + len(contents)
    sections = struct.pack("<10I", *[0] * 10)
    sections += struct.pack("<10I", 1, 2, 0, 0, at, len(table), 2, 1, 4, 16)
    at += len(table)
    sections += struct.pack("<10I", 9, 3, 0, 0, at, len(names), 0, 0, 1, 0)
    at += len(names)
    sections += struct.pack("<10I", 17, 3, 0, 0, at, len(shstrings), 0, 0, 1, 0)
    at += len(shstrings)
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    header = ident + struct.pack(
        "<HHIIIIIHHHHHH", 2, 40, 1, entry, 52, at, 0x5000400, 52, 32, len(segments), 40, 4, 3
    )
    return header + headers + contents + table + names + shstrings + sections


TWO_SEGMENTS = [
    (0x0D000000, bytes(range(256)) * 5 + b"tail", 1284),
    (0x0D008000, b"data" * 9, 40000),
]


def test_clefia_rfc6114_vector():
    key = bytes.fromhex("ffeeddccbbaa99887766554433221100")
    plain = bytes(range(16))
    assert encrypt(key, plain).hex() == "de2bf2fd9b74aacdf1298555459494fd"


def test_cmac_differs_for_padded_and_unpadded_messages():
    key = bytes(16)
    assert cmac(key, b"a" * 15) != cmac(key, b"a" * 15 + b"\x80")


@pytest.mark.parametrize(
    ("segments", "name", "sha256"),
    [
        (TWO_SEGMENTS, "nuttx", "ea82f18af89ded5d6484021c08ff254522531400ab27203df54689018e6cbb4f"),
        (
            [(0x0D000000, b"x", 1)],
            "a_name_longer_than_16_bytes",
            "9e33e5a5576bed0b403022d624bac920b28cdd931ab80fc82b04b06c2b1b8859",
        ),
        (
            [(0x09000000, b"", 200), *TWO_SEGMENTS],
            "nuttx",
            "ea82f18af89ded5d6484021c08ff254522531400ab27203df54689018e6cbb4f",
        ),
    ],
)
def test_image_equals_the_one_of_the_vendors_tool(segments, name, sha256):
    # The digests are of what Sony's mkspk (Arduino tools 1.0.0, linux) wrote for the same ELF.
    assert hashlib.sha256(make_spk(make_elf(segments), name)).hexdigest() == sha256


def test_layout():
    image = make_spk(make_elf(TWO_SEGMENTS))
    assert image[:4] == b"\xefMOD"
    assert image.endswith(b"MKSPK_BN_HOOTER\0")
    assert len(image) % 16 == 0
    assert struct.unpack_from("<II", image, 16) == (0x0D000001, 0x0D0C0000)


@pytest.mark.parametrize(
    ("elf", "says"),
    [
        (b"", "not a 32-bit"),
        (b"\x7fELF\x02\x01" + bytes(60), "not a 32-bit"),
        (make_elf(TWO_SEGMENTS)[:60], "truncated"),
        (make_elf(TWO_SEGMENTS)[:400], "truncated"),
        (make_elf(TWO_SEGMENTS, symbols=()), "__stack"),
    ],
)
def test_other_files_are_refused(elf, says):
    with pytest.raises(SpkError, match=says):
        make_spk(elf)


def test_a_refused_file_leaves_nothing(tmp_path):
    (tmp_path / "bad.elf").write_bytes(b"nothing")
    with pytest.raises(SpkError):
        write_spk(tmp_path / "bad.elf", tmp_path / "out.spk")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.elf"]
