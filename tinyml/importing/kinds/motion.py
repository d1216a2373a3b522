"""Motion from tables, logs and exports: acceleration and, where there is any, rotation.

What comes out is what `tinyml/media/motion_csv.py` reads: milli-g with gravity, ms.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml.errors import DataError
from tinyml.importing import Imported, Refusal, Source, Wish, edge_impulse, motion_units
from tinyml.importing import table as table_file
from tinyml.media import gravity, motion_csv

SUFFIXES = (".csv", ".tsv", ".txt", ".log", ".json", ".cbor")
ENDING = ".csv"
_LEAST = 5  # samples of a recording
_GAP_MS = 500.0  # a pause that is longer, and longer than so many steps, parts recordings; a radio
_GAP_STEPS = 5  # that sends samples in bunches makes shorter ones
_RATES_HZ = (20.0, 200.0)  # of what is written
_UNKNOWN_UNIT = "--unit g, m/s2 or mg, or --range G for raw counts"
_COUNTS = 32768  # of a sensor of 16 bits, for half of its range

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Take:
    """One recording of a file: times in ms [n], acceleration and rotation [n, 3] as they are."""

    source: Source
    time_ms: Values
    acceleration: Values
    rotation: Values | None
    unit: str
    rotation_unit: str
    done: tuple[str, ...]
    label: str = ""
    number: int = 0


def pieces(files: Sequence[Source], wish: Wish) -> Iterator[Imported | Refusal]:
    """Yield every recording of motion in `files`, as CSV, and what cannot be used."""
    takes: dict[Path, list[_Take]] = defaultdict(list)
    for source in files:
        try:
            takes[source.path.parent] += _takes(source, wish)
        except DataError as error:
            yield Refusal(source, error.message.removeprefix(f"{source.path} "), error.hint)
    for folder in takes.values():
        yield from _converted(folder, wish)


def _converted(takes: Sequence[_Take], wish: Wish) -> Iterator[Imported | Refusal]:
    """Yield the recordings of one folder, whose unit is told by all of them together."""
    for unit in sorted({take.unit for take in takes}):
        alike = [take for take in takes if take.unit == unit]
        factor, said = _factor(alike, unit, wish)
        for take in alike:
            if factor is None:
                helps = "" if "gravity was taken out" in said else _UNKNOWN_UNIT
                yield Refusal(take.source, said, helps)
            else:
                yield _piece(take, factor, said)


def _factor(takes: Sequence[_Take], unit: str, wish: Wish) -> tuple[float | None, str]:
    """Return what makes milli-g of acceleration, and how that is known; None where it is not."""
    if wish.range_g:
        return 1000 * wish.range_g / _COUNTS, f"counts of +-{wish.range_g:g} g, as asked"
    if wish.unit:
        return motion_units.UNITS[wish.unit], f"{wish.unit}, as asked"
    measured = gravity.measure((take.acceleration, _rate_hz(take)) for take in takes)
    assert measured is not None
    if unit:
        scaled = replace(
            measured,
            magnitude=measured.magnitude * motion_units.UNITS[unit],
            usual=measured.usual * motion_units.UNITS[unit],
        )
        if not scaled.fits:
            fitting = measured.unit()
            other = f", probably in {fitting[0]}" if fitting else ""
            return (
                None,
                f"its acceleration is in {unit} by its name, but {measured.evidence}{other}",
            )
        return motion_units.UNITS[unit], f"{unit}, by its name"
    if measured.fits:
        return 1.0, f"mg: {measured.evidence}"
    found = measured.unit()
    if found is None:
        return None, f"its acceleration {measured.problem()}"
    name, per_g = found
    return 1000 / per_g, f"{name}: {measured.evidence}"


def _piece(take: _Take, factor: float, said: str) -> Imported:
    seconds = (take.time_ms - take.time_ms[0]) / 1000
    columns = [take.acceleration * factor]
    done = [*take.done, f"acceleration in {said}"]
    if take.rotation is not None:
        turn, words = motion_units.rotation_unit(take.rotation, take.rotation_unit)
        columns.append(take.rotation * turn)
        done.append(words)
    source_hz = _rate_hz(take)
    rate_hz = round(min(max(source_hz, _RATES_HZ[0]), _RATES_HZ[1]))
    if abs(source_hz - rate_hz) > 0.02 * source_hz:
        done.append(f"{source_hz:.0f} samples a second to {rate_hz}")
    samples = motion_csv.resampled(seconds, np.concatenate(columns, axis=1), rate_hz)
    return Imported(
        take.source,
        lambda path: motion_csv.write(path, samples, rate_hz),
        tuple(done),
        take.label,
        take.number,
    )


def _rate_hz(take: _Take) -> float:
    return 1000 * (len(take.time_ms) - 1) / float(take.time_ms[-1] - take.time_ms[0])


def _takes(source: Source, wish: Wish) -> list[_Take]:
    """Return the recordings in one file; raises DataError for a file that has none."""
    if source.path.suffix.lower() in (".json", ".cbor"):
        return [_acquired(source)]
    table = table_file.read(source.path)
    names = wish.columns or table.names
    if not names:
        raise DataError("its columns have no names", "--columns time,x,y,z")
    if len(names) != len(table.rows[0]):
        raise DataError(
            f"it has {len(table.rows[0])} columns, {len(names)} are named", "--columns time,x,y,z"
        )
    columns = motion_units.columns(names)
    if columns.acceleration is None:
        raise DataError(
            f"which columns are acceleration is not known (there are {', '.join(names)})",
            "--columns time,x,y,z",
        )
    takes = [
        unbroken
        for rows, label in _parts(table, columns, wish)
        if (take := _take(source, table, rows, columns, wish, label))
        for unbroken in _unbroken(take)
    ]
    if not takes:
        raise DataError(f"it has no recording of {_LEAST} rows or more")
    if len(takes) == 1:
        return takes
    return [replace(take, number=number) for number, take in enumerate(takes, 1)]


def _unbroken(take: _Take) -> Iterator[_Take]:
    """Yield `take` in parts between which nothing was recorded: nobody knows how it moved there."""
    steps = np.diff(take.time_ms)
    gaps = np.flatnonzero(steps > max(_GAP_MS, _GAP_STEPS * float(np.median(steps)))) + 1
    for begin, end in itertools.pairwise([0, *gaps.tolist(), len(take.time_ms)]):
        if end - begin >= _LEAST:
            rotation = None if take.rotation is None else take.rotation[begin:end]
            done = (*take.done, "parted where nothing was recorded") if len(gaps) else take.done
            yield replace(
                take,
                time_ms=take.time_ms[begin:end],
                acceleration=take.acceleration[begin:end],
                rotation=rotation,
                done=done,
            )


def _parts(
    table: table_file.TableFile, columns: motion_units.Columns, wish: Wish
) -> list[tuple[range, str]]:
    """Return the rows of each recording in a table, and its label or ""."""
    starts = {0, *table.breaks}
    if columns.label is not None:
        labels = [row[columns.label] for row in table.rows]
        starts |= {at for at in range(1, len(labels)) if labels[at] != labels[at - 1]}
    if columns.time is not None:
        numbers = [table_file.number(row[columns.time]) for row in table.rows]
        starts |= {
            at
            for at in range(1, len(numbers))
            if (now := numbers[at]) is not None
            and (before := numbers[at - 1]) is not None
            and now < before
        }
    edges = [*sorted(starts), len(table.rows)]
    parts = [
        (range(a, b), table.rows[a][columns.label] if columns.label is not None else "")
        for a, b in itertools.pairwise(edges)
    ]
    return [(rows, label) for rows, label in parts if len(rows) >= _LEAST]


def _take(
    source: Source,
    table: table_file.TableFile,
    rows: range,
    columns: motion_units.Columns,
    wish: Wish,
    label: str,
) -> _Take | None:
    """Return rows of a table as a recording, with the times that they have or `wish` gives."""
    acceleration = _numbers(table, rows, columns.acceleration)
    rotation = _numbers(table, rows, columns.rotation) if columns.rotation else None
    time_ms, said = None, "it has no times"
    if columns.time is not None:
        cells = [table.rows[row][columns.time] for row in rows]
        time_ms, said = motion_units.times(cells, columns.time_unit)
    if wish.rate_hz:
        time_ms, said = np.arange(len(rows)) * 1000 / wish.rate_hz, f"{wish.rate_hz:g} Hz, as asked"
    if time_ms is None:
        raise DataError(said, "--rate HZ, the samples a second")
    usable = np.isfinite(acceleration).all(axis=1) & np.isfinite(time_ms)
    usable &= np.concatenate(([True], np.diff(time_ms) > 0))
    done = [*table.notes, said]
    if left_out := int((~usable).sum()):
        done.append(f"{left_out} rows without numbers or with a time that does not rise left out")
    if usable.sum() < _LEAST:
        return None
    return _Take(
        source, time_ms[usable], acceleration[usable],
        None if rotation is None else np.nan_to_num(rotation[usable]),
        columns.unit, columns.rotation_unit, tuple(done), label,
    )  # fmt: skip


def _numbers(
    table: table_file.TableFile, rows: range, indices: tuple[int, int, int] | None
) -> Values:
    assert indices is not None
    return np.array(
        [
            [value if (value := table_file.number(table.rows[row][i])) is not None else np.nan
             for i in indices]
            for row in rows
        ]
    ).reshape(-1, 3)  # fmt: skip


def _acquired(source: Source) -> _Take:
    """Return the recording in an export of Edge Impulse; raises DataError for other documents."""
    acquired = edge_impulse.read(source.path)
    if acquired is None:
        raise DataError("it is no acquisition of Edge Impulse")
    columns = motion_units.columns(
        [f"{name} ({unit})" for name, unit in zip(acquired.names, acquired.units, strict=True)]
    )
    if columns.acceleration is None:
        raise DataError(f"its sensors are {', '.join(acquired.names)}, no acceleration")
    values = acquired.values
    label = edge_impulse.labels(source.path.parent).get(source.path.name, "")
    return _Take(
        source,
        np.arange(len(values), dtype=np.float64) * acquired.interval_ms,
        values[:, columns.acceleration],
        values[:, columns.rotation] if columns.rotation else None,
        columns.unit, columns.rotation_unit,
        (f"Edge Impulse, {1000 / acquired.interval_ms:g} Hz",),
        label or (source.path.name.split(".")[0] if source.path.name.count(".") > 1 else ""),
    )  # fmt: skip
