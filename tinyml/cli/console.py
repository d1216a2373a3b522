"""The one place that prints. stdout carries results, stderr carries progress and errors.

On a terminal tables and progress bars are drawn with rich; piped, both become plain lines. Colour
follows NO_COLOR and TERM. Nothing here decides what is said, only how it looks.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from tinyml.report import document
from tinyml.report.escape import printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID

    from tinyml.errors import TinymlError
    from tinyml.report.page import Block, Page
    from tinyml.report.provenance import Provenance

QUIET, NORMAL, VERBOSE = "quiet", "normal", "verbose"
_QUIET_S = 2.0  # piped progress says nothing before this
_EVERY_S = 5.0  # and then at most this often


class Console:
    """Prints pages, notes, progress and errors of one command; knows whether a terminal listens.

    `arguments`: the command line after `tinyml`. `loudness`: QUIET leaves notes and progress out,
    VERBOSE shows every step of what is under way as a line.
    """

    def __init__(
        self,
        out: TextIO | None = None,
        err: TextIO | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self._out = sys.stdout if out is None else out
        self._err = sys.stderr if err is None else err
        self._arguments = arguments
        self._began = time.time()
        self.loudness = NORMAL
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
        if self.loudness != QUIET:
            self._tell(text)

    def _tell(self, text: str) -> None:
        print(printable(text), file=self._err, flush=True)

    def error(self, error: TinymlError) -> None:
        """Print what went wrong and what to do about it."""
        self._tell(f"error: {error.message}")
        if error.hint:
            self._tell(f"hint: {error.hint}")

    def flush(self) -> None:
        """Hand everything over, so that a reader that has gone is noticed now."""
        self._out.flush()

    def json(self, name: str, record: Any) -> None:
        """Print `record` (a dataclass or mapping) as the JSON document `tinyml.<name>/1`."""
        print(document.render(name, record), file=self._out)

    def json_line(self, name: str, record: Any) -> None:
        """Print `record` as one line of JSON, for output that goes on while it runs."""
        print(document.render(name, record, indent=None), file=self._out, flush=True)

    def show(self, *shown: Page | Block) -> None:
        """Print pages, and blocks one below the other."""
        from tinyml.report import terminal
        from tinyml.report.page import Page

        for each in shown:
            if isinstance(each, Page):
                terminal.render(each, self._out)
            else:
                terminal.write([[each]], self._out)

    def provenance(self) -> Provenance:
        """Return when, how and with which tools this command runs."""
        from tinyml.report import provenance

        return provenance.collect(self._arguments, self._began)

    @contextmanager
    def progress(self, label: str) -> Iterator[Display]:
        """Show that `label` is under way until the block ends."""
        shown = self._progress(label)
        try:
            yield shown
        finally:
            shown.close()

    def _progress(self, label: str) -> Display:
        if self.loudness == QUIET:
            return _Silence()
        if self.loudness == VERBOSE:
            return _EveryLine(label, self.note)
        return _Bar(label, self._err) if self._err.isatty() else _Lines(label, self.note)


class Display:
    """Something that takes a while. Update it from the code that does the work."""

    def update(
        self, detail: str = "", done: float | None = None, total: float | None = None
    ) -> None:
        """Say what is being done, and how much of how much where that is known."""
        raise NotImplementedError

    def close(self) -> None:
        """Take the display away."""
        raise NotImplementedError


class _Silence(Display):
    """Shows nothing."""

    def update(
        self, detail: str = "", done: float | None = None, total: float | None = None
    ) -> None:
        pass

    def close(self) -> None:
        pass


class _EveryLine(Display):
    """A line for whatever is reported, once."""

    def __init__(self, label: str, note: Callable[[str], None]) -> None:
        self._note = note
        self._last = ""
        note(label)

    def update(
        self, detail: str = "", done: float | None = None, total: float | None = None
    ) -> None:
        if detail and detail != self._last:
            self._note(f"  {detail}")
            self._last = detail

    def close(self) -> None:
        pass


class _Bar(Display):
    """On a terminal: a spinner, a bar where the total is known, and the time taken."""

    def __init__(self, label: str, err: TextIO) -> None:
        from rich.console import Console as RichConsole
        from rich.markup import escape
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._escape: Callable[[str], str] = escape
        self._progress: RichBar = RichProgress(
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


class _Lines(Display):
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
