"""Report files: each is written whole or not at all, in the form that its name asks for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyml.errors import ConfigError

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.report import Report


def require_places(paths: Sequence[Path]) -> None:
    """Raise ConfigError where a report could not be written: before the work, not after it."""
    for path in paths:
        folder = path.absolute().parent
        if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            raise ConfigError(
                f"no report can be written to {path}", f"make the folder first: mkdir -p {folder}"
            )


def save(paths: Sequence[Path], report: Report, name: str, record: Any, console: Console) -> None:
    """Write `report` to each of `paths`; a `.json` file gets the document `tinyml.<name>/1`."""
    for path in paths:
        partial = path.with_name(f".{path.name}.partial")
        try:
            partial.write_text(_text(path, report, name, record), encoding="utf-8")
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
        console.note(f"wrote {path}")


def _text(path: Path, report: Report, name: str, record: Any) -> str:
    from tinyml.cli.console import document
    from tinyml.report import html, junit

    kind = path.suffix.lower()
    if kind == ".html":
        return html.render(report.page)
    return junit.render(report.suite) if kind == ".xml" else document(name, record) + "\n"
