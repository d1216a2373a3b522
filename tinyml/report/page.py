"""What a page consists of: a head with a verdict, and sections of a few kinds of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tinyml.report.figures import Drawing


@dataclass(frozen=True)
class Cell:
    """A cell of a table. `bar`, `heat`: 0..1, the length of a bar and the depth of its ground."""

    text: str
    bar: float | None = None
    heat: float | None = None
    title: str = ""
    bad: bool = False

    @property
    def bar_percent(self) -> str:
        """The length of the bar, as CSS has it."""
        return f"{100 * min(1.0, max(0.0, self.bar or 0.0)):.1f}%"

    @property
    def heat_percent(self) -> str:
        """The depth of the ground, as CSS has it."""
        return f"{80 * min(1.0, max(0.0, self.heat or 0.0)):.0f}%"


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    kind: ClassVar[str] = "facts"
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Table:
    """Columns, those in `right` aligned to the right, and rows of as many cells."""

    kind: ClassVar[str] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: tuple[bool, ...]


@dataclass(frozen=True)
class Figure:
    """A drawing with a sentence that says what it shows."""

    kind: ClassVar[str] = "figure"
    drawing: Drawing
    caption: str


@dataclass(frozen=True)
class Note:
    """A sentence."""

    kind: ClassVar[str] = "note"
    text: str


Block = Facts | Table | Figure | Note


@dataclass(frozen=True)
class Section:
    """A heading and its blocks; `wide` where they need the whole width of a desktop."""

    title: str
    blocks: tuple[Block, ...]
    wide: bool = False


@dataclass(frozen=True)
class Page:
    """A whole report. `passed` is None where there is nothing to pass."""

    title: str
    passed: bool | None
    verdict: str
    identity: Facts
    sections: tuple[Section, ...]


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str | Cell]], right: Sequence[str] = ()
) -> Table:
    """Return a table from plain texts and cells; `right` names columns."""
    return Table(
        tuple(columns),
        tuple(tuple(one if isinstance(one, Cell) else Cell(one) for one in row) for row in rows),
        tuple(column in right for column in columns),
    )
