"""Columns and units of motion: which column is which axis, and what makes milli-g and ms of them.

Names decide where they can (`accX`, `ax (m/s^2)`, `time_us`), else the numbers: gravity tells the
unit of acceleration (see `tinyml/media/gravity.py`), plausible rates of sensors that of time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

UNITS = {"mg": 1.0, "g": 1000.0, "m/s2": 1000 / 9.80665}  # milli-g of one
_TIME_MS = {"s": 1000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
_USUAL_HZ = (5.0, 1000.0)  # of motion sensors in gadgets and phones
_DEGREES = 180 / np.pi
_FAST_DPS = 20.0  # hands that move turn faster; in radians a second nobody does

_TIME = re.compile(r"t|time|timestamp|times|millis|micros|elapsed|date|datetime|ts")
_COUNTER = re.compile(r"count|index|idx|sample|n|no|row|id|frame|seq|sequence|")
_AXIS = re.compile(
    r"(?:(?P<kind>acc|accel|acceleration|accelerometer|a|linacc|gyr|gyro|gyroscope|g|rot|rotation"
    r"|mag|magnetometer|m)_?)?(?P<axis>[xyz])(?:_?(?P<after>acc|accel|gyro|gyr|mag))?"
)
_PHONE = {"alpha": 2, "beta": 0, "gamma": 1}  # rotation rates of browsers (W3C DeviceMotion)

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """Which columns are what, as indices: `time`, or None; three of acceleration; of rotation, or
    none; `label`, or None. `units`: of time and acceleration as names say, or "".
    """

    time: int | None
    acceleration: tuple[int, int, int] | None
    rotation: tuple[int, int, int] | None
    label: int | None
    time_unit: str = ""
    unit: str = ""
    rotation_unit: str = ""


def columns(names: Sequence[str]) -> Columns:
    """Return which of the columns called `names` are what, in any case and spelling."""
    time = label = None
    axes: dict[str, dict[str, int]] = {"acc": {}, "gyr": {}, "mag": {}}
    found = {"time": "", "acc": "", "gyr": ""}
    for index, name in enumerate(names):
        word, unit = _parted(name)
        if _TIME.fullmatch(word) and time is None:
            time, found["time"] = index, unit
        elif word in ("label", "labels", "gesture", "class", "activity", "target"):
            label = index
        elif word in _PHONE:
            axes["gyr"]["xyz"[_PHONE[word]]] = index
        elif axis := _AXIS.fullmatch(word):
            kind = _kind(axis["kind"] or axis["after"] or "acc", unit)
            if axis["axis"] not in axes[kind]:
                axes[kind][axis["axis"]] = index
                found[kind] = unit or found.get(kind, "")
    return Columns(
        time, _triple(axes["acc"]), _triple(axes["gyr"]), label,
        _time_unit(found["time"], names[time] if time is not None else ""),
        _acceleration_unit(found["acc"]), _rotation_unit(found["gyr"]),
    )  # fmt: skip


def _triple(axes: Mapping[str, int]) -> tuple[int, int, int] | None:
    return (axes["x"], axes["y"], axes["z"]) if len(axes) == 3 else None


def _kind(word: str, unit: str) -> str:
    if word.startswith("g") or word.startswith("rot") or "dps" in unit or "rad" in unit:
        return "gyr"
    return "mag" if word.startswith("m") else "acc"


def _parted(name: str) -> tuple[str, str]:
    """Return a column's name as one lower-case word, and the unit that it has in it."""
    text = name.strip().lower().replace("²", "2")
    unit = ""
    if match := re.search(r"[\[(]([^\])]*)[\])]", text):
        unit = match[1].replace(" ", "")
        text = text[: match.start()] + text[match.end() :]
    word = re.sub(r"[^a-z0-9]+", "_", text).strip("_")
    if match := re.fullmatch(
        r"(.*?)_(ms|us|ns|s|sec|seconds|mg|g|ms2|m_s2|dps|ddps|rads|rad_s)", word
    ):
        word, unit = match[1], unit or match[2]
    return word, unit


def _time_unit(unit: str, name: str) -> str:
    if name.strip().lower() in ("millis", "micros"):
        return {"millis": "ms", "micros": "us"}[name.strip().lower()]
    return {"sec": "s", "seconds": "s", "\u00b5s": "us"}.get(unit, unit if unit in _TIME_MS else "")


def _acceleration_unit(unit: str) -> str:
    plain = unit.replace("^", "").replace("_", "").replace("/", "").replace("sec", "s")
    return {"mg": "mg", "millig": "mg", "g": "g", "gs": "g", "ms2": "m/s2", "mss": "m/s2"}.get(
        plain, ""
    )


def _rotation_unit(unit: str) -> str:
    plain = unit.replace("_", "").replace("/", "")
    if plain.startswith("rad"):
        return "rad/s"
    return {"ddps": "ddps", "dps": "dps", "degs": "dps", "s": ""}.get(plain, "")


def is_counter(name: str) -> bool:
    """Whether a column of this name counts rows."""
    return _COUNTER.fullmatch(_parted(name)[0]) is not None


def times(cells: Sequence[str], unit: str) -> tuple[Values | None, str]:
    """Return times in ms of cells that are numbers or ISO 8601, and what they were, in words.

    None where they are neither, or count rows, or no unit gives a rate that a sensor has; then the
    words say why.
    """
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError:
        try:
            stamps = [datetime.fromisoformat(cell.replace("Z", "+00:00")) for cell in cells]
            values = np.array([(stamp - stamps[0]).total_seconds() for stamp in stamps])
        except (ValueError, TypeError):
            return None, f"times such as {cells[0]!r} are neither numbers nor ISO 8601"
        return 1000 * values, "time in ISO 8601"
    rises = np.diff(values)
    rises = rises[rises > 0]
    if not len(rises):
        return None, "its times do not rise"
    step = float(np.median(rises))
    if not unit:
        fitting = [name for name, ms in _TIME_MS.items()
                   if _USUAL_HZ[0] <= 1000 / (step * ms) <= _USUAL_HZ[1]]  # fmt: skip
        if step == 1 and (rises == 1).all():
            return None, "its first column counts rows"
        if len(fitting) != 1:
            return None, f"its times, {step:g} apart, may be in {' or '.join(fitting or _TIME_MS)}"
        unit = fitting[0]
    return (values - values[0]) * _TIME_MS[unit], f"time in {unit}"


def rotation_unit(values: Values, unit: str) -> tuple[float, str]:
    """Return what makes tenths of a degree a second of rotation, and the unit, in words."""
    if unit == "ddps":
        return 1.0, "rotation in 0.1 degrees/s"
    fast = float(np.quantile(np.abs(values), 0.95)) if values.size else 0.0
    if unit == "rad/s" or (not unit and 0 < fast < _FAST_DPS):
        return 10 * _DEGREES, "rotation in rad/s"
    return 10.0, "rotation in degrees/s"
