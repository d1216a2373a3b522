"""What libraries print to file descriptor 2, held back."""

from __future__ import annotations

import faulthandler
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, cast


@contextmanager
def held() -> Iterator[Callable[[], str]]:
    """Hold back what is written to file descriptor 2; yields what returns it after the block.

    A check that fails in C++ ends the process: then where that was is still said.
    """
    _say_where_it_dies()
    caught: list[str] = []
    sys.stderr.flush()
    saved = os.dup(2)
    with _unnamed_file() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield lambda: "".join(caught)
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            caught.append(file.read().decode("utf-8", "replace"))


def _unnamed_file() -> IO[bytes]:
    """Return an empty file for this process alone: in memory, where the system has such files."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    return cast(IO[bytes], tempfile.TemporaryFile())


@functools.cache
def _say_where_it_dies() -> None:
    """Have the Python lines that led to a crash printed, past any block that holds back."""
    if not faulthandler.is_enabled():
        faulthandler.enable(os.dup(2), all_threads=False)
