"""A page on a terminal: tables drawn with rich where one listens, aligned lines where piped.

Headings, charts of many points and whatever is a detail are for pages that are read at leisure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from tinyml.report.escape import printable
from tinyml.report.page import Block, Facts, Histogram, Note, Page, Table

if TYPE_CHECKING:
    from tinyml.model.tensor_diff import Bin

_BAR = 32  # characters of a histogram's longest bar
_NAME = 16  # characters that remain of a name at least, where a table is wider than the terminal
_GAP = 2  # between two columns of aligned lines
_DRAWN_GAP, _EDGES = 3, 2  # of a drawn table: padding and separator, and both its sides
_MIDDLE = "..."


def render(page: Page, out: TextIO) -> None:
    """Write the page to `out`: facts, then sections with empty lines between, the verdict last."""
    groups: list[Sequence[Block]] = [[page.identity]]
    groups += [section.blocks for section in page.sections]
    if page.verdict:
        groups.append([Note(page.verdict)])
    shown = [[block for block in blocks if not block.detail] for blocks in groups]
    write(_joined([blocks for blocks in shown if blocks]), out)


def write(groups: Sequence[Sequence[Block]], out: TextIO) -> None:
    """Write groups of blocks with an empty line between two groups."""
    for number, blocks in enumerate(groups):
        if number:
            print(file=out)
        for block in blocks:
            _write(block, out)


def _joined(groups: Sequence[Sequence[Block]]) -> list[list[Block]]:
    """Return the groups with facts that follow one another made one list."""
    joined: list[list[Block]] = []
    for group in groups:
        first, *others = group
        last = joined[-1][-1] if joined else None
        if isinstance(last, Facts) and isinstance(first, Facts):
            joined[-1][-1] = Facts((*last.rows, *first.rows))
            joined[-1] += others
        else:
            joined.append([*group])
    return joined


def _write(block: Block, out: TextIO) -> None:
    if isinstance(block, Table):
        _write_table(block, out)
        return
    for line in _lines(block):
        print(printable(line), file=out)


def _lines(block: Block) -> Iterator[str]:
    if isinstance(block, Facts):
        width = max((len(name) for name, _ in block.rows), default=0)
        yield from (f"{name:<{width}}  {value}" for name, value in block.rows)
    elif isinstance(block, Note):
        yield block.text
    elif isinstance(block, Histogram):
        most = max((each.count for each in block.bins), default=1)
        for each in block.bins:
            bar = "#" * -(-each.count * _BAR // most)
            yield f"  {_range(each):>14}  {each.count:>8,}  {bar}".rstrip()


def _range(values: Bin) -> str:
    """Return the values of a bin, with signs: a histogram on a terminal shows differences."""
    if values.low == values.high:
        return f"{values.low:+g}"
    return f"{values.low:+g} .. {values.high:+g}"


def _write_table(table: Table, out: TextIO) -> None:
    shown = [number for number, column in enumerate(table.columns) if not column.detail]
    names = [_in_a_line(table.columns[number].name) for number in shown]
    to_right = [table.columns[number].right for number in shown]
    rows = [[_in_a_line(row[number].text) for number in shown] for row in table.rows]
    if out.isatty():
        _write_rich(names, rows, to_right, out)
        return
    for row in [names, *rows]:
        print(_aligned(row, _widths([names, *rows]), to_right), file=out)


def _in_a_line(text: str) -> str:
    """Return a cell's text without what would break its row."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]


def _aligned(row: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if is_right else cell.ljust(width)
        for cell, width, is_right in zip(row, widths, to_right, strict=True)
    ]
    return (" " * _GAP).join(padded).rstrip()


def _write_rich(
    names: Sequence[str], rows: Sequence[list[str]], to_right: Sequence[bool], out: TextIO
) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as RichTable

    console = Console(file=out, highlight=False)
    rows = _shortened(names, rows, to_right, console.width)
    drawn = RichTable(box=SIMPLE, pad_edge=False, header_style="bold")
    for name, is_right in zip(names, to_right, strict=True):
        drawn.add_column(
            escape(name),
            justify="right" if is_right else "left",
            overflow="fold",
            no_wrap=is_right,
        )
    for row in rows:
        drawn.add_row(*map(escape, row))
    console.print(drawn)


def _shortened(
    names: Sequence[str], rows: Sequence[list[str]], to_right: Sequence[bool], width: int
) -> list[list[str]]:
    """Return rows that fit into `width`, as far as shorter names in their first column do that.

    A name loses its middle: what tells files of a folder apart is at either end.
    """
    widths = _widths([list(names), *rows])
    surplus = sum(widths) + _DRAWN_GAP * (len(widths) - 1) + _EDGES - width
    if surplus <= 0 or to_right[0]:
        return [*rows]
    room = max(_NAME, widths[0] - surplus)
    return [[_without_middle(row[0], room), *row[1:]] for row in rows]


def _without_middle(name: str, room: int) -> str:
    if len(name) <= room:
        return name
    head = (room - len(_MIDDLE)) // 2
    return f"{name[:head]}{_MIDDLE}{name[head + len(_MIDDLE) - room :]}"
