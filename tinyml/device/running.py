"""The run-time folder of emulated boards: process ids, sockets, locks; nothing is started here.

Per board <id>: `<id>.json` what was flashed, `<id>.pid` written by the emulator itself, `<id>.line`
and `<id>.qmp` its sockets, `<id>.log` what it printed, `<id>.lock` who talks to it.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import ConfigError, DeviceError
from tinyml.files import write as write_whole

_MAX_SOCKET_PATH = 107  # sun_path of Linux, less its terminating zero
_LONGEST_SUFFIX = ".line"


@dataclass(frozen=True)
class Emulated:
    """An emulated board that runs. `model` is flashed from `elf`, whose SHA-256 is `firmware`.

    `line`: the Unix socket of its serial line. `started`: UTC, ISO 8601.
    """

    board: str
    pid: int
    model: str
    sha256: str
    elf: Path
    firmware: str
    started: str
    line: Path


@dataclass(frozen=True)
class Files:
    """Where the files of one board lie."""

    board: str
    folder: Path

    @property
    def state(self) -> Path:
        """What was flashed, as JSON."""
        """What was flashed, as JSON."""
        return self._file(".json")

    @property
    def pid(self) -> Path:
        """The process id, which the emulator writes."""
        """The emulator's process id, in decimal; the emulator writes it."""
        return self._file(".pid")

    @property
    def line(self) -> Path:
        """The Unix socket of its serial line."""
        """The Unix socket of the board's serial line."""
        return self._file(_LONGEST_SUFFIX)

    @property
    def qmp(self) -> Path:
        """The Unix socket that controls it (QMP)."""
        """The Unix socket of QEMU's machine protocol, for reset and end."""
        return self._file(".qmp")

    @property
    def log(self) -> Path:
        """What it printed."""
        """What the emulator printed."""
        return self._file(".log")

    @property
    def lock(self) -> Path:
        """Locked by who talks to it."""
        """The file that whoever talks to the board holds locked; it stays."""
        return self._file(".lock")

    def _file(self, suffix: str) -> Path:
        return self.folder / f"{self.board}{suffix}"


def files(board: str) -> Files:
    """Return the files of a board, in a folder that only this user can enter.

    $XDG_RUNTIME_DIR/tinyml, or tinyml-<uid> in the folder for temporary files. Raises ConfigError
    when that is not private, or its path too long for a socket.
    """
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.access(base, os.W_OK | os.X_OK):  # after su or sudo it may name another user's
        folder = Path(base).resolve() / "tinyml"
    else:
        folder = Path(tempfile.gettempdir()).resolve() / f"tinyml-{os.getuid()}"
    place = Files(board, folder)
    if len(os.fsencode(place.line)) > _MAX_SOCKET_PATH:
        raise ConfigError(
            f"the path {place.line} is too long for a socket",
            "set XDG_RUNTIME_DIR to a folder with a shorter path",
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.lstat()
    except OSError as error:
        raise ConfigError(
            f"cannot use {folder} for running devices: {error.strerror or error}",
            "set XDG_RUNTIME_DIR to a folder of yours",
        ) from error
    if not stat.S_ISDIR(mode.st_mode) or mode.st_uid != os.getuid() or mode.st_mode & 0o077:
        raise ConfigError(
            f"{folder} is open to other users", "remove it, or set XDG_RUNTIME_DIR to a private one"
        )
    return place


def boards() -> list[str]:
    """Return the boards that have been flashed and not cleaned up, running or not."""
    return sorted(file.stem for file in files("").folder.glob("*.json"))


def find(board: str) -> Emulated | None:
    """Return the emulated board if it runs, None if not."""
    place = files(board)
    pid = pid_of(place)
    if pid is None:
        return None
    try:
        fields = json.loads(place.state.read_text(encoding="utf-8"))
        fields["elf"] = Path(fields["elf"])
        return Emulated(board=board, pid=pid, line=place.line, **fields)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # half of a flash that was killed; the next one replaces it


def write(emulated: Emulated) -> None:
    """Remember what was flashed; pid and line follow from the board."""
    fields = dataclasses.asdict(emulated) | {"elf": str(emulated.elf)}
    for derived in ("board", "pid", "line"):
        del fields[derived]
    write_whole(files(emulated.board).state, json.dumps(fields, indent=1))


def forget(place: Files) -> None:
    """Remove what an emulator that has ended left; its lock stays, for whoever waits on it."""
    for file in (place.state, place.pid, place.line, place.qmp):
        file.unlink(missing_ok=True)


def pid_of(place: Files) -> int | None:
    """Return the process id of the emulator, None when it does not run."""
    try:
        pid = int(place.pid.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return pid if is_emulator(pid, place) else None


def is_emulator(pid: int, place: Files) -> bool:
    """Whether this process is the board's emulator: its id may have gone to another since."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return os.fsencode(place.pid) in command.split(b"\0")


class Lock:
    """The right to talk to a board, for as long as the process lives or until `release`."""

    def __init__(self, place: Files) -> None:
        """Raises DeviceError naming the process that has it."""
        self._file = place.lock.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read(400).strip() or "another process"
            self._file.close()
            raise DeviceError(
                f"{place.board} is in use by {holder}",
                f"close that first, or end the board: tinyml devices --stop {place.board}",
            ) from error
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"process {os.getpid()} ({_command()})")
        self._file.flush()

    def release(self) -> None:
        """Let others talk to the board; may be called twice."""
        self._file.close()


def _command() -> str:
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    return " ".join(words)[:200]
