"""A worker process that may die: requests to it, started when needed and again after its death.

A request and its answer are the length of a JSON header, the header, and blobs of bytes whose sizes
the header states. The other end is a module of ours whose `main()` calls `serve`.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from tinyml import proc

_LENGTH = struct.Struct("<I")
_MOST_HEADER = 1 << 24
Message = tuple[dict[str, Any], list[bytes]]


class Died(Exception):  # noqa: N818 - what happened to the worker is what it is called
    """The worker ended instead of answering. `how`: its signal or exit code, in words."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Worker:
    """A process that runs `module`; one request at a time, from whatever thread.

    What a process kept is lost with it: `generation` tells whether it is still the same.
    """

    def __init__(self, module: str) -> None:
        self._deaths = 0
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    @property
    def generation(self) -> tuple[int, int]:
        """Another value after each death, and in each fork of this process."""
        return os.getpid(), self._deaths

    def request(self, header: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> Message:
        """Send a request and return its answer; raises Died, and ToolError if none can start."""
        with self._lock:
            process = self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                _write(process.stdin, header, blobs)
                return _read(process.stdout)
            except (OSError, EOFError, ValueError) as error:
                raise Died(self._buried(process)) from error
            except BaseException:  # Ctrl-C in between: the next answer would be this request's
                self._buried(process)
                raise

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid():  # a fork has no worker of its own
            self._process = proc.spawn(
                proc.python(self._module), stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._owner = os.getpid()
        return self._process

    def _buried(self, process: subprocess.Popen[bytes]) -> str:
        """End the process, if it has not ended, and say what ended it."""
        self._process, self._deaths = None, self._deaths + 1
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        try:
            code = process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        return proc.ended_by(code)


def serve(answer: Callable[[dict[str, Any], list[bytes]], Message], cpu_s: float) -> None:
    """Answer requests until the other end is gone; each may take `cpu_s` seconds of this process.

    What the libraries that `answer` calls print to standard output is dropped.
    """
    import signal

    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the other end's to answer
    while True:
        try:
            header, blobs = _read(requests)
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, cpu_s)  # its signal ends the process, C++ included
        result = answer(header, blobs)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write(answers, *result)


def _write(pipe: IO[bytes], header: Mapping[str, Any], blobs: Sequence[bytes]) -> None:
    text = json.dumps({**header, "sizes": [len(blob) for blob in blobs]}).encode()
    pipe.write(b"".join((_LENGTH.pack(len(text)), text, *blobs)))
    pipe.flush()


def _read(pipe: IO[bytes]) -> Message:
    """Return the next message; raises EOFError at the end, ValueError for what is no message."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > _MOST_HEADER:
        raise ValueError(f"a header of {length:,} bytes")
    header = json.loads(_exactly(pipe, length))
    return header, [_exactly(pipe, int(size)) for size in header["sizes"]]


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) != count:
        raise EOFError
    return data
