"""Folders of CSV files: one folder per gesture, one file per time it was made.

`motion_csv` says what a file looks like. A folder `negative` has motion that is no gesture. Files
are taken in the order in which their names count, which is that of time. Names such
as `tinyml capture` gives, `<number>_<performer>.csv`, say who made it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from tinyml.datasets import Dataset, Recording, check
from tinyml.datasets.check import Findings
from tinyml.datasets.magic_wand import NEGATIVE
from tinyml.errors import DataError
from tinyml.media import motion_csv

_PERFORMED = re.compile(r"\d{4,}_(.+)")
_HINT = f"a folder per gesture with CSV files ({','.join(motion_csv.COLUMNS)}), or gesture_*.txt"


def read(folder: Path, needed: tuple[str, ...] = motion_csv.COLUMNS) -> Dataset:
    """Return the recordings under `folder`, which have the columns `needed`, time first.

    Folders without recordings and those whose name starts with `_` or `.` are no gestures. Where
    names of files say who made them, and several made each gesture, they are told apart by
    performer, else by time. Unusable files are left out and listed in `skipped`. Raises DataError
    where a gesture has no usable file, or there are fewer than two, `negative` counted as one.
    """
    findings = Findings()
    tables: dict[Path, tuple[motion_csv.Table, str]] = {}
    labelled = findings.by_label(folder, check.MOTIONS)
    for files in labelled.values():
        for file in files:
            try:
                tables[file] = motion_csv.table_noting(file, needed)
            except DataError as error:
                findings.refuse(error)
    performed: dict[str, list[check.Timed]] = defaultdict(list)
    for file, (table, _) in tables.items():
        performed[_performer(file)].append((table[:, 1:4], _rate_hz(table)))
    findings.require_gravity(folder, performed)
    for name, files in labelled.items():
        readable = [file for file in sorted(files, key=check.in_order) if file in tables]
        findings.require(
            folder / name, (_take(findings, file, name, *tables[file]) for file in readable)
        )
    recordings = findings.recordings()
    labels = {recording.label for recording in recordings}
    if len(labels) < 2 or labels == {NEGATIVE}:
        raise DataError(f"{folder} has {len(labels)} gestures, a model needs at least 2", _HINT)
    return Dataset(
        folder.resolve().name,
        check.OWNERS,
        recordings,
        skipped=tuple(findings.skipped),
        remarks=tuple(findings.remarks),
        background=(NEGATIVE,),
        in_time=not (
            all(_PERFORMED.fullmatch(recording.path.stem) for recording in recordings)
            and check.several_made_each(recordings)
        ),
        by="performer",
    )


def _take(findings: Findings, file: Path, label: str, table: motion_csv.Table, odd: str) -> bool:
    """Take up one file if it is fit to learn from."""
    samples = table[:, 1:]
    problem, remark = check.motion(samples[:, :3], _rate_hz(table), rest=label == NEGATIVE)
    remark = " and ".join(filter(None, (odd, remark)))
    recording = Recording(file, label, _performer(file) or file.parent.parent.name)
    return findings.add(recording, samples, problem, remark)


def _performer(file: Path) -> str:
    """Return who made a motion, where the file's name says so, or ""."""
    performed = _PERFORMED.fullmatch(file.stem)
    return performed[1] if performed else ""


def _rate_hz(table: motion_csv.Table) -> float:
    """Return how often a second the lines of `table`, time in ms first, were sampled."""
    return float(1000 * (len(table) - 1) / (table[-1, 0] - table[0, 0]))
