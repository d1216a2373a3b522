"""Folders of CSV files: one folder per gesture, one file per time it was made.

`motion_csv` says what a file looks like. A folder `negative` has motion that is no gesture. Files
are taken in the order of their names, which is that of time where names count upwards.
"""

from __future__ import annotations

from pathlib import Path

from tinyml import motion_csv
from tinyml.datasets import Dataset, Recording
from tinyml.datasets.magic_wand import LICENCE, NEGATIVE
from tinyml.errors import DataError

_HINT = f"a folder per gesture with CSV files ({','.join(motion_csv.COLUMNS)}), or gesture_*.txt"
_RATE_HZ = 100  # any: files are only tried


def read(folder: Path) -> Dataset:
    """Return the recordings under `folder`; every file is opened once.

    Folders without CSV files and those whose name starts with `_` or `.` are no gestures. Unusable
    files are left out and listed in `skipped`. Raises DataError where a gesture has no usable file,
    or there are fewer than two gestures, `negative` counted as one.
    """
    found: list[Recording] = []
    skipped: list[str] = []
    try:
        names = sorted(one.name for one in folder.iterdir() if one.is_dir())
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}", _HINT) from error
    for name in names:
        files = sorted((folder / name).glob("*.csv"))
        if name[0] in "_." or not files:
            continue
        usable = [file for file in files if _usable(file, skipped)]
        if not usable:
            raise DataError(f"{folder / name} has no usable recording: {skipped[-1]}", _HINT)
        found += [Recording(file, name, folder.name) for file in usable]
    labels = {one.label for one in found}
    if len(labels) < 2 or labels == {NEGATIVE}:
        raise DataError(f"{folder} has {len(labels)} gestures, a model needs at least 2", _HINT)
    return Dataset(
        folder.resolve().name,
        LICENCE,
        tuple(found),
        skipped=tuple(skipped),
        background=(NEGATIVE,),
        in_time=True,
    )


def _usable(file: Path, skipped: list[str]) -> bool:
    try:
        motion_csv.read(file, _RATE_HZ)
    except DataError as error:
        skipped.append(error.message)
        return False
    return True
