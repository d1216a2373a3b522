"""16 kHz mono 16-bit WAV files in and out; anything else is refused with the facts and a remedy.

Own reader, because the standard library's refuses WAVE_FORMAT_EXTENSIBLE before Python 3.12 and
accepts truncated files silently.
"""

from __future__ import annotations

import shlex
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml import files
from tinyml.errors import DataError

RATE_HZ = 16000
_PCM, _EXTENSIBLE = 1, 0xFFFE
_STREAMED = (0, 0xFFFFFFFF)  # sizes in a header that was written before the samples
_LFS = b"version https://git-lfs"
_OTHERS = {
    b"RF64": "RF64 (a WAV file for more than 4 GB)",
    b"ID3": "MP3",
    b"\xff\xfb": "MP3",
    b"\xff\xf3": "MP3",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    _LFS: "a pointer of Git LFS, the recording itself was not fetched",
}
# The rest of the GUID that makes a format tag an extensible sub-format (mmreg.h).
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def read(path: Path) -> npt.NDArray[np.int16]:
    """Return the samples of a 16 kHz mono 16-bit PCM WAV file as int16 [n], n > 0.

    A header whose size is 0 or 4294967295, as programs leave it that write while they record,
    means all that follows. Raises DataError, naming the path and what is wrong, for every other
    file.
    """
    return read_noting(path)[0]


def read_noting(path: Path) -> tuple[npt.NDArray[np.int16], str]:
    """As `read`, with a predicate that says what is odd about the file, or ""."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise DataError(f"{path} {_kind(raw)} ({len(raw)} bytes)", _hint(path, raw))
    chunks: dict[bytes, tuple[int, bytes]] = {}
    for name, size, body in _chunks(raw):
        chunks.setdefault(name, (size, body))
    if b"fmt " not in chunks or b"data" not in chunks:
        missing = "format" if b"fmt " not in chunks else "samples"
        raise DataError(f"{path} is truncated: it holds no {missing}", _remedy(path))
    _check_format(path, chunks[b"fmt "][1])
    size, body = chunks[b"data"]
    promised = size
    if size in _STREAMED:
        size = len(body)
    if len(body) < size:
        raise DataError(
            f"{path} is truncated: its header promises {size} bytes of samples, {len(body)} are "
            "there",
            _remedy(path),
        )
    if size < 2:
        raise DataError(f"{path} holds no samples", "record it again, or remove it")
    samples = np.frombuffer(body[: size // 2 * 2], "<i2").astype(np.int16)
    odd = f"has {size} bytes of samples, its header says {promised}" if size != promised else ""
    return samples, odd


def _kind(raw: bytes) -> str:
    """Return what a file is that is no WAV file, as a predicate."""
    if not raw:
        return "is empty"
    for begins, kind in _OTHERS.items():
        if raw.startswith(begins):
            return f"is not a WAV file but {kind}"
    return "is not a WAV file"


def _hint(path: Path, raw: bytes) -> str:
    """Return what makes a WAV file of it."""
    if raw.startswith(_LFS):
        return "fetch it: git lfs pull"
    is_sound = raw.startswith(tuple(_OTHERS)) or path.suffix.lower() == ".wav"
    return _remedy(path) if raw and is_sound else "name a WAV file"


def write(path: Path, samples: npt.NDArray[np.int16]) -> None:
    """Write int16 samples [n] as a 16 kHz mono WAV file, whole or not at all.

    Raises DataError where the file cannot be written.
    """
    data = np.ascontiguousarray(samples, "<i2").tobytes()
    form = struct.pack("<HHIIHH", _PCM, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    header = struct.pack("<4sI4s4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", len(form))
    with files.saving(path) as temporary:
        temporary.write_bytes(header + form + struct.pack("<4sI", b"data", len(data)) + data)


def _chunks(raw: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield (name, size by its header, content) of each chunk; a truncated one has less content."""
    at = 12
    while at + 8 <= len(raw):
        name, size = struct.unpack_from("<4sI", raw, at)
        if name == b"data" and size in _STREAMED:  # nothing can follow what had no known end
            yield name, size, raw[at + 8 :]
            return
        yield name, size, raw[at + 8 : at + 8 + size]
        at += 8 + size + size % 2  # an odd chunk is padded


def _check_format(path: Path, form: bytes) -> None:
    """Raise DataError unless a `fmt ` chunk describes what we read."""
    if len(form) < 16:
        raise DataError(f"{path} is truncated in its header", _remedy(path))
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and form[26:40] == _GUID_TAIL:
        (tag,) = struct.unpack_from("<H", form, 24)
    if (tag, channels, rate, bits) != (_PCM, 1, RATE_HZ, 16):
        coding = "PCM" if tag == _PCM else f"format {tag}"
        raise DataError(
            f"{path} has {rate} Hz, {channels} channel{'' if channels == 1 else 's'}, {bits}-bit "
            f"{coding}; needed are {RATE_HZ} Hz, 1 channel, 16-bit PCM",
            _remedy(path),
        )


def _remedy(path: Path) -> str:
    source, target = shlex.quote(str(path)), shlex.quote(str(path.with_name(f"{path.stem}_16k")))
    return f"tinyml import {source} --to {target} --label {shlex.quote(path.parent.name or 'word')}"
