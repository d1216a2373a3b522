"""Tables of numbers as programs and people write them: encodings, delimiters, decimal commas, logs.

Read are CSV, TSV and semicolons with points or commas as decimals, columns of spaces, lines of a
serial plotter (`x:-0.5,y:0.9`) and terminal logs, whose lines without numbers are left out. UTF-8
and UTF-16 with or without a mark, Windows' code page, and lines that end in any way.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import DataError

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_MOST_BYTES = 256 << 20
_PAIR = re.compile(r"([A-Za-z][\w ./²^()-]*?)\s*[:=]\s*([-+]?[\d.,]*\d(?:[eE][-+]?\d+)?)")
_PREFIX = re.compile(r"^\s*\[?\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\]?\s*(?:->|>|:)?\s*")  # of a terminal
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)", re.IGNORECASE)


@dataclass(frozen=True)
class TableFile:
    """Rows of text cells under `names`; `names` is empty where the file has none.

    `lines`: the number of each row in its file. `breaks`: indices of rows before which something
    stood that parts recordings (a blank line, the names again, dashes). `notes`: what was found.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    breaks: tuple[int, ...]
    notes: tuple[str, ...]


def text(path: Path) -> str:
    """Return a text file in whatever encoding it is; raises DataError for what is none."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path} has more than {_MOST_BYTES >> 20} MB of text")
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    encoding = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), "")
    if not encoding and raw[1:2] == b"\0" and raw[:1] != b"\0":
        encoding = "utf-16-le"
    try:
        content = raw.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        content = raw.decode("cp1252", "replace")
    if "\0" in content or content.count("\ufffd") > len(content) // 50:
        raise DataError(f"{path} is no text")
    return content.replace("\r\n", "\n").replace("\r", "\n")


def number(cell: str, decimal: str = ".") -> float | None:
    """Return the number in a cell, or None where there is none."""
    cell = cell.strip().strip('"').strip()
    if decimal == ",":
        cell = cell.replace(".", "").replace(",", ".")
    return float(cell) if _NUMBER.fullmatch(cell) else None


def read(path: Path) -> TableFile:
    """Return the table in a text file; raises DataError where there is none."""
    content = text(path).split("\n")
    if sum(len(_PAIR.findall(line)) >= 2 for line in content) > len(content) / 2:
        return _plotter(content)
    stripped = [_PREFIX.sub("", line) for line in content]
    prefixed = sum(a != b for a, b in zip(content, stripped, strict=True)) > len(content) / 2
    lines = stripped if prefixed else content
    delimiter = _delimiter(lines)
    decimal = _decimal(lines, delimiter)
    notes = []
    if decimal == ",":
        notes.append("decimal commas")
    if prefixed:
        notes.append("times of a terminal left out")
    return _rows(path, lines, delimiter, decimal, notes)


def _rows(
    path: Path, lines: Sequence[str], delimiter: str, decimal: str, notes: list[str]
) -> TableFile:
    names: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    breaks: list[int] = []
    others = 0
    width = _width(lines, delimiter, decimal)
    for at, line in enumerate(lines, 1):
        cells = tuple(cell.strip().strip('"').strip() for cell in _split(line, delimiter))
        filled = [cell for cell in cells if cell]
        if not filled or all(set(cell) <= {"-"} for cell in filled):
            _mark(breaks, rows)
        elif len(cells) == width and sum(number(c, decimal) is not None for c in cells) >= min(
            3, width
        ):
            rows.append(tuple(_plain(cell, decimal) for cell in cells))
            numbers.append(at)
        elif len(cells) == width and not line.lstrip().startswith("#"):
            if not names:
                names = cells
            _mark(breaks, rows)
        else:
            others += not line.lstrip().startswith("#")
    if not rows:
        raise DataError(f"{path} has no rows of three numbers or more")
    if others:
        notes.append(f"{others} lines that are no row left out")
    return TableFile(names, tuple(rows), tuple(numbers), tuple(breaks), tuple(notes))


def _mark(breaks: list[int], rows: Sequence[object]) -> None:
    """Note that a recording may begin with the next row."""
    if rows and (not breaks or breaks[-1] != len(rows)):
        breaks.append(len(rows))


def _plain(cell: str, decimal: str) -> str:
    value = number(cell, decimal)
    return cell if value is None or decimal == "." else repr(value)


def _plotter(lines: Sequence[str]) -> TableFile:
    names: tuple[str, ...] = ()
    rows, numbers, others = [], [], 0
    for at, line in enumerate(lines, 1):
        pairs = _PAIR.findall(_PREFIX.sub("", line))
        keys = tuple(name.strip() for name, _ in pairs)
        names = names or keys
        if keys and keys == names:
            rows.append(tuple(value for _, value in pairs))
            numbers.append(at)
        else:
            others += bool(line.strip())
    notes = ["lines of a serial plotter", *([f"{others} other lines left out"] if others else [])]
    return TableFile(names, tuple(rows), tuple(numbers), (), tuple(notes))


def _split(line: str, delimiter: str) -> list[str]:
    return line.split(delimiter) if delimiter else line.split()


def _delimiter(lines: Sequence[str]) -> str:
    """Return what parts the cells of most lines: tab, semicolon, comma, or "" for spaces."""
    votes: Counter[str] = Counter()
    for line in lines[:500]:
        for delimiter in ("\t", ";", ","):
            if line.count(delimiter) >= 2:
                votes[delimiter] += 1
                break
        else:
            votes[""] += len(line.split()) >= 3
    best, count = votes.most_common(1)[0] if votes else (",", 0)
    return best if count else ","


def _decimal(lines: Sequence[str], delimiter: str) -> str:
    if delimiter == ",":
        return "."
    cells = [cell.strip() for line in lines[:200] for cell in _split(line, delimiter)]
    commas = sum(re.fullmatch(r"[-+]?\d+,\d+", cell) is not None for cell in cells)
    points = sum(re.fullmatch(r"[-+]?\d+\.\d+", cell) is not None for cell in cells)
    return "," if commas > points else "."


def _width(lines: Sequence[str], delimiter: str, decimal: str) -> int:
    """Return how many cells most of the lines with numbers have."""
    widths: Counter[int] = Counter()
    for line in lines:
        cells = _split(line, delimiter)
        if sum(number(cell, decimal) is not None for cell in cells) >= 3:
            widths[len(cells)] += 1
    return widths.most_common(1)[0][0] if widths else 0
