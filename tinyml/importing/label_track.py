"""Label tracks: which label lies where in a recording, as Audacity and spreadsheets write it.

Audacity exports `start<TAB>end<TAB>label` in seconds, with lines of frequencies (`\\<TAB>...`) in
between (manual.audacityteam.org, "Importing and Exporting Labels"). A CSV file has the columns
start, end and label, in seconds, with or without a first line that names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import DataError
from tinyml.importing import table as table_file

_HINT = "a line per label: start, end (in seconds) and label, as Audacity exports them"


@dataclass(frozen=True)
class Region:
    """A part of a recording: seconds from `start_s` to `end_s`, which show `label`."""

    start_s: float
    end_s: float
    label: str


def read(path: Path) -> tuple[Region, ...]:
    """Return the labels of a track in order; raises DataError, with the line, for anything else."""
    regions = []
    for number, line in enumerate(table_file.text(path).splitlines(), 1):
        if not line.strip() or line.startswith("\\") or line.lstrip().startswith("#"):
            continue
        cells = [cell.strip().strip('"') for cell in _cells(line)]
        if number == 1 and len(cells) >= 3 and table_file.number(cells[0]) is None:
            continue  # names of columns
        start, end = (table_file.number(cell) for cell in (*cells, "", "")[:2])
        label = " ".join(cells[2:]).strip()
        if start is None or end is None or not label or not 0 <= start <= end:
            raise DataError(f"{path}, line {number}: {line[:60]!r} is no label", _HINT)
        regions.append(Region(start, end, label))
    if not regions:
        raise DataError(f"{path} has no labels", _HINT)
    return tuple(sorted(regions, key=lambda region: region.start_s))


def _cells(line: str) -> list[str]:
    for delimiter in ("\t", ";", ","):
        if line.count(delimiter) >= 2:
            return line.split(delimiter, 2)
    return line.split(maxsplit=2)
