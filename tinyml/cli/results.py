"""What a verb does with its result: on the screen or as JSON, and into the files of --report."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml import files
from tinyml.errors import ConfigError

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.report.page import Page


def show(page: Page, args: Namespace, console: Console) -> None:
    """Show `page` as `args` wants it, and write it to every file that --report names."""
    if args.json:
        console.json(page.name, page.record)
    else:
        console.show(page)
    save(getattr(args, "report", ()), page, console)


def require_places(paths: Sequence[Path]) -> None:
    """Raise ConfigError where a report could not be written: before the work, not after it."""
    for path in paths:
        folder = path.absolute().parent
        if path.is_dir():
            raise ConfigError(
                f"no report can be written to {path}: it is a folder",
                f"name a file in it: --report {path / 'report.html'}",
            )
        if not folder.is_dir():
            raise ConfigError(
                f"no report can be written to {path}", f"make the folder first: mkdir -p {folder}"
            )
        if not os.access(folder, os.W_OK):
            raise ConfigError(
                f"no report can be written to {path}: {folder} is read-only",
                "name another folder: --report ~/report.html",
            )


def save(paths: Sequence[Path], page: Page, console: Console) -> None:
    """Write `page` to each of `paths`, whole or not at all, in the form that its ending asks for.

    Raises ConfigError where a file cannot be written.
    """
    for path in paths:
        try:
            files.write(path, _text(path, page, console))
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
        console.note(f"wrote {path}")


def _text(path: Path, page: Page, console: Console) -> str:
    from tinyml.report import document, html, junit

    kind = path.suffix.lower()
    if kind == ".json":
        return document.render(page.name, page.record) + "\n"
    render = html.render if kind == ".html" else junit.render
    return render(page, console.provenance())
