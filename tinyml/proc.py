"""The one place that starts other programs, so that logging and clear errors come from one file."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import ToolError


@dataclass(frozen=True)
class Completed:
    """What a finished program left: exit code and its combined stdout and stderr."""

    args: tuple[str, ...]
    code: int
    output: str


def require(program: str, hint: str) -> str:
    """Return the full path of `program`; raise ToolError with `hint` where it is not on PATH."""
    path = shutil.which(program)
    if path is None:
        raise ToolError(f"{program} is not installed (not found on PATH)", hint)
    return path


def python(module: str) -> list[str]:
    """Return the command that calls `main()` of a module of ours in another Python process.

    Nothing is imported from the folder it is started in, which may be a stranger's.
    """
    code = f"import sys; sys.path[:] = filter(None, sys.path); import {module} as it; it.main()"
    return [sys.executable, "-c", code]


def ended_by(code: int) -> str:
    """Return what ended a process, in words, from its exit code: a signal's name, or the code."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


def run(
    args: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 600.0,
    on_line: Callable[[str], None] | None = None,
    check: bool = True,
    hint: str = "",
) -> Completed:
    """Run a program to its end and return its output; `on_line` sees each line as it comes.

    `env` adds to the environment. Raises ToolError when the program cannot be started, runs past
    `timeout_s`, or (with `check`) exits non-zero; the message ends with the last lines it printed.
    A program that is given up takes along all that it started, and so does one that runs while
    this process ends, however it ends: by a signal, even SIGKILL, or a crash.
    """
    command = tuple(str(arg) for arg in args)
    lines: list[str] = []
    watcher = _Watcher()
    try:
        process = spawn(command, cwd=cwd, env=env, stdout=subprocess.PIPE, detach=True)
    except ToolError:
        watcher.cancel()
        raise
    watcher.watch(process)
    killer = _Killer(process, timeout_s)
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            lines.append(line)
            if on_line is not None:
                on_line(line)
        code = process.wait()
    except BaseException:
        _kill(process)
        process.wait()
        raise
    finally:
        killer.cancel()
        watcher.cancel()
        if process.stdout is not None:
            process.stdout.close()
    if killer.fired:
        raise ToolError(f"{Path(command[0]).name} did not finish within {timeout_s:.0f} s", hint)
    if check and code != 0:
        tail = "\n".join(lines[-15:])
        raise ToolError(f"{Path(command[0]).name} failed with exit code {code}:\n{tail}", hint)
    return Completed(command, code, "\n".join(lines))


def spawn(
    args: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdout: int | None = subprocess.DEVNULL,
    stdin: int | None = subprocess.DEVNULL,
    detach: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program and return at once. stderr goes where `stdout` goes; stdin is empty unless
    it is `subprocess.PIPE`.

    `detach` puts it into a session of its own, so that it outlives this process and its Ctrl-C.
    """
    command = [str(arg) for arg in args]
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            start_new_session=detach,
        )
    except OSError as error:
        raise ToolError(f"cannot start {command[0]}: {error.strerror or error}") from error


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program that was started in a session of its own, and everything in that session."""
    if os.name != "posix":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class _Killer:
    """Ends a process that outlives its time."""

    def __init__(self, process: subprocess.Popen[bytes], timeout_s: float) -> None:
        import threading

        self.fired = False
        self._process = process
        self._timer = threading.Timer(timeout_s, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def _fire(self) -> None:
        self.fired = True
        _kill(self._process)

    def cancel(self) -> None:
        self._timer.cancel()


class _Watcher:
    """Ends a process, and its session, where this process ends before it.

    A shell waits at the end of a pipe. The other end is held here and closes with this process, as
    nothing else can see every way in which a process ends. POSIX only: elsewhere nothing watches.
    """

    # First the number of the session is read, then the line that cancels; at the end of the pipe
    # there is neither. It starts before what it watches, so that nothing runs unwatched.
    _SCRIPT = 'read -r group && { read -r line || kill -s KILL -- "-$group"; }'

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        if os.name == "posix":
            command = ("/bin/sh", "-c", self._SCRIPT)
            self._shell = spawn(command, stdin=subprocess.PIPE, detach=True)

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        """Watch over a process that was started in a session of its own."""
        self._say(f"{process.pid}\n")

    def cancel(self) -> None:
        """Let the process be."""
        self._say("done\n")
        if self._shell is not None:
            self._shell.communicate()

    def _say(self, line: str) -> None:
        if self._shell is not None:
            assert self._shell.stdin is not None
            with contextlib.suppress(OSError):
                self._shell.stdin.write(line.encode())
                self._shell.stdin.flush()
