"""ELF -> .spk, the image that the Spresense loader starts; bytes equal to those of Sony's `mkspk`.

An .spk holds, little endian: a 32-byte header, the program's name padded to 16 bytes, one 16-byte
record per loaded segment, the segments padded to 16 bytes, a 16-byte CLEFIA-128 CMAC over all of
that, and a 16-byte ASCII footer. CLEFIA is RFC 6114 (128-bit key), CMAC is NIST SP 800-38B.
The file needs nothing but Python, so that a generated project can carry it.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path

_HEADER = struct.Struct("<4sB11xIIHHHH")
_SEGMENT = struct.Struct("<IIII")
_CORE = 2  # the application core of the CXD5602
_KEY = bytes.fromhex("27c0af1b5dcbc6c558221cddaff32021")  # fixed and public: integrity, not secrecy
_FOOTER = b"MKSPK_BN_HOOTER\0"
_BLOCK = 16
_ROUNDS = 18
_WORD = 0xFFFFFFFF


# The S-boxes of CLEFIA, RFC 6114 section 4.3.
_S0 = """
5749d1c62f3374fb956d82ea0eb0a81c28d04b925cee85b1c40a763d63f917afbfa11965f77a322006cee4839d5b4cd8
425d2ee8d49b0f133c8967c071aab6f5a4befd8c120097da78e1cf6b394355263098ccddeb54b38f4e16fa22a5770961
d62a533745c16caeef7008998b1df2b4e9c79f4a3125fe7cd3a2bd561488600bcde234509edc11052bb7a948ff668a73
037586f16aa740c2b92cdb1f58943eedfc1ba004b88de6596293357eca21df4715f3ba7fa669c84d873b9c01e0de2452
7b0c681e80b25ae7add523f4463f91c96e8472bb0d18d996f05f41ac27c5e33a816f07a379f62d381a445eb5d2eccb90
9a36e529c34fab6451f810d7bc027d8e
"""
_S1 = """
6cdac3e94e9d0a3db836b43813340cd9bf74948fb79ce5dc9e07494f982cb09312ebcdb392e74160e321273be619d20e
9111c73f2a8ea1bc2bc8c50f5bf3878bfbf5de20c6a784ced86551c9a4ef4353255d9b31e83e0dd780ff698aba0b735c
6e541562f6353052a316d32832faaa5ecfeaed783358097b63c0c1461edfa9995504c486397782ec4018909759dd831f
9a370624647ca556480885d06126ca6f7e6ab671a07005d1458c231cf0ee89ad7a4bc22fdb5a4d7667172df4cbb14aa8
b522473ad5104c72cc00f9e0fde2feaef85fabf11b4281d6be4429a657b9aff2d47566bb689f5002013c7f8d1a88bdac
f7e47996a2fc6db26b03e12e7d14951d
"""


class SpkError(ValueError):
    """The ELF cannot be made into an .spk; the text says why."""


def make_spk(elf: bytes, name: str = "nuttx") -> bytes:
    """Return the .spk of a 32-bit little-endian ARM ELF that defines the symbol `__stack`.

    `name` is what the board's updater lists: "nuttx" for the main core; at most 63 ASCII letters.
    Raises SpkError for anything else than such an ELF.
    """
    if not name.isascii() or not 0 < len(name) <= 63:
        raise SpkError(f"the name {name!r} must have 1 to 63 ASCII characters")
    entry, segments, stack = _read_elf(elf)
    title = _padded(name.encode() + b"\0")
    table_at = _HEADER.size + len(title)
    header = _HEADER.pack(
        b"\xefMOD", _CORE, entry, stack, _CORE, len(segments), table_at, 0
    )  # fmt: skip
    table, data = b"", b""
    data_at = table_at + len(segments) * _SEGMENT.size
    for address, content, memory_bytes in segments:
        block = _padded(content)
        table += _SEGMENT.pack(address, data_at + len(data), len(block), memory_bytes)
        data += block
    image = header + title + table + data
    return image + cmac(_KEY, image) + _FOOTER


def write_spk(elf: Path, spk: Path) -> int:
    """Write the .spk of the file `elf`; return its size in bytes. Nothing is left on an error."""
    image = make_spk(elf.read_bytes())
    part = spk.with_name(spk.name + ".part")
    try:
        part.write_bytes(image)
        part.replace(spk)
    finally:
        part.unlink(missing_ok=True)
    return len(image)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _BLOCK)


def _read_elf(elf: bytes) -> tuple[int, list[tuple[int, bytes, int]], int]:
    """Return entry address, [(physical address, file content, bytes in memory)] and `__stack`."""
    if elf[:6] != b"\x7fELF\x01\x01":
        raise SpkError("not a 32-bit little-endian ELF file")
    try:
        entry, ph_at, sh_at = struct.unpack_from("<III", elf, 24)
        ph_size, ph_count, sh_size, sh_count = struct.unpack_from("<HHHH", elf, 42)
        segments = []
        for i in range(ph_count):
            kind, offset, _, address, file_bytes, memory_bytes = struct.unpack_from(
                "<IIIIII", elf, ph_at + i * ph_size
            )
            if kind == 1 and file_bytes:
                if offset + file_bytes > len(elf):
                    raise SpkError("the ELF file is truncated")
                segments.append((address, elf[offset : offset + file_bytes], memory_bytes))
        sections = [
            struct.unpack_from("<IIIIIIIIII", elf, sh_at + i * sh_size) for i in range(sh_count)
        ]
        return entry, segments, _symbol(elf, sections, b"__stack")
    except struct.error as error:
        raise SpkError("the ELF file is truncated") from error


def _symbol(elf: bytes, sections: list[tuple[int, ...]], wanted: bytes) -> int:
    for _, kind, _, _, offset, size, link, _, _, entry_size in sections:
        if kind != 2 or not entry_size or link >= len(sections):
            continue
        names_at = sections[link][4]
        for at in range(offset, offset + size, entry_size):
            name, value = struct.unpack_from("<II", elf, at)
            start = names_at + name
            if elf[start : start + len(wanted) + 1] == wanted + b"\0":
                return int(value)
    raise SpkError(f"the ELF file has no symbol {wanted.decode()} (stripped, or not for Spresense)")


def cmac(key: bytes, message: bytes) -> bytes:
    """Return the 16-byte CMAC (NIST SP 800-38B) of `message` under CLEFIA-128."""
    keys = _key_schedule(key)
    subkey = _double(int.from_bytes(_encrypt(keys, bytes(_BLOCK)), "big"))
    blocks = [message[i : i + _BLOCK] for i in range(0, len(message), _BLOCK)] or [b""]
    if len(blocks[-1]) < _BLOCK:
        subkey = _double(subkey)
        blocks[-1] = (blocks[-1] + b"\x80").ljust(_BLOCK, b"\0")
    state = 0
    for block in blocks[:-1]:
        mixed = state ^ int.from_bytes(block, "big")
        state = int.from_bytes(_encrypt(keys, mixed.to_bytes(_BLOCK, "big")), "big")
    last = state ^ int.from_bytes(blocks[-1], "big") ^ subkey
    return _encrypt(keys, last.to_bytes(_BLOCK, "big"))


def encrypt(key: bytes, block: bytes) -> bytes:
    """Return the CLEFIA-128 encryption (RFC 6114) of one 16-byte block under a 16-byte key."""
    return _encrypt(_key_schedule(key), block)


def _double(value: int) -> int:
    """Multiply by x in GF(2^128) with the polynomial of CMAC."""
    return (value << 1 & (1 << 128) - 1) ^ (0x87 if value >> 127 else 0)


_Keys = tuple[tuple[int, ...], tuple[int, ...]]  # 2 words per round; 4 whitening words


def _encrypt(keys: _Keys, block: bytes) -> bytes:
    rounds, white = keys
    a, b, c, d = struct.unpack(">4I", block)
    a, b, c, d = _gfn4(rounds, a, b ^ white[0], c, d ^ white[1])
    return struct.pack(">4I", a, b ^ white[2], c, d ^ white[3])


def _gfn4(round_keys: tuple[int, ...], a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    """The 4-branch generalised Feistel network, RFC 6114 section 3: two round keys a round."""
    f0, f1 = _round_tables()
    p0, p1, p2, p3 = f0
    q0, q1, q2, q3 = f1
    for i in range(0, len(round_keys), 2):
        x = a ^ round_keys[i]
        y = c ^ round_keys[i + 1]
        b ^= p0[x >> 24] ^ p1[x >> 16 & 255] ^ p2[x >> 8 & 255] ^ p3[x & 255]
        d ^= q0[y >> 24] ^ q1[y >> 16 & 255] ^ q2[y >> 8 & 255] ^ q3[y & 255]
        a, b, c, d = b, c, d, a
    return d, a, b, c  # the last round does not rotate


@lru_cache(maxsize=4)
def _key_schedule(key: bytes) -> _Keys:
    """Derive 36 round keys and 4 whitening keys from a 16-byte key, RFC 6114 section 5.1."""
    if len(key) != _BLOCK:
        raise ValueError(f"a CLEFIA-128 key has 16 bytes, not {len(key)}")
    white: tuple[int, ...] = struct.unpack(">4I", key)
    constants = _constants()
    mixed = 0
    for word in _gfn4(constants[:24], *struct.unpack(">4I", key)):
        mixed = mixed << 32 | word
    rounds: list[int] = []
    for i in range(9):
        words = [mixed >> shift & _WORD for shift in (96, 64, 32, 0)]
        chosen = [word ^ constants[24 + 4 * i + j] for j, word in enumerate(words)]
        if i % 2:
            chosen = [word ^ white[j] for j, word in enumerate(chosen)]
        rounds += chosen
        mixed = _double_swap(mixed)
    return tuple(rounds), white


def _double_swap(x: int) -> int:
    """Move bits as RFC 6114 section 5.1.1: X[7-63] | X[121-127] | X[0-6] | X[64-120]."""
    return (
        (x >> 64 & (1 << 57) - 1) << 71
        | (x & 0x7F) << 64
        | (x >> 121) << 57
        | (x >> 7 & (1 << 57) - 1)
    )


def _constants() -> tuple[int, ...]:
    """The 60 key-schedule constants, RFC 6114 section 5.3: from e (0xb7e1) and pi (0x243f)."""
    words: list[int] = []
    t = 0x428A
    for _ in range(30):
        inverted = t ^ 0xFFFF
        words.append((t ^ 0xB7E1) << 16 | _rotate16(inverted, 1))
        words.append((inverted ^ 0x243F) << 16 | _rotate16(t, 8))
        t = (t ^ 0x1A831) >> 1 if t & 1 else t >> 1  # divide by x modulo x^16+x^15+x^13+x^11+...
    return tuple(words)


def _rotate16(value: int, bits: int) -> int:
    return (value << bits | value >> 16 - bits) & 0xFFFF


_Tables = tuple[tuple[int, ...], ...]


@lru_cache(maxsize=1)
def _round_tables() -> tuple[_Tables, _Tables]:
    """The functions F0 and F1, RFC 6114 section 4: S-boxes and diffusion matrix as word tables."""
    s0, s1 = bytes.fromhex(_S0), bytes.fromhex(_S1)
    f0 = _columns((s0, s1, s0, s1), (1, 2, 4, 6))
    f1 = _columns((s1, s0, s1, s0), (1, 8, 2, 10))
    return f0, f1


def _columns(boxes: tuple[bytes, ...], row: tuple[int, ...]) -> _Tables:
    """Table i maps byte i of the input to its part of the output; matrix[r][c] = row[r ^ c]."""
    return tuple(
        tuple(
            sum(_multiply(row[r ^ column], box[x], 0x11D) << 24 - 8 * r for r in range(4))
            for x in range(256)
        )
        for column, box in enumerate(boxes)
    )


def _multiply(a: int, b: int, polynomial: int) -> int:
    """Multiply in GF(2^n), n the degree of `polynomial`."""
    top = 1 << polynomial.bit_length() - 1
    product = 0
    while a:
        if a & 1:
            product ^= b
        b <<= 1
        if b & top:
            b ^= polynomial
        a >>= 1
    return product
