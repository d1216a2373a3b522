"""CSV files of timed motion sensor samples in and out; unusable ones are refused with the line.

The first line names the columns. `time_ms`, `x_mg`, `y_mg` and `z_mg` are needed, in any order:
milliseconds, which rise from line to line but need not be even, and milli-g with gravity. Where
rotation is asked for as well, so are `x_ddps`, `y_ddps` and `z_ddps`, in tenths of a degree per
second. Other columns are ignored.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml import files
from tinyml.errors import DataError

COLUMNS = ("time_ms", "x_mg", "y_mg", "z_mg")
ROTATION = ("x_ddps", "y_ddps", "z_ddps")
_MAX_GAP_MS = 1000.0  # between two samples of one recording
_MOST_AGAIN = 0.05  # share of lines with the time of the one before that are a slip of the clock

Samples = npt.NDArray[np.int16]
Table = npt.NDArray[np.float64]


def read(path: Path, rate_hz: int, needed: tuple[str, ...] = COLUMNS) -> Samples:
    """Return the motion in `path` as int16 [n, 3], n > 0: milli-g at an even `rate_hz`.

    Other `needed` columns, time first, give other channels. Samples are interpolated linearly at
    multiples of the period after the first one; what lies beyond +-32767 is cut off. Raises
    DataError, naming the path and what is wrong, for a file
    that is not as described above, or stands still in time, or has fewer than two samples.
    """
    columns = table(path, needed)
    return resampled((columns[:, 0] - columns[0, 0]) / 1000, columns[:, 1:], rate_hz)


def table(path: Path, needed: tuple[str, ...] = COLUMNS) -> Table:
    """Return the `needed` columns of `path` as they are: float64 [n, 4], n > 1, of rising times.

    Raises DataError as `read` does.
    """
    return table_noting(path, needed)[0]


def table_noting(path: Path, needed: tuple[str, ...] = COLUMNS) -> tuple[Table, str]:
    """As `table`, with a predicate that says which lines were left out, or "".

    A last line that was cut off while it was written, and few lines with the time of the one before
    (at most 1 in 20), are.
    """
    columns, numbers, odd = _columns(path, needed)
    again = np.flatnonzero(np.diff(columns[:, 0]) == 0) + 1
    if 0 < len(again) <= _MOST_AGAIN * len(columns):
        lines = ", ".join(str(numbers[row]) for row in again[:3])
        several = "s" if len(again) > 1 else ""
        more = " ..." if len(again) > 3 else ""
        odd.append(f"has the time of the line before in line{several} {lines}{more}, left out")
        columns = np.delete(columns, again, axis=0)
        numbers = [number for row, number in enumerate(numbers) if row not in set(again.tolist())]
    gaps = np.diff(columns[:, 0])
    wrong = np.flatnonzero((gaps <= 0) | (gaps > _MAX_GAP_MS))
    if len(wrong):
        hint = f"time_ms rises by at most {_MAX_GAP_MS:g} from line to line; cut the file there"
        if np.median(gaps) > _MAX_GAP_MS:
            hint = "time_ms is probably in microseconds: divide it by 1000"
        raise DataError(
            f"{path}, line {numbers[wrong[0] + 1]}: {gaps[wrong[0]]:g} ms after the line before",
            hint,
        )
    return columns, " and ".join(odd)


def write(path: Path, samples: Samples, rate_hz: int) -> None:
    """Write int16 samples [n, 3], or [n, 6] with rotation, `rate_hz` a second, whole or not at all.

    Raises DataError where the file cannot be written.
    """
    names = (*COLUMNS, *ROTATION)[: 1 + samples.shape[1]]
    lines = [",".join(names)]
    for number, values in enumerate(samples.tolist()):
        time_ms = f"{number * 1000 / rate_hz:.3f}".rstrip("0").rstrip(".")
        lines.append(",".join([time_ms, *map(str, values)]))
    with files.saving(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="ascii")


def resampled(
    time_s: npt.NDArray[np.float64], values: npt.NDArray[np.float64], rate_hz: int
) -> Samples:
    """Return `values` [n, channels] of rising times, which begin at 0, at an even rate as int16."""
    # A thousandth of a sample: times may be rounded.
    grid = np.arange(int(time_s[-1] * rate_hz + 1e-3) + 1) / rate_hz
    axes = [np.interp(grid, time_s, axis) for axis in values.T]
    samples: Samples = np.clip(np.rint(np.stack(axes, 1)), -32768, 32767).astype(np.int16)
    return samples


def _columns(path: Path, needed: tuple[str, ...]) -> tuple[Table, Sequence[int], list[str]]:
    """Return the `needed` columns as float64 [n, columns], n > 1, all finite, and their lines.

    Blank lines count, as they do in an editor. The third says whether the last line was left out.
    """
    hint = f"the first line must be {','.join(needed)}, then one line of numbers per sample"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file)
            rows = [(table.line_num, row) for row in table if "".join(row).strip() or len(row) > 1]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no CSV file: {error}", hint) from error
    lines = [row for _, row in rows]
    names = [name.strip() for name in lines[0]] if lines else []
    missing = [name for name in needed if name not in names]
    if missing:
        begins = f": it begins with {','.join(names)[:60]!r}" if names else ""
        raise DataError(f"{path} has no column {', '.join(missing)}{begins}", hint)
    odd = []
    if len(lines) > 3 and _is_cut(lines[-1], lines[0]):
        odd.append(f"is cut in its last line {rows[-1][0]}, left out")
        del lines[-1], rows[-1]
    if len(lines) < 3:
        raise DataError(f"{path} holds {len(lines) - 1} samples, a motion has more", hint)
    positions = [names.index(name) for name in needed]
    values = np.empty((len(lines) - 1, len(needed)))
    numbers = [number for number, _ in rows[1:]]
    for at, row in enumerate(lines[1:]):
        try:
            values[at] = [float(row[column] or "nan") for column in positions]
        except (ValueError, IndexError) as error:
            raise DataError(f"{path}, line {numbers[at]}: {','.join(row)!r}", hint) from error
    finite = np.isfinite(values)
    empty = [name for number, name in enumerate(needed) if not finite[:, number].any()]
    if empty:
        raise DataError(f"{path} has no number in column {', '.join(empty)}", hint)
    if not finite.all():
        at = int(np.flatnonzero(~finite.all(axis=1))[0])
        row = lines[at + 1]
        raise DataError(f"{path}, line {numbers[at]} is not finite: {','.join(row)!r}", hint)
    return values, numbers, odd


def _is_cut(last: Sequence[str], first: Sequence[str]) -> bool:
    """Whether the `last` line ends before its last column, or in the middle of its sign."""
    return len(last) < len(first) or last[len(first) - 1].strip() in ("", "-", "+")
