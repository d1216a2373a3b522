"""Output folders: one writer at a time, by a lock, and no bundle replaced that was not meant."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tinyml import paths
from tinyml.errors import ConfigError
from tinyml.model import bundle

LOCKS = "locks"  # the folder in the cache
_LONGEST = 200  # characters of the holder's command line


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the right to write into `folder`, which need not exist, until the block ends.

    Raises ConfigError at once, naming the process and its command, where another one of this user
    holds it. The lock lies in the user's cache, so that nothing is left beside the output; where
    the cache cannot be written nothing is locked.
    """
    file = _opened(folder)
    if file is None:
        yield
        return
    with file:
        if not _taken(file):
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise ConfigError(
                f"{folder} is being written by {holder}",
                "wait until it is done, or name another folder with --out",
            )
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} ({_command()})")
        file.flush()
        yield


def require_new(folder: Path, force: bool) -> None:
    """Raise ConfigError where a bundle would be replaced, unless `force` says that it is meant."""
    if not force and (folder / bundle.CARD).is_file():
        raise ConfigError(
            f"{folder} holds a bundle already",
            "add --force to replace it, or name another folder with --out",
        )


def _opened(folder: Path) -> TextIO | None:
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    try:
        place = paths.cache() / LOCKS
        place.mkdir(parents=True, exist_ok=True)
        return (place / name).open("a+", encoding="utf-8", errors="surrogateescape")
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None


def _taken(file: TextIO) -> bool:
    """Lock `file` and return True, False where another process has it."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _command() -> str:
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:_LONGEST]
