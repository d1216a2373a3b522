"""Where a result comes from: date, command line, versions of the tools, commit of the checkout."""

from __future__ import annotations

import contextlib
import platform
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from tinyml import __version__, proc
from tinyml.errors import ToolError

# Packages whose version decides what a figure is.
_PACKAGES = ("tflite-micro", "platformio", "tensorflow", "numpy")
_GIT_S = 10.0


@dataclass(frozen=True)
class Provenance:
    """When a command began and how long it took, what it was, and with which tools it ran.

    `started` has a time zone; `seconds`: up to now. `commit`: of the git checkout in which the
    command ran, "" where there is none.
    """

    command: str
    started: datetime
    seconds: float
    versions: tuple[tuple[str, str], ...]
    commit: str

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return names and values, in the order in which a page shows them."""
        rows = [
            ("date", self.started.strftime("%Y-%m-%d %H:%M:%S %Z")),
            ("command", self.command),
            *self.versions,
            ("host", f"Python {platform.python_version()}, {platform.machine()}"),
        ]
        return (*rows, ("commit", self.commit)) if self.commit else tuple(rows)


def collect(arguments: Sequence[str], began: float, folder: Path = Path()) -> Provenance:
    """Return where the results of the command `tinyml arguments` come from.

    `began`: when it began, in seconds of `time.time`. `folder`: in which it ran.
    """
    return Provenance(
        command=shlex.join(["tinyml", *arguments]),
        started=datetime.fromtimestamp(began, timezone.utc).astimezone(),
        seconds=time.time() - began,
        versions=versions(),
        commit=commit(folder),
    )


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of tinyml and of the packages beneath it, as far as installed.

    Of a checkout of tinyml its commit, too.
    """
    versions = [("tinyml", f"{__version__}{_own_commit()}")]
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions.append((package, metadata.version(package)))
    return tuple(versions)


def _own_commit() -> str:
    """Return ", commit ..." where tinyml runs from a checkout of its own."""
    root = Path(__file__).resolve().parents[2]
    found = commit(root) if (root / ".git").exists() else ""
    return f", commit {found}" if found else ""


def commit(folder: Path) -> str:
    """Return the commit of the checkout that holds `folder`, with "-dirty" where it was changed.

    "" outside of git checkouts, and where there is no git.
    """
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = proc.run(command, timeout_s=_GIT_S, check=False)
    except ToolError:
        return ""
    return done.output.strip() if done.code == 0 else ""
