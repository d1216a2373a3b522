"""The one description of a page: verdict, test cases, and sections of facts, tables, charts, notes.

Every result of a command is described once, here, and rendered by `terminal`, `html`, `junit` and
`document`. A block or column with `detail` is for a page that is read at leisure: the terminal
leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from tinyml.model.tensor_diff import Bin
    from tinyml.records import Placement


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    `bar`: 0..1, the length of a bar beside the text. `heat`: 0..1, the depth of the cell's ground.
    `title`: what the text leaves out, shown under the pointer. `bad`: it tells of something wrong.
    """

    text: str
    bar: float | None = None
    heat: float | None = None
    title: str = ""
    bad: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and whether its cells are aligned to the right.

    `brief`: for the terminal alone, since a page says it in a section of its own.
    """

    name: str
    right: bool = False
    detail: bool = False
    brief: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and values. Facts that follow one another are one list on a terminal."""

    kind: ClassVar[str] = "facts"
    rows: tuple[tuple[str, str], ...]
    detail: bool = False


@dataclass(frozen=True)
class Table:
    """Columns, and rows of as many cells; `square`: a matrix whose columns are equally wide."""

    kind: ClassVar[str] = "table"
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    detail: bool = False
    square: bool = False


@dataclass(frozen=True)
class Note:
    """A sentence."""

    kind: ClassVar[str] = "note"
    text: str
    detail: bool = False


@dataclass(frozen=True)
class Histogram:
    """How often values fall into bins that follow one another; `bad`: they should not be there."""

    kind: ClassVar[str] = "chart"
    bins: tuple[Bin, ...]
    x_name: str
    y_name: str
    caption: str
    bad: bool = False
    detail: bool = True


@dataclass(frozen=True)
class Series:
    """A named curve through `points` (x, y)."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Curves:
    """Curves over one another.

    `x_range`: lowest and highest x. `y_most`: the highest y, None for that of the points.
    `mark`: x and name of a vertical line. `label` says in words what is drawn.
    """

    kind: ClassVar[str] = "chart"
    series: tuple[Series, ...]
    label: str
    x_name: str
    y_name: str
    caption: str
    x_range: tuple[float, float] = (0.0, 1.0)
    y_most: float | None = None
    mark: tuple[float, str] | None = None
    detail: bool = True


@dataclass(frozen=True)
class ArenaMap:
    """What lies where in an arena of `arena_bytes`, over the `steps` of an inference."""

    kind: ClassVar[str] = "chart"
    placements: tuple[Placement, ...]
    arena_bytes: int
    steps: int
    caption: str
    detail: bool = True


Chart = Histogram | Curves | ArenaMap
Block = Facts | Table | Note | Chart


@dataclass(frozen=True)
class Section:
    """A heading and its blocks; `wide` where they need the whole width of a desktop.

    A terminal shows the blocks without the heading, parted from the section before by a line.
    """

    title: str
    blocks: tuple[Block, ...]
    wide: bool = False


@dataclass(frozen=True)
class TestCase:
    """One thing that was checked; `failure` says in one or more lines what is wrong, or is ""."""

    __test__: ClassVar[bool] = False  # pytest collects classes that are called so

    group: str
    name: str
    failure: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Page:
    """What a command found.

    `name`: of the JSON document `tinyml.<name>/1`, of which `record` (a dataclass or mapping) is
    the content, and of the JUnit suite of `cases` with `properties`. `passed` is None where there
    is nothing to pass. `verdict`: what passed or failed, the last line on a terminal, or "".
    `headline`: the figure that matters in a sentence, for pages. `identity`: what was run where.
    `details`: the same to the last digit, for pages.
    """

    name: str
    title: str
    identity: Facts
    sections: tuple[Section, ...]
    record: Any
    verdict: str = ""
    headline: str = ""
    passed: bool | None = None
    details: Facts = field(default_factory=lambda: Facts((), detail=True))
    cases: tuple[TestCase, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)


def table(
    columns: Iterable[str | Column],
    rows: Sequence[Sequence[object]],
    right: Sequence[str] = (),
    *,
    detail: bool = False,
) -> Table:
    """Return a table from columns or their names, and rows of cells or what is shown in them.

    `right` names the columns that are aligned to the right.
    """
    headings = [
        column if isinstance(column, Column) else Column(column, column in right)
        for column in columns
    ]
    cells = [
        tuple(cell if isinstance(cell, Cell) else Cell(str(cell)) for cell in row) for row in rows
    ]
    return Table(tuple(headings), tuple(cells), detail)
