"""Folders of CSV files: one folder per gesture, one file per time it was made.

`motion_csv` says what a file looks like. A folder `negative` has motion that is no gesture. Files
are taken in the order of their names, which is that of time where names count upwards.
"""

from __future__ import annotations

from pathlib import Path

from tinyml import motion_csv
from tinyml.datasets import Dataset, Recording, check
from tinyml.datasets.check import Findings
from tinyml.datasets.magic_wand import NEGATIVE
from tinyml.errors import DataError

_HINT = f"a folder per gesture with CSV files ({','.join(motion_csv.COLUMNS)}), or gesture_*.txt"


def read(folder: Path, needed: tuple[str, ...] = motion_csv.COLUMNS) -> Dataset:
    """Return the recordings under `folder`, which have the columns `needed`, time first.

    Folders without CSV files and those whose name starts with `_` or `.` are no gestures. Unusable
    files are left out and listed in `skipped`. Raises DataError where a gesture has no usable file,
    or there are fewer than two gestures, `negative` counted as one.
    """
    found = Findings()
    try:
        names = sorted(one.name for one in folder.iterdir() if one.is_dir())
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}", _HINT) from error
    for name in names:
        files = sorted((folder / name).glob("*.csv"))
        if name[0] in "_." or not files:
            continue
        if not sum(_take(found, file, name, needed) for file in files):
            raise DataError(f"{folder / name} has no usable recording: {found.skipped[-1]}", _HINT)
    recordings = found.recordings()
    labels = {one.label for one in recordings}
    if len(labels) < 2 or labels == {NEGATIVE}:
        raise DataError(f"{folder} has {len(labels)} gestures, a model needs at least 2", _HINT)
    return Dataset(
        folder.resolve().name,
        check.OWNERS,
        recordings,
        skipped=tuple(found.skipped),
        remarks=tuple(found.remarks),
        background=(NEGATIVE,),
        in_time=True,
        by="performer",
    )


def _take(found: Findings, file: Path, label: str, needed: tuple[str, ...]) -> bool:
    """Take up one file if it is fit to learn from."""
    try:
        table = motion_csv.table(file, needed)
    except DataError as error:
        found.skip(error.message)
        return False
    time_ms, samples = table[:, 0], table[:, 1:]
    rate_hz = 1000 * (len(time_ms) - 1) / (time_ms[-1] - time_ms[0])
    problem, remark = check.motion(samples[:, :3], rate_hz, rest=label == NEGATIVE)
    recording = Recording(file, label, file.parent.parent.name)
    return found.add(recording, samples, problem, remark)
