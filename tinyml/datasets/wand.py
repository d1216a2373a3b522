"""A simulated wand: gestures that nobody made, for when there are no recordings.

A tip moves smoothly along a path in front of its performer; an accelerometer, held more or less
askew, feels that and gravity, with noise. The axes are those of the recordings of the magic wand:
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
_VERSION = 1  # of what is drawn for a seed: part of the cache's path
_MG = 1000 / 9.81  # of one m/s^2
_UP = np.array([-0.1, -0.95, 0.25])  # what gravity feels like in the usual position

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
    size, speed = np.exp(performer.normal(0, 0.2)), np.exp(performer.normal(0, 0.15))
    shape = {"ring": _ring, "slope": _slope, NEGATIVE: _nothing}[label]
    path = shape(draw, float(size), float(speed))
    rest_samples = [int(draw.uniform(0.8, 1.3) * RATE_HZ) for _ in range(2)]
    path = np.pad(path, ((rest_samples[0], rest_samples[1]), (0, 0)), "edge")
    # The hand is never quite still, and a path has no corners.
    path += smooth(draw.normal(0, 1, path.shape), 12) * 0.0012
    path = smooth(path, 5)
    felt = np.gradient(np.gradient(path, axis=0), axis=0) * RATE_HZ**2 * _MG
    felt = (felt + 1000 * _UP / np.linalg.norm(_UP)) @ turn.T
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


def _ring(draw: np.random.Generator, size: float, speed: float) -> Path3:
    done = _progress(float(draw.uniform(1.0, 1.4)) / speed)
    done = 0.5 * done + 0.5 * np.linspace(0, 1, len(done))
    angle = np.radians(draw.normal(60, 15) - done * draw.normal(350, 15))
    radius = 0.24 * size * np.exp(draw.normal(0, 0.1, 2))
    depth = draw.normal(0, 0.02) * np.sin(angle)
    return np.stack([radius[0] * np.cos(angle), 0.75 * radius[1] * np.sin(angle), depth], 1)


def _slope(draw: np.random.Generator, size: float, speed: float) -> Path3:
    strokes = np.array([[0.22, 0.32, 0.13], [-0.42, -0.12, -0.05]]) * size
    strokes *= np.exp(draw.normal(0, 0.1, (2, 1)))
    parts = [
        _progress(float(draw.uniform(*seconds)) / speed) for seconds in ((0.36, 0.5), (0.4, 0.55))
    ]
    start = int(len(parts[0]) * draw.uniform(0.55, 0.75))  # of the second, before the first ends
    path = np.zeros((start + len(parts[1]), 3))
    path += np.pad(parts[0], (0, len(path)), "edge")[: len(path), np.newaxis] * strokes[0]
    path += np.pad(parts[1], (start, 0))[:, np.newaxis] * strokes[1]
    return path


def _nothing(draw: np.random.Generator, size: float, speed: float) -> Path3:
    """Rest, a move to somewhere else, or fidgeting."""
    length = int(draw.uniform(0.5, 2.0) * RATE_HZ)
    kind = draw.integers(3)
    if kind == 0:
        return np.zeros((length, 3))
    if kind == 1:
        return _progress(length / RATE_HZ)[:, np.newaxis] * draw.normal(0, 0.25, 3)
    fidget = smooth(draw.normal(0, 1, (length, 3)), int(draw.uniform(8, 25)))
    return fidget * np.hanning(length)[:, np.newaxis] * draw.uniform(0.02, 0.15) * size


def _cached(folder: Path, label: str, seed: int, number: int) -> Path:
    path = folder / str(seed) / label / f"{number:04}.csv"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        motion_csv.write(path, simulated(label, seed, number), RATE_HZ)
    return path
