"""A page as one HTML file that needs nothing else: no script, no font, no picture, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyml.report import svg
from tinyml.report.page import Block, Page, Section, Table
from tinyml.report.provenance import Provenance

_HERE = Path(__file__).parent
_TEXT = 16  # characters of an endless text that stand in one line at least
_ENDLESS = 20  # characters beyond which a text breaks anywhere
_STEP = 2  # widths of tables are rounded up to multiples of this many rem


@dataclass(frozen=True)
class _Letters:
    """What a table takes in rem: a character, the padding of a cell, a bar beside a number."""

    width: float
    padding: float
    bar: float


# In a card too narrow for usual letters a table has small ones; in one too narrow for those, too,
# each row becomes a list of names and values.
_USUAL = _Letters(0.5, 0.9, 4.0)
_SMALL = _Letters(0.45, 0.64, 0.0)


def render(page: Page, provenance: Provenance) -> str:
    """Return the page as an HTML document; every text in it is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    sections = [_without_empty_columns(section) for section in page.sections]
    tables = [block for section in sections for block in section.blocks if isinstance(block, Table)]
    text = environment.get_template("page.html.j2").render(
        page=page,
        style=style,
        groups=_groups(sections),
        about=(*page.identity.rows, *page.details.rows, *provenance.rows()),
        draw=svg.draw,
        small_below=lambda block: _needs(block, _USUAL),
        stacks_below=lambda block: _needs(block, _SMALL),
        endless=_ENDLESS,
        smalls=sorted({_needs(block, _USUAL) for block in tables}),
        stacks=sorted({_needs(block, _SMALL) for block in tables}),
    )
    # Names of files that are not UTF-8 arrive with surrogates, which no file can hold.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _groups(sections: Sequence[Section]) -> list[tuple[bool, list[Section]]]:
    """Return runs of sections as (wide, sections): a wide one for itself, narrow ones together.

    A narrow section without neighbours would leave half its row empty, and becomes wide.
    """
    groups: list[tuple[bool, list[Section]]] = []
    for section in sections:
        if not section.wide and groups and not groups[-1][0]:
            groups[-1][1].append(section)
        else:
            groups.append((section.wide, [section]))
    return [(wide or len(run) == 1, run) for wide, run in groups]


def _without_empty_columns(section: Section) -> Section:
    """Return a section whose tables have no columns in which nothing stands, or for terminals."""
    return replace(section, blocks=tuple(map(_without_empty, section.blocks)))


def _without_empty(block: Block) -> Block:
    if not isinstance(block, Table) or block.square or not block.rows:
        return block
    kept = [
        number
        for number, column in enumerate(block.columns)
        if not column.brief and any(row[number].text for row in block.rows)
    ]
    columns = tuple(block.columns[n] for n in kept)
    return replace(
        block, columns=columns, rows=tuple(tuple(r[n] for n in kept) for r in block.rows)
    )


def _needs(table: Table, letters: _Letters) -> int:
    """Return how many rem a table needs for the longest word of every cell, in steps of _STEP."""
    needed = 0.0
    for number, column in enumerate(table.columns):
        cells = [row[number] for row in table.rows]
        texts = [cell.text if len(cell.text) <= _ENDLESS else cell.text[:_TEXT] for cell in cells]
        longest = max(map(len, (*column.name.split(), "", *texts)))
        needed += longest * letters.width + letters.padding
        needed += letters.bar if any(cell.bar is not None for cell in cells) else 0.0
    return -(-int(needed + 1) // _STEP) * _STEP
