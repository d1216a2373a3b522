"""Arrays from `.npy` and `.npz` files of strangers: headers first, then only what is asked for.

A few kilobytes of a compressed `.npz` can claim terabytes. So nothing is allocated before a header
was read and its size found to be within limits, and nothing is ever unpickled.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
MOST_BYTES = 1 << 31  # of all arrays of a file together
_MAGIC = b"\x93NUMPY"


@dataclass(frozen=True)
class ArrayHeader:
    """What an array is before it is read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool

    @property
    def bytes(self) -> int:
        """Size of the array's data."""
        return math.prod(self.shape) * self.dtype.itemsize


def headers(source: Path | bytes, alone: str = "") -> dict[str, ArrayHeader]:
    """Return what is in an `.npz` by name, or in an `.npy` by the name `alone`; reads no data.

    Raises OSError where the file cannot be read, and ValueError, whose text says what is wrong, for
    anything else than arrays of numbers or plain text.
    """
    return {name: header for name, header, _ in _each(source, alone, (), MOST_BYTES)}


def arrays(
    source: Path | bytes,
    alone: str = "",
    names: Collection[str] | None = None,
    most_bytes: int = MOST_BYTES,
) -> dict[str, Array]:
    """Return the arrays of an `.npz` by name, or that of an `.npy` by the name `alone`.

    `names`: those that are asked for, of which some may be absent; None for all. Raises what
    `headers` raises, and ValueError where what is asked for has more than `most_bytes` together.
    """
    return {
        name: array
        for name, _, array in _each(source, alone, names, most_bytes)
        if array is not None
    }


def _each(
    source: Path | bytes, alone: str, names: Collection[str] | None, most_bytes: int
) -> list[tuple[str, ArrayHeader, Array | None]]:
    opened: IO[bytes] = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    with opened as file:
        if file.read(len(_MAGIC)) == _MAGIC:
            file.seek(0)
            return [(alone, *_member(file, names is None or alone in names, most_bytes, None))]
        file.seek(0)
        try:
            return _members(file, names, most_bytes)
        except ValueError:
            raise
        except OSError as error:
            if error.errno is not None:
                raise
            raise ValueError(f"no numpy arrays: {error}") from error
        except Exception as error:  # zipfile and zlib raise many kinds for a damaged file
            raise ValueError(f"no numpy arrays: {error}") from error


def _members(
    file: IO[bytes], names: Collection[str] | None, most_bytes: int
) -> list[tuple[str, ArrayHeader, Array | None]]:
    members = []
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            with archive.open(info) as member:
                wanted = names is None or name in names
                header, array = _member(member, wanted, most_bytes, info.file_size)
            most_bytes -= 0 if array is None else array.nbytes
            members.append((name, header, array))
    return members


def _member(
    file: IO[bytes], wanted: bool, most_bytes: int, stored: int | None
) -> tuple[ArrayHeader, Array | None]:
    """Read one array; `stored`: how many bytes the archive says it has, header included."""
    header = _header(file)
    if header.dtype.hasobject:
        raise ValueError("an array of Python objects, which is never read")
    if any(size < 0 for size in header.shape):
        raise ValueError(f"an array of shape {list(header.shape)}")
    if stored is not None and header.bytes > stored:
        raise ValueError(f"an array of {header.bytes:,} bytes in {stored:,}")
    if not wanted:
        return header, None
    if header.bytes > most_bytes:
        raise ValueError(f"an array of {header.bytes:,} bytes; at most {most_bytes:,} are read")
    data = file.read(header.bytes)
    if len(data) != header.bytes:
        raise ValueError(f"cut off: {len(data):,} of {header.bytes:,} bytes of an array")
    array: Array = np.frombuffer(data, header.dtype)
    if header.fortran_order:
        return header, array.reshape(header.shape[::-1]).transpose().copy()
    return header, array.reshape(header.shape).copy()


def _header(file: IO[bytes]) -> ArrayHeader:
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
        else:
            raise ValueError(f"version {version[0]}.{version[1]}")
        return ArrayHeader(tuple(int(size) for size in shape), dtype, bool(fortran))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"the header of an array is damaged: {error}") from error
