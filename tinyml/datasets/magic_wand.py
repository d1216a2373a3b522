"""Text files of wand gestures, as the capture sketches of TensorFlow's magic wand print them.

One file per label, `gesture_<label>.txt` or `<label>.txt`. A line `-,-,-` begins a recording; each
line after it is one sample `x, y, z` in milli-g, with gravity. The files say no times: RATE_HZ is
that of the magic wand.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml import motion_csv
from tinyml.datasets import Dataset, Recording, check
from tinyml.datasets.check import Findings
from tinyml.errors import DataError

RATE_HZ = 25
NEGATIVE = "negative"  # motion that is no gesture
LICENCE = "as the owner of the recordings states"
# The files of a public set, by SHA-256, and what is known about it.
_PUBLIC = {
    "926fdf9656b3168e07cf0ca2593f6fba2571837ee6524055a5b5a5e6c0463328",
    "edd57be8c2984da88371a9b5aff69017568d9d6171fceadbc433b946873cb49d",
    "25f37e21c91f0f71919df5f391c267a2171698f4469c6ad99aec95600bc9ccf2",
}
_PUBLIC_SOURCE = (
    "magic_wand_mbed by hankhjliao, all by one performer; its negatives are nearly all at rest"
)
_PUBLIC_LICENCE = "Apache-2.0, github.com/hankhjliao/magic_wand_mbed"
_BEGIN = "-,-,-"
_FEWEST = 5  # samples of a recording
_HINT = "a line `-,-,-` before each recording, then lines `x, y, z` in milli-g"

Motion = npt.NDArray[np.float64]


def read(folder: Path) -> Dataset:
    """Return the recordings in the `.txt` files of `folder`, in the order in which they were made.

    Recordings with a line that is not three finite numbers, or with fewer than five samples, are
    left out and listed in `skipped`. Raises DataError where a file cannot be read or has no usable
    recording, or there are fewer than two labels.
    """
    found = Findings()
    files = sorted(folder.glob("*.txt"))
    for file in files:
        label = file.stem.removeprefix("gesture_")
        if not sum(_take(found, file, label, one) for one in enumerate(_recordings(file))):
            raise DataError(f"{file} has no usable recording", _HINT)
    if len(files) < 2:
        raise DataError(f"{folder} has {len(files)} gestures, a model needs at least 2", _HINT)
    is_public = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files} <= _PUBLIC
    return Dataset(
        _PUBLIC_SOURCE if is_public else folder.resolve().name,
        _PUBLIC_LICENCE if is_public else LICENCE,
        found.recordings(),
        skipped=tuple(found.skipped),
        remarks=tuple(found.remarks),
        background=(NEGATIVE,),
        in_time=True,
    )


def motion(recording: Recording, rate_hz: int) -> motion_csv.Samples:
    """Return a recording of `read` as int16 [n, 3] in milli-g, interpolated to `rate_hz`."""
    values = _recordings(recording.path)[recording.number]
    assert not isinstance(values, str)  # `read` left out what is not usable
    return motion_csv.resampled(np.arange(len(values)) / RATE_HZ, values, rate_hz)


def _take(found: Findings, file: Path, label: str, one: tuple[int, Motion | str]) -> bool:
    """Take up one recording of a file if it is fit to learn from."""
    number, values = one
    if isinstance(values, str):
        found.skip(values)
        return False
    problem, remark = check.motion(values, RATE_HZ, rest=label == NEGATIVE)
    recording = Recording(file, label, file.parent.name, number=number)
    return found.add(recording, values, problem, remark)


@functools.lru_cache(maxsize=16)
def _recordings(file: Path) -> tuple[Motion | str, ...]:
    """Return every recording in a file: float64 [n, 3], or what is wrong with it."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read: {error}", _HINT) from error
    if _BEGIN not in lines:
        raise DataError(f"{file} has no line {_BEGIN}", _HINT)
    return tuple(_parsed(file, start, some) for start, some in _blocks(lines))


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
