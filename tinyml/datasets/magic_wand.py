"""Text files of wand gestures, as the capture sketches of TensorFlow's magic wand print them.

One file per label, `gesture_<label>.txt` or `<label>.txt`. A line `-,-,-` begins a recording; each
line after it is one sample `x, y, z` in milli-g, with gravity. The files say no times: RATE_HZ is
that of the magic wand. TensorFlow's own set has a file per label and performer,
`output_<label>_<performer>.txt`, in folders; what it has of no gesture comes as one long recording.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Dataset, Recording, check
from tinyml.datasets.check import Findings, Published
from tinyml.errors import DataError
from tinyml.media import motion_csv

RATE_HZ = 25
NEGATIVE = "negative"  # motion that is no gesture
_PUBLISHED = Published(
    frozenset({
        "926fdf9656b3168e07cf0ca2593f6fba2571837ee6524055a5b5a5e6c0463328",
        "edd57be8c2984da88371a9b5aff69017568d9d6171fceadbc433b946873cb49d",
        "25f37e21c91f0f71919df5f391c267a2171698f4469c6ad99aec95600bc9ccf2",
    }),
    "magic_wand_mbed by hankhjliao, all by one performer; its negatives are nearly all at rest",
    "Apache-2.0, github.com/hankhjliao/magic_wand_mbed",
)  # fmt: skip
_BEGIN = "-,-,-"
_FEWEST = 5  # samples of a recording
_PIECE = 120  # samples of one long recording that are one of ours
_PERFORMED = re.compile(r"output_([^_]+)_(.+)")
_HINT = "a line `-,-,-` before each recording, then lines `x, y, z` in milli-g"

Motion = npt.NDArray[np.float64]


def read(folder: Path) -> Dataset:
    """Return the recordings in the `.txt` files of `folder`, in the order in which they were made.

    Where the files name performers, recordings are told apart by them, else by time.
    Recordings with a line that is not three finite numbers, or with fewer than five samples, are
    left out and listed in `skipped`. Raises DataError where a file cannot be read or has no usable
    recording, or there are fewer than two labels.
    """
    findings = Findings()
    texts = files(folder)
    performers = {file: _PERFORMED.fullmatch(file.stem) for file in by_performer(folder)}
    made: dict[str, list[check.Timed]] = defaultdict(list)
    for file in performers or texts:
        named = performers.get(file)
        usable = [values for values in _recordings(file) if not isinstance(values, str)]
        made[named[2] if named else ""] += [(values, RATE_HZ) for values in usable]
    findings.require_gravity(folder, made)
    for file in performers or texts:
        named = performers.get(file)
        label = check.label(named[1] if named else file.stem.removeprefix("gesture_"), file)
        group = f"{named[1]} {named[2]}" if named and named[1] == NEGATIVE else named and named[2]
        numbered = enumerate(_recordings(file))
        if not sum(
            _take(findings, file, label, group or folder.name, recording) for recording in numbered
        ):
            why = findings.skipped[-1] if findings.skipped else "there is none"
            raise DataError(f"{file} has no usable recording: {why}", _HINT)
    recordings = findings.recordings()
    labels = {recording.label for recording in recordings}
    if len(labels) < 2:
        raise DataError(f"{folder} has {len(labels)} gestures, a model needs at least 2", _HINT)
    return Dataset(
        *_PUBLISHED.origin(folder, performers or texts),
        recordings,
        skipped=tuple(findings.skipped),
        remarks=tuple(findings.remarks),
        background=(NEGATIVE,),
        in_time=not performers,
        by="performer",
    )


def files(folder: Path) -> list[Path]:
    """Return the text files in `folder` that hold recordings of a wand, sorted; others are none."""
    return sorted(
        file
        for file in folder.glob("*.[tT][xX][tT]")
        if file.name[0] != "." and (file.stem.startswith("gesture_") or _begins(file))
    )


def _begins(file: Path) -> bool:
    """Whether a recording begins somewhere in a text file."""
    try:
        return any(line.strip() == _BEGIN for line in file.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return False


def by_performer(folder: Path) -> list[Path]:
    """Return the files of TensorFlow's own set that lie in `folder` or a folder in it."""
    files = [*folder.glob("output_*.txt"), *folder.glob("*/output_*.txt")]
    return sorted(file for file in files if _PERFORMED.fullmatch(file.stem))


def motion(recording: Recording, rate_hz: int) -> motion_csv.Samples:
    """Return a recording of `read` as int16 [n, 3] in milli-g, interpolated to `rate_hz`."""
    values = _recordings(recording.path)[recording.number]
    assert not isinstance(values, str)  # `read` left out what is not usable
    return motion_csv.resampled(np.arange(len(values)) / RATE_HZ, values, rate_hz)


def _take(
    findings: Findings, file: Path, label: str, group: str, numbered: tuple[int, Motion | str]
) -> bool:
    """Take up one recording of a file if it is fit to learn from."""
    number, values = numbered
    if isinstance(values, str):
        findings.skip(values)
        return False
    problem, remark = check.motion(values, RATE_HZ, rest=label == NEGATIVE)
    recording = Recording(file, label, group, number=number)
    return findings.add(recording, values, problem, remark)


@functools.lru_cache(maxsize=16)
def _recordings(file: Path) -> tuple[Motion | str, ...]:
    """Return every recording in a file: float64 [n, 3], or what is wrong with it."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read: {error}", _HINT) from error
    lines = [line.strip() for line in lines]
    if file.stem.startswith(f"output_{NEGATIVE}_"):
        blocks = _pieces(lines)
    elif _BEGIN in lines:
        blocks = _blocks(lines)
    else:
        raise DataError(f"{file} has no line {_BEGIN}", _HINT)
    return tuple(_parsed(file, start, lines_of_it) for start, lines_of_it in blocks)


def _pieces(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield one long recording piece by piece; a short rest at its end is left out."""
    samples = [(number, line) for number, line in enumerate(lines, 1) if line and line != _BEGIN]
    for start in range(0, len(samples) - _PIECE + 1, _PIECE):
        piece = samples[start : start + _PIECE]
        yield piece[0][0], [line for _, line in piece]


def _blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each recording's lines, with the number of its first."""
    begins = [number for number, line in enumerate(lines) if line == _BEGIN]
    for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True):
        yield begin + 2, [line for line in lines[begin + 1 : end] if line.strip()]


def _parsed(file: Path, start: int, lines: list[str]) -> Motion | str:
    if len(lines) < _FEWEST:
        return f"{file}, line {start}: a recording of {len(lines)} samples"
    rows = np.empty((len(lines), 3))
    for number, line in enumerate(lines):
        try:
            rows[number] = [float(value) for value in line.split(",")]
        except ValueError:
            return f"{file}, line {start + number}: {line!r}"
    return rows if np.isfinite(rows).all() else f"{file}, line {start}: not finite"
