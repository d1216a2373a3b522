"""Compiled files that serve every project: TFLM's 220 files are compiled once, not once a model.

SCons finds them by what they are made from (source, headers, command, compiler); PlatformIO has it
use the folder that $PLATFORMIO_BUILD_CACHE_DIR names. What was not used for long goes first.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tinyml import paths

VARIABLE = "PLATFORMIO_BUILD_CACHE_DIR"
MOST_BYTES = 2 << 30


def folder() -> Path:
    """Return the folder, with room in it: the user's own where the variable names one."""
    if own := os.environ.get(VARIABLE):
        return Path(own)
    place = paths.cache() / "objects"
    prune(place, MOST_BYTES)
    return place


def prune(place: Path, most_bytes: int) -> None:
    """Delete what was used longest ago until three quarters of `most_bytes` are left, if more."""
    found = sorted(_files(place))
    total = sum(size for _, size, _ in found)
    if total <= most_bytes:
        return
    for _, size, file in found:
        if total <= most_bytes * 3 // 4:
            break
        with contextlib.suppress(OSError):  # another build may have been faster
            file.unlink()
        total -= size


def _files(place: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield (time of last use, bytes, path); SCons touches what it takes from here."""
    for file in place.glob("*/*"):
        with contextlib.suppress(OSError):
            status = file.stat()
            yield status.st_mtime, status.st_size, file
