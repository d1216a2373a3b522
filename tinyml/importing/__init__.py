"""Recordings as people have them, into what `train` reads.

What is imported is a file of `kinds`; `folder` finds files, labels and names, and writes. Nothing
of the source is changed. Here are the records that they share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tinyml.importing.label_track import Region
from tinyml.registry import Registry

IMPORTERS = Registry(__name__, "importer")


@dataclass(frozen=True)
class Source:
    """A file to import: `label` is what its folder, or the user, says that it shows, or ""."""

    path: Path
    label: str = ""


@dataclass(frozen=True)
class Wish:
    """What a user says of recordings that the recordings do not say themselves.

    `unit`: of acceleration, one of `motion_units.UNITS`, or "" to find it out. `range_g`: what 16
    bits of a raw count span, +-. `rate_hz`: samples a second where there are no times, or 0.
    `columns`: names of a table without a first line that has them. `regions`: what lies where in a
    long recording, of each file. `whole`: long recordings are not cut.
    """

    unit: str = ""
    range_g: float = 0.0
    rate_hz: float = 0.0
    columns: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Imported:
    """A recording to write: `write(path)` does. `done`: what was done to it, in a few words each.

    `label`: what it shows, where the file itself says so, else "". `number`: of the pieces of one
    file, from 1; 0 where it is all of the file.
    """

    source: Source
    write: Callable[[Path], None]
    done: tuple[str, ...] = ()
    label: str = ""
    number: int = 0


@dataclass(frozen=True)
class Refusal:
    """A file, or a part of it, that cannot be used: why, and the option that would help, or ""."""

    source: Source
    why: str
    option: str = field(default="")
