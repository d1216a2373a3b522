"""A simulated wand: gestures that nobody made, for when there are no recordings.

A tip moves smoothly along a path in front of its performer, by the arm, from the wrist or anything
between: then the wand turns as it moves. An accelerometer, held more or less askew, feels that and
gravity, with noise. The axes are those of the recordings of the magic wand:
x to the side, y down, z along the wand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml import paths
from tinyml.datasets import Dataset, Recording
from tinyml.datasets.magic_wand import NEGATIVE
from tinyml.errors import ConfigError
from tinyml.media import motion_csv

GESTURES = ("ring", "slope")
LICENCE = "simulated by tinyml"
RATE_HZ = 100
_VERSION = 2  # of what is drawn for a seed: part of the cache's path
_MG = 1000 / 9.81  # of one m/s^2
_SPEEDS = 0.45, 1.4  # of performers
_UP = np.array([-0.1, -0.95, 0.25])  # what gravity feels like in the usual position
_MOST_PIVOT = 4.0  # radians per metre: a wand that turns about a wrist 0.25 m behind its tip

Path3 = npt.NDArray[np.float64]


def generate(
    per_label: int = 80,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    gestures: Sequence[str] = GESTURES,
) -> Dataset:
    """Make every gesture, and as often no gesture at all, `per_label` times.

    The n-th recordings of all labels are by the same performer, with sizes, speeds and a way to
    hold the wand of its own. Equal arguments give equal recordings. Files are kept under
    `paths.cache()` and made once. Raises ConfigError for a gesture that is not simulated.
    """
    unknown = sorted(set(gestures) - set(GESTURES))
    if unknown:
        raise ConfigError(
            f"there is no simulation of {', '.join(unknown)}, only of {', '.join(GESTURES)}",
            "train without --synthetic",
        )
    folder = paths.cache() / "wand" / str(_VERSION)
    labels = (NEGATIVE, *gestures)
    recordings = []
    for number in range(per_label):
        for at, label in enumerate(labels):
            file = _cached(folder, label, seed, number)
            recordings.append(Recording(file, label, f"simulated {seed} {number}"))
            if on_progress is not None:
                on_progress(number * len(labels) + at + 1, per_label * len(labels))
    return Dataset(
        "simulated wand",
        LICENCE,
        tuple(recordings),
        stand_in=True,
        background=(NEGATIVE,),
        by="performer",
    )


def simulated(label: str, seed: int, number: int) -> motion_csv.Samples:
    """Return one recording, int16 [n, 3] in milli-g, RATE_HZ a second, at rest at both ends."""
    performer = np.random.default_rng([seed, number])
    draw = np.random.default_rng([seed, number, *label.encode()])
    turn = rotation(performer.normal(0, 12, 3) + draw.normal(0, 5, 3))
    size, speed = np.exp(performer.normal(0, 0.3)), np.exp(performer.uniform(*np.log(_SPEEDS)))
    shape = {"ring": _ring, "slope": _slope, NEGATIVE: _nothing}[label]
    path = shape(draw, float(size), float(speed))
    rest_samples = [int(draw.uniform(0.8, 1.3) * RATE_HZ) for _ in range(2)]
    path = np.pad(path, ((rest_samples[0], rest_samples[1]), (0, 0)), "edge")
    # The hand is never quite still, and a path has no corners.
    path += smooth(draw.normal(0, 1, path.shape), 12) * 0.0012
    path = smooth(path, 5)
    felt = np.gradient(np.gradient(path, axis=0), axis=0) * RATE_HZ**2 * _MG
    felt = felt + 1000 * _UP / np.linalg.norm(_UP)
    felt = _pivoted(felt, path * performer.uniform(0, _MOST_PIVOT)) @ turn.T
    felt += draw.normal(0, 8, felt.shape)
    samples: motion_csv.Samples = np.clip(np.rint(felt), -32768, 32767).astype(np.int16)
    return samples


def rotation(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the matrix [3, 3] of a turn by three angles in degrees, about x, y and z."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def smooth(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """Return `values` [n, 3] averaged over time with a bell about 2 * `width` samples wide."""
    bell = np.hanning(2 * width + 1)
    padded = np.pad(values, ((width, width), (0, 0)), "edge")
    return np.stack(
        [np.convolve(axis_values, bell / bell.sum(), "valid") for axis_values in padded.T], 1
    )


def _progress(seconds: float) -> npt.NDArray[np.float64]:
    """From 0 to 1 with the least jerk, as hands move (Flash and Hogan 1985)."""
    t = np.linspace(0, 1, max(8, int(seconds * RATE_HZ)))
    return 10 * t**3 - 15 * t**4 + 6 * t**5


def _even_progress(seconds: float, ramp: float) -> npt.NDArray[np.float64]:
    """From 0 to 1 at an even speed, reached and left within a share `ramp` of the time."""
    t = np.linspace(0, 1, max(8, int(seconds * RATE_HZ)))
    rise = np.clip(np.minimum(t, 1 - t) / ramp, 0, 1)
    gone = np.cumsum(3 * rise**2 - 2 * rise**3)
    return np.asarray(gone / gone[-1])


def _pivoted(felt: Path3, angles: Path3) -> Path3:
    """Return what a sensor feels that turns by `angles` [n, 3], radians, as it moves.

    A wand that points to the side is turned about y, one that points down about x.
    """
    yaw, pitch = angles[:, 0], angles[:, 1]
    x, y, z = felt.T
    x, z = np.cos(yaw) * x - np.sin(yaw) * z, np.sin(yaw) * x + np.cos(yaw) * z
    y, z = np.cos(pitch) * y - np.sin(pitch) * z, np.sin(pitch) * y + np.cos(pitch) * z
    return np.stack([x, y, z], 1)


def _ring(draw: np.random.Generator, size: float, speed: float) -> Path3:
    done = _even_progress(float(draw.uniform(1.0, 1.6)) / speed, float(draw.uniform(0.15, 0.45)))
    angle = np.radians(draw.normal(70, 25) - done * draw.normal(355, 25))
    radius = 0.22 * size * np.exp(draw.normal(0, 0.12, 2))
    depth = draw.normal(0, 0.03) * np.sin(angle)
    return np.stack([radius[0] * np.cos(angle), 0.85 * radius[1] * np.sin(angle), depth], 1)


def _slope(draw: np.random.Generator, size: float, speed: float) -> Path3:
    strokes = np.array([[0.26, 0.32, 0.08], [-0.42, -0.04, -0.03]]) * size
    strokes += draw.normal(0, 0.05 * size, (2, 3))
    strokes *= np.exp(draw.normal(0, 0.12, (2, 1)))
    return _strokes(draw, strokes, speed)


def _strokes(draw: np.random.Generator, strokes: Path3, speed: float) -> Path3:
    """Return the path of straight `strokes` [n, 3], each begun about when the last one ends."""
    parts = [_progress(float(draw.uniform(0.34, 0.6)) / speed) for _ in strokes]
    overlap = draw.uniform(0.55, 1.15)
    starts = np.cumsum([0, *(round(len(part) * overlap) for part in parts[:-1])])
    length = max(start + len(part) for start, part in zip(starts, parts, strict=True))
    path = np.zeros((length, 3))
    for start, part, stroke in zip(starts, parts, strokes, strict=True):
        done = np.pad(
            part, (start, length - start - len(part)), "edge" if start == 0 else "constant"
        )
        done[start + len(part) :] = 1
        path += done[:, np.newaxis] * stroke
    return path


def _nothing(draw: np.random.Generator, size: float, speed: float) -> Path3:
    """Rest, a move to somewhere else, fidgeting, or a figure of three strokes and more."""
    length = int(draw.uniform(0.5, 2.0) * RATE_HZ)
    kind = draw.random()
    if kind < 0.15:
        return np.zeros((length, 3))
    if kind < 0.35:
        return _progress(length / RATE_HZ)[:, np.newaxis] * draw.normal(0, 0.25, 3)
    if kind < 0.5:
        fidget = smooth(draw.normal(0, 1, (length, 3)), int(draw.uniform(8, 25)))
        return fidget * np.hanning(length)[:, np.newaxis] * draw.uniform(0.02, 0.15) * size
    strokes = draw.normal(0, 0.04, (int(draw.integers(3, 6)), 3))
    if kind < 0.8:  # to and fro on the way to the side, as in W, M, N and Z
        across, along = draw.uniform(0.05, 0.2), draw.uniform(0.2, 0.4)
        to_and_fro = np.where(np.arange(len(strokes)) % 2, -along, along)
        upright = draw.random() < 0.8
        strokes[:, 1 if upright else 0] += to_and_fro * draw.choice([-1, 1])
        strokes[:, 0 if upright else 1] += across
    else:
        strokes[:, :2] += draw.normal(0, 0.25, (len(strokes), 2))
    return _strokes(draw, strokes * size, speed)


def _cached(folder: Path, label: str, seed: int, number: int) -> Path:
    path = folder / str(seed) / label / f"{number:04}.csv"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        motion_csv.write(path, simulated(label, seed, number), RATE_HZ)
    return path
