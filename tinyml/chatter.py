"""What libraries print to file descriptor 2: held back, but shown where this process dies there.

A check that fails in C++ ends the process with what it says still held back; so another process,
which waits for the end of this one, shows what is left then.
"""

from __future__ import annotations

import atexit
import faulthandler
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tinyml import proc

_WATCH = """
import os, sys
sys.stdin.buffer.read()  # ends when the other process does
with open(sys.argv[1], "rb") as file:
    sys.stderr.buffer.write(file.read())
os.unlink(sys.argv[1])
"""


@contextmanager
def held() -> Iterator[Callable[[], str]]:
    """Hold back what is written to file descriptor 2; yields what returns it after the block."""
    file = _watched()
    caught: list[str] = []
    sys.stderr.flush()
    start = os.fstat(file).st_size
    saved = os.dup(2)
    os.dup2(file, 2)
    try:
        yield lambda: "".join(caught)
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        size = os.fstat(file).st_size
        caught.append(os.pread(file, size - start, start).decode("utf-8", "replace"))
        os.ftruncate(file, start)
        os.lseek(file, start, os.SEEK_SET)


@functools.cache
def _watched() -> int:
    """Return the file that holds it back, after starting what shows and removes it at the end."""
    file, name = tempfile.mkstemp(prefix="tinyml-stderr-")
    waits, lives = os.pipe()
    command = [sys.executable, "-I", "-S", "-c", _WATCH, name]
    watcher = proc.spawn(command, stdin=waits, stdout=2, detach=True)
    os.close(waits)
    if not faulthandler.is_enabled():
        faulthandler.enable(2, all_threads=False)  # some abort without a word: this says where

    def finish() -> None:
        os.close(lives)
        watcher.wait()

    atexit.register(finish)
    return file
