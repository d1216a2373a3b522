"""Files written whole or not at all: a temporary name beside the target, then a rename."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tinyml.errors import DataError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what was written there takes its place at the end.

    Where the block raises, `path` stays as it was and nothing is left behind. Raises OSError where
    it cannot be written, or its folder is missing.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp gives the file to its owner alone
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write(path: Path, contents: bytes | str) -> None:
    """Write `contents` (text as UTF-8) to `path`, whole or not at all; raises OSError."""
    data = contents.encode("utf-8") if isinstance(contents, str) else contents
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def saving(path: Path) -> Iterator[Path]:
    """As `replacing`, for recordings of a user: raises DataError instead of OSError."""
    try:
        with replacing(path) as temporary:
            yield temporary
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from error


def _umask() -> int:
    """Return the process's umask, which can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
