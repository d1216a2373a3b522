"""Runs what the documentation shows, as a reader would, and compares what is printed with it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from doc_pages import ROOT, Block, blocks

LIMIT_S = 3600
ANY_LINES = "..."
_LOCK = f"tinyml-docs-{os.getuid()}.lock"


def runnable(page: Path, marks: Iterable[str] = ()) -> list[Block]:
    """Return the blocks of a page that run where only what `marks` names is there besides."""
    return [block for block in blocks(page) if block.marks <= set(marks) and block.examples()]


def run(page: Path, marks: Iterable[str] = (), update: bool = False) -> list[str]:
    """Run the commands of a page in order, in a folder of its own; return what is not as shown.

    With `update` the page gets what was printed; where it leaves lines out, the numbers only.
    """
    found: list[str] = []
    with _reader() as reader:
        for block in runnable(page, marks):
            if block.setup:
                reader.setup(block.setup)
            fresh = ""
            for example in block.examples():
                code, printed, complained = reader.run(example.command)
                shown = example.shown or ()
                wrong = None if example.shown is None else difference(shown, printed, block.varies)
                if code != 0:
                    wrong = f"exit code {code}\n{complained}"
                lines = _renewed(shown, printed) if code == 0 else None
                if wrong is not None and not (update and lines):
                    text = "\n".join(printed)
                    found.append(f"{block.place}: $ {example.command}\n{wrong}\n\n{text}")
                fresh += "".join(
                    f"{line}\n" for line in (f"$ {example.command}", *(lines or shown))
                )
            if update and block.language == "console":
                text = page.read_text(encoding="utf-8")
                page.write_text(text.replace(block.text, fresh, 1), encoding="utf-8")
    return found


def difference(shown: Sequence[str], printed: Sequence[str], varies: Iterable[str]) -> str | None:
    """Return which shown line was not printed where it should be, None if all were.

    In lines with one of the words `varies` any number will do.
    """
    words = tuple(varies)

    def stable(line: str) -> str:
        return _numberless(line) if any(word in line for word in words) else line.rstrip()

    rest = [stable(line) for line in printed]
    may_skip = False
    for line in map(stable, shown):
        if line == ANY_LINES:
            may_skip = True
        elif line in rest and (may_skip or rest[0] == line):
            rest, may_skip = rest[rest.index(line) + 1 :], False
        else:
            return f"not printed: {line}" + (f"\ninstead:     {rest[0]}" if rest else "")
    return None if may_skip or not any(rest) else f"not shown: {next(filter(None, rest))}"


def _renewed(shown: Sequence[str], printed: Sequence[str]) -> list[str] | None:
    """Return what to show now; None where lines are left out and more than numbers differs."""
    if ANY_LINES not in shown:
        return list(printed)
    if difference([_numberless(line) for line in shown], list(map(_numberless, printed)), ()):
        return None
    rest = list(printed)
    fresh = []
    for line in shown:
        if line == ANY_LINES:
            fresh.append(line)
            continue
        while rest and _numberless(rest[0]) != _numberless(line):
            del rest[0]
        fresh.append(rest.pop(0).rstrip() if rest else line)
    return fresh


def _numberless(line: str) -> str:
    line = re.sub(r"[\d.,]*\d", "#", line.rstrip()) if line != ANY_LINES else line
    return re.sub(r"\s+", " ", line)


class _Reader:
    """Who types the commands: in a folder of their own, with emulated boards of their own."""

    def __init__(self, folder: Path, runtime: str) -> None:
        self._folder = folder
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "XDG_RUNTIME_DIR": runtime,
            "NO_COLOR": "1",
        }
        for shared in ("models", "tests"):
            (folder / shared).symlink_to(ROOT / shared)

    def setup(self, commands: str) -> None:
        """Do what a page's comment asks for before a block."""
        code, _, complained = self.run(commands)
        assert code == 0, f"{commands}\n{complained}"

    def run(self, command: str) -> tuple[int, list[str], str]:
        """Return exit code, lines of stdout, and stderr of a line of a shell."""
        with contextlib.ExitStack() as stack:
            folder = self._folder
            if command.startswith("scripts/"):  # they work in the checkout: one at a time
                folder = ROOT
                lock = stack.enter_context((Path(tempfile.gettempdir()) / _LOCK).open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX)
            done = subprocess.run(
                ["bash", "-c", f"set -e -o pipefail\n{command}"],
                cwd=folder, env=self._environment, capture_output=True, text=True, timeout=LIMIT_S,
            )  # fmt: skip
        return done.returncode, done.stdout.splitlines(), done.stderr


@contextlib.contextmanager
def _reader() -> Iterator[_Reader]:
    # Sockets have short names only.
    with (
        tempfile.TemporaryDirectory(prefix="tinyml-docs-") as folder,
        tempfile.TemporaryDirectory(prefix="tml") as runtime,
    ):
        reader = _Reader(Path(folder), runtime)
        try:
            yield reader
        finally:
            reader.run("tinyml devices --stop")
