"""A cache of measured arena sizes: what `tinyml build --fit` found that a model needs.

One small file each in the user's cache, so that every later build of the same uses the figure. It
holds for one model, runtime, board and edition of the runtime's library, and for nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tinyml import files, paths
from tinyml.errors import ToolError


@dataclass(frozen=True)
class Subject:
    """What a figure is about. `library`: the edition of the runtime's library, in any words."""

    sha256: str
    runtime: str
    board: str
    library: str


@dataclass(frozen=True)
class Measured:
    """An arena in bytes that sufficed where 16 bytes less did not, and the board that showed it."""

    bytes: int
    on: str


def recall(subject: Subject) -> Measured | None:
    """Return what was measured for `subject`; None where nothing was, or nothing readable."""
    try:
        document = json.loads(_file(subject).read_bytes())
        if document["subject"] != asdict(subject) or not document["bytes"] > 0:
            return None
        return Measured(int(document["bytes"]), str(document["on"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(subject: Subject, measured: Measured) -> None:
    """Keep a figure. Raises ToolError where the cache cannot be written."""
    file = _file(subject)
    content = json.dumps({"subject": asdict(subject), **asdict(measured)}, indent=1) + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write(file, content)
    except OSError as error:
        raise ToolError(
            f"the measured arena cannot be kept in {file.parent}: {error.strerror or error}",
            "name another folder with TINYML_CACHE",
        ) from error


def forget(subject: Subject) -> None:
    """Drop the figure, if there is one."""
    with contextlib.suppress(OSError):
        _file(subject).unlink()


def _file(subject: Subject) -> Path:
    name = hashlib.sha256(json.dumps(asdict(subject)).encode()).hexdigest()[:32]
    return paths.cache() / "arenas" / f"{name}.json"
