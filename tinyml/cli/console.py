"""The one place that prints. stdout carries results, stderr carries progress and errors.

On a terminal tables and progress bars are drawn with rich; piped, both become plain lines. Colour
follows NO_COLOR and TERM. Nothing here decides what is said, only how it looks.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from tinyml.errors import TinymlError

SCHEMA_VERSION = 1
_QUIET_S = 2.0  # piped progress says nothing before this
_EVERY_S = 5.0  # and then at most this often


class Console:
    """Prints results, notes, tables, progress and errors; knows whether a terminal listens."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = sys.stdout if out is None else out
        self._err = sys.stderr if err is None else err
        for stream in (self._out, self._err):
            # A terminal in an old encoding shows "?" rather than ending the command.
            if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
                reconfigure(errors="replace")

    @property
    def out(self) -> TextIO:
        """Where results go, for what fills a terminal."""
        return self._out

    @property
    def is_terminal(self) -> bool:
        """Whether results go to a terminal that can be drawn on."""
        return self._out.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")

    def print(self, text: str = "") -> None:
        """Print a line of the result."""
        print(printable(text), file=self._out)

    def note(self, text: str) -> None:
        """Print a line about what happens, which is not part of the result."""
        print(printable(text), file=self._err, flush=True)

    def error(self, error: TinymlError) -> None:
        """Print what went wrong and what to do about it."""
        self.note(f"error: {error.message}")
        if error.hint:
            self.note(f"hint: {error.hint}")

    def flush(self) -> None:
        """Hand everything over, so that a reader that has gone is noticed now."""
        self._out.flush()

    def json(self, name: str, record: Any) -> None:
        """Print `record` (a dataclass or mapping) as the JSON document `tinyml.<name>/1`."""
        print(document(name, record), file=self._out)

    def json_line(self, name: str, record: Any) -> None:
        """Print `record` as one line of JSON, for output that goes on while it runs."""
        document = {"schema": f"tinyml.{name}/{SCHEMA_VERSION}", **plain(record)}
        print(json.dumps(document), file=self._out, flush=True)

    def facts(self, rows: Iterable[tuple[str, object]]) -> None:
        """Print names and values as two aligned columns."""
        pairs = [(name, str(value)) for name, value in rows]
        width = max((len(name) for name, _ in pairs), default=0)
        for name, value in pairs:
            self.print(f"{name:<{width}}  {value}")

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[str] = ()
    ) -> None:
        """Print a table; the columns named in `right` are aligned to the right."""
        cells = [[printable(str(cell)) for cell in row] for row in rows]
        to_right = [column in set(right) for column in columns]
        if self._out.isatty():
            self._rich_table(columns, cells, to_right)
            return
        widths = [max(len(row[i]) for row in [list(columns), *cells]) for i in range(len(columns))]
        for row in [list(columns), *cells]:
            padded = [
                cell.rjust(width) if is_right else cell.ljust(width)
                for cell, width, is_right in zip(row, widths, to_right, strict=True)
            ]
            self.print("  ".join(padded).rstrip())

    def _rich_table(
        self, columns: Sequence[str], cells: list[list[str]], to_right: list[bool]
    ) -> None:
        from rich.box import SIMPLE
        from rich.console import Console as RichConsole
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=SIMPLE, pad_edge=False, header_style="bold")
        for column, is_right in zip(columns, to_right, strict=True):
            table.add_column(
                escape(column), justify="right" if is_right else "left", overflow="fold"
            )
        for row in cells:
            table.add_row(*map(escape, row))
        RichConsole(file=self._out, highlight=False).print(table)

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        """Show that `label` is under way until the block ends."""
        shown: Progress = _Bar(label, self._err) if self._err.isatty() else _Lines(label, self.note)
        try:
            yield shown
        finally:
            shown.close()


class Progress:
    """Something that takes a while. Update it from the code that does the work."""

    def update(
        self, detail: str = "", done: float | None = None, total: float | None = None
    ) -> None:
        """Say what is being done, and how much of how much where that is known."""
        raise NotImplementedError

    def close(self) -> None:
        """Take the display away."""
        raise NotImplementedError


class _Bar(Progress):
    """On a terminal: a spinner, a bar where the total is known, and the time taken."""

    def __init__(self, label: str, err: TextIO) -> None:
        from rich.console import Console as RichConsole
        from rich.markup import escape
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._escape: Callable[[str], str] = escape
        self._progress: RichProgress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
            console=RichConsole(file=err, highlight=False),
            transient=True,
        )
        self._task: TaskID = self._progress.add_task(escape(label), total=None, detail="")
        self._progress.start()

    def update(
        self, detail: str = "", done: float | None = None, total: float | None = None
    ) -> None:
        text = self._escape(printable(detail)[:80])
        self._progress.update(self._task, detail=text, completed=done, total=total)

    def close(self) -> None:
        self._progress.stop()


class _Lines(Progress):
    """Piped: nothing for two seconds, then a line every five, also when nothing is reported."""

    def __init__(self, label: str, note: Callable[[str], None]) -> None:
        self._label = label
        self._note = note
        self._detail = ""
        self._started = time.monotonic()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def update(
        self, detail: str = "", done: float | None = None, total: float | None = None
    ) -> None:
        share = "" if done is None or not total else f"{done / total:.0%} "
        self._detail = f"{share}{detail}".strip()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _beat(self) -> None:
        wait_s = _QUIET_S
        while not self._closed.wait(wait_s):
            seconds = time.monotonic() - self._started
            detail = f": {self._detail}" if self._detail else ""
            self._note(f"{self._label} ({seconds:.0f} s){detail}")
            wait_s = _EVERY_S


def document(name: str, record: Any) -> str:
    """Return `record` (a dataclass or mapping) as the JSON document `tinyml.<name>/1`."""
    return json.dumps({"schema": f"tinyml.{name}/{SCHEMA_VERSION}", **plain(record)}, indent=2)


def printable(text: str) -> str:
    """Return `text` with control characters made visible: what a device says stays text."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text
    )


def plain(value: Any) -> Any:
    """Return `value` as JSON types: dataclasses become objects, paths and arrays text and lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no infinity
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "tolist"):  # a numpy array or scalar
        return plain(value.tolist())
    return value
