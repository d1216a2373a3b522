"""The emulator (QEMU): a board that outlives the command which flashed it.

QEMU listens on private Unix sockets for the serial line and for QMP, and starts halted; the first
client connects and lets it run, so that no byte of the boot is lost. One emulator per board.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from tinyml import proc
from tinyml.device import running
from tinyml.device.confirm import quoting
from tinyml.device.deadline import Deadline
from tinyml.device.links import SocketLink
from tinyml.device.qmp import Qmp
from tinyml.device.running import Emulated, Files, Lock
from tinyml.errors import ConfigError, DeviceError, DeviceTimeout, nearest
from tinyml.records import Firmware

PROGRAM = "qemu-system-arm"
INSTALL = "sudo apt-get install qemu-system-arm"
_MACHINE = "mps2-an386"
_POLL_S = 0.01
_QUIT_S, _TERM_S, _KILL_S = 2.0, 1.0, 5.0

T = TypeVar("T")

_children: dict[int, subprocess.Popen[bytes]] = {}  # ours to reap when they end


def command(elf: Path, place: Files, program: str = PROGRAM) -> list[str]:
    """Return the command line of an emulator that runs `elf`.

    One instruction takes 64 ns of its time (-icount), so that what it measures is repeatable.
    The line goes through a multiplexer of one, whose small buffer the UART drains by itself: that
    carries several times what the socket alone does, one byte per turn of QEMU's main loop. Its
    escape character is one that no byte can be.
    """
    return [
        program,
        *("-M", _MACHINE, "-nodefaults", "-display", "none", "-monitor", "none"),
        *("-icount", "shift=6,sleep=off"),
        *("-chardev", f"{_listening('line', place.line)},mux=on", "-echr", "0x100"),
        *("-serial", "chardev:line"),
        *("-chardev", _listening("qmp", place.qmp), "-mon", "chardev=qmp,mode=control"),
        *("-pidfile", str(place.pid)),
        *("-S", "-kernel", str(elf)),
    ]


def start(firmware: Firmware, timeout_s: float, answers: Callable[[SocketLink], None]) -> None:
    """Run `firmware` as its board, in place of what ran there, and have `answers` try its line.

    When anything fails, `answers` included, no emulator is left; the error says what it printed.
    Raises ToolError without QEMU, DeviceError when another process talks to the board.
    """
    deadline = Deadline(timeout_s)
    board = firmware.project.board.id
    place = running.files(board)
    program = proc.require(PROGRAM, INSTALL)
    described = _describe(firmware, place)
    lock = Lock(place)
    process = None
    try:
        _end(place)
        running.write(described)
        process = _spawn(command(firmware.elf.resolve(), place, program), place)
        _run(place, lock, process, answers, deadline)
    except BaseException as error:
        if process is not None:
            process.kill()
            process.wait()
            running.forget(place)
        if isinstance(error, DeviceError):
            raise quoting(error, PROGRAM, _printed(place)) from error
        raise
    finally:
        lock.release()
    _children[process.pid] = process


def connect(board: str, deadline: Deadline) -> tuple[SocketLink, Emulated]:
    """Return the line of a board that runs. Raises DeviceError when none does or it is in use."""
    place = running.files(board)
    emulated = running.find(board)
    if emulated is None:
        raise DeviceError(f"no {board} runs", f"start one with: tinyml flash --board {board}")
    lock = Lock(place)
    try:
        return _link(place, lock, deadline), emulated
    except BaseException:
        lock.release()
        raise


def devices() -> list[Emulated]:
    """Return the emulated boards that run."""
    boards = map(running.find, running.boards())
    return [emulated for emulated in boards if emulated is not None]


def stop(board: str) -> None:
    """End an emulated board, also while somebody talks to it. ConfigError when none such runs."""
    place = running.files(board)
    if running.pid_of(place) is None:
        known = [emulated.board for emulated in devices()]
        raise ConfigError(f"no {board} runs", nearest(board, known) if known else "")
    _end(place)


def reset(board: str) -> None:
    """Press the reset button of an emulated board; who talks to it stays connected."""
    deadline = Deadline(_QUIT_S)
    with Qmp(running.files(board).qmp, deadline) as qmp:
        qmp.execute("system_reset", deadline)


def _listening(name: str, path: Path) -> str:
    quoted = str(path).replace(",", ",,")
    return f"socket,id={name},path={quoted},server=on,wait=off"


def _describe(firmware: Firmware, place: Files) -> Emulated:
    bundle = firmware.project.bundle
    return Emulated(
        board=place.board,
        pid=0,
        model=bundle.name,
        sha256=bundle.sha256,
        elf=firmware.elf.resolve(),
        firmware=hash_of(firmware.elf),
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        line=place.line,
    )


def hash_of(elf: Path) -> str:
    """Return the SHA-256 of a file. Raises ConfigError when it cannot be read."""
    try:
        return hashlib.sha256(elf.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(
            f"cannot read {elf}: {error.strerror}", "build it: tinyml build"
        ) from error


def _spawn(arguments: list[str], place: Files) -> subprocess.Popen[bytes]:
    with place.log.open("wb") as log:
        return proc.spawn(arguments, stdout=log.fileno(), detach=True)


def _printed(place: Files) -> str:
    try:
        return place.log.read_text("utf-8", "replace")
    except OSError:
        return ""


def _run(
    place: Files,
    lock: Lock,
    process: subprocess.Popen[bytes],
    answers: Callable[[SocketLink], None],
    deadline: Deadline,
) -> None:
    """Let an emulator that is just starting run, with somebody on its line from the first byte."""
    with contextlib.closing(
        _when_up(process, deadline, lambda: _link(place, lock, deadline))
    ) as link:
        with _when_up(process, deadline, lambda: Qmp(place.qmp, deadline)) as qmp:
            qmp.execute("cont", deadline)
        answers(link)


def _when_up(process: subprocess.Popen[bytes], deadline: Deadline, connect: Callable[[], T]) -> T:
    """Connect to a socket of an emulator as soon as it listens there."""
    while True:
        with contextlib.suppress(DeviceError):
            return connect()
        if process.poll() is not None:
            raise DeviceError(f"{PROGRAM} ended with code {process.returncode}")
        if deadline.passed:
            raise DeviceTimeout(f"{PROGRAM} does not start")
        time.sleep(_POLL_S)


def _link(place: Files, lock: Lock, deadline: Deadline) -> SocketLink:
    hint = f"start it again with: tinyml flash --board {place.board}"
    return SocketLink.unix(place.line, place.board, deadline, hint, lock.release)


def _end(place: Files) -> None:
    """End the emulator of a board, if one runs, as gently as it lets us; remove what it left."""
    for ask, wait_s in ((_quit, _QUIT_S), (_terminate, _TERM_S), (_destroy, _KILL_S)):
        pid = running.pid_of(place)
        if pid is None:
            break
        ask(place, pid)
        _wait_for_end(place, pid, Deadline(wait_s))
    if (pid := running.pid_of(place)) is not None:
        raise DeviceError(f"the emulator of {place.board} (process {pid}) does not end")
    running.forget(place)


def _quit(place: Files, pid: int) -> None:
    deadline = Deadline(_QUIT_S)
    with contextlib.suppress(DeviceError), Qmp(place.qmp, deadline) as qmp:
        qmp.execute("quit", deadline)


def _terminate(place: Files, pid: int) -> None:
    _signal(pid, signal.SIGTERM)


def _destroy(place: Files, pid: int) -> None:
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _wait_for_end(place: Files, pid: int, deadline: Deadline) -> None:
    child = _children.get(pid)
    while not deadline.passed and running.is_emulator(pid, place):
        time.sleep(_POLL_S)
        if child is not None and child.poll() is not None:
            del _children[pid]
            return
