"""What reaches the screen: tables, JSON, escapes, progress; piped and on a terminal."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tinyml.cli import console as room
from tinyml.cli.console import Console
from tinyml.errors import ConfigError
from tinyml.report.page import table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Record:
    path: Path
    values: tuple[int, ...]
    raw: bytes
    array: object


def test_piped_tables_are_aligned_lines() -> None:
    out = io.StringIO()
    rows = [("a", 5), ("longer", 12345)]
    Console(out, io.StringIO()).show(table(("name", "bytes"), rows, ("bytes",)))
    assert out.getvalue() == "name    bytes\na           5\nlonger  12345\n"


def test_a_table_without_rows_is_its_header() -> None:
    out = io.StringIO()
    Console(out, io.StringIO()).show(table(("name", "bytes"), []))
    assert out.getvalue() == "name  bytes\n"


def test_terminal_tables_keep_markup_like_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    Console(out, io.StringIO()).show(table(("name",), [("[red]x[/red]",)]))
    assert "[red]x[/red]" in out.getvalue()


@pytest.mark.parametrize(("no_color", "escapes"), [("1", False), ("", True)])
def test_no_color_is_respected(
    no_color: str, escapes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    err = Terminal()
    with Console(io.StringIO(), err).progress("working") as shown:
        shown.update("half", 1, 2)
    assert ("\x1b[3" in err.getvalue()) is escapes


def test_json_has_a_schema_and_plain_values() -> None:
    out = io.StringIO()
    record = Record(Path("a/b"), (1, 2), b"\x01\xff", np.array([1, np.nan]))
    Console(out, io.StringIO()).json("thing", record)
    assert json.loads(out.getvalue()) == {
        "schema": "tinyml.thing/1",
        "path": "a/b",
        "values": [1, 2],
        "raw": "01ff",
        "array": [1.0, None],
    }


def test_foreign_text_cannot_control_the_terminal() -> None:
    out, err = io.StringIO(), io.StringIO()
    shown = Console(out, err)
    shown.print("said \x1b[2J\x07 done")
    shown.error(ConfigError("bad \x1b]0;title\x07", "hint \r over"))
    assert not {"\x1b", "\x07", "\r"} & set(out.getvalue() + err.getvalue())
    assert "said \\x1b[2J\\x07 done" in out.getvalue()


def test_quick_work_says_nothing_when_piped() -> None:
    err = io.StringIO()
    with Console(io.StringIO(), err).progress("working"):
        pass
    assert err.getvalue() == ""


def test_long_work_says_so_when_piped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_QUIET_S", 0.0)
    said = threading.Event()
    lines = []

    def note(text: str) -> None:
        lines.append(text)
        said.set()

    shown = room._Lines("working", note)
    assert said.wait(30)
    shown.close()
    assert lines[0].startswith("working (0 s)")


def test_an_old_terminal_encoding_ends_nothing() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    shown = Console(out, io.StringIO())
    shown.print("naïve")
    out.flush()
    assert raw.getvalue() == b"na?ve\n"
