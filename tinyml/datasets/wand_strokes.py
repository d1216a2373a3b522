"""A simulated hand that draws digits with a wand: strokes that nobody made, and how they feel.

A wand turns about its performer's wrist, so that what it points at goes along a digit; a sensor in
it feels its rotation, gravity and the swing of its own place, with noise and drift.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from tinyml import paths
from tinyml.datasets import Dataset, Recording, stroke_json
from tinyml.datasets.magic_wand import NEGATIVE
from tinyml.datasets.stroke_json import Points
from tinyml.datasets.wand import LICENCE, smooth
from tinyml.errors import ConfigError

# Where a stroke goes through, x to the right and y up; a place that is named twice is a corner.
_WAYS: dict[str, list[tuple[float, float]]] = {
    "0": [(0.1, 1), (-0.4, 0.7), (-0.6, 0), (-0.4, -0.7), (0, -1), (0.45, -0.7), (0.6, 0),
          (0.45, 0.7), (0.05, 1)],
    "1": [(0.1, 1), (0, 0), (-0.1, -1)],
    "2": [(-0.6, 0.4), (-0.3, 0.85), (0.1, 1), (0.5, 0.8), (0.5, 0.3), (0, -0.4), (-0.6, -1),
          (-0.6, -1), (0, -1), (0.6, -1)],
    "3": [(-0.5, 0.8), (0, 1), (0.45, 0.75), (0.35, 0.3), (-0.2, 0), (-0.2, 0), (0.4, -0.15),
          (0.55, -0.5), (0.1, -1), (-0.5, -0.8)],
    "4": [(0.6, -0.4), (-0.5, -0.5), (-0.5, -0.5), (-0.2, 0.1), (0.2, 1), (0.2, 1), (0.15, 0),
          (0.1, -1)],
    "5": [(0.6, 0.9), (-0.3, 1), (-0.3, 1), (-0.45, 0.1), (-0.45, 0.1), (0.2, 0.1), (0.5, -0.3),
          (0.2, -0.8), (-0.5, -1)],
    "6": [(0.4, 1), (-0.1, 0.8), (-0.5, 0.1), (-0.5, -0.6), (-0.1, -1), (0.4, -0.8), (0.45, -0.3),
          (0, 0), (-0.45, -0.3)],
    "7": [(-0.5, 0.95), (0.6, 0.9), (0.6, 0.9), (0.1, 0), (-0.5, -1)],
    "8": [(0.3, 0.85), (-0.2, 0.7), (-0.25, 0.2), (0.25, -0.5), (0.1, -1), (-0.4, -0.8),
          (-0.2, -0.2), (0.35, 0.3), (0.35, 0.8), (0, 1)],
    "9": [(0.35, 0.1), (-0.1, -0.1), (-0.45, 0.3), (-0.3, 0.85), (0.15, 1), (0.5, 0.6), (0.4, -0.2),
          (0.1, -0.8), (-0.35, -0.9)],
}  # fmt: skip
DIGITS = tuple(_WAYS)
RATE_HZ = 100
_POINTS_HZ = 25  # of a stroke
_VERSION = 1  # of what is drawn for a seed: part of the cache's path
_ARM_M = 0.35  # from the wrist to the sensor
_MG = 1000 / 9.81  # of one m/s^2

Felt = npt.NDArray[np.int16]


def generate(
    per_label: int = 80,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    digits: Sequence[str] = DIGITS,
) -> Dataset:
    """Draw every digit, and as often a scribble that is none, `per_label` times.

    The n-th strokes of all labels are by the same performer. Equal arguments give equal strokes.
    Files are kept under `paths.cache()`. Raises ConfigError for what is no digit.
    """
    if unknown := sorted(set(digits) - set(DIGITS)):
        raise ConfigError(
            f"there is no simulation of {', '.join(unknown)}, only of the digits",
            "train without --synthetic",
        )
    folder = paths.cache() / "wand_strokes" / str(_VERSION) / f"{seed}_{per_label}"
    labels = (NEGATIVE, *digits)
    recordings: list[Recording] = []
    for at, label in enumerate(labels):
        file = folder / f"{label}.json"
        if not file.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            strokes = [(label, drawn(label, seed, number)) for number in range(per_label)]
            stroke_json.write(file, strokes)
        recordings += [
            Recording(file, label, f"simulated {seed} {number}", number=number)
            for number in range(per_label)
        ]
        if on_progress is not None:
            on_progress(at + 1, len(labels))
    return Dataset("simulated strokes", LICENCE, tuple(recordings), stand_in=True,
                   background=(NEGATIVE,), by="performer")  # fmt: skip


def drawn(label: str, seed: int, number: int) -> Points:
    """Return one stroke, float64 [n, 2], 25 points a second, in units of 90 degrees."""
    performer = np.random.default_rng([seed, number])
    draw = np.random.default_rng([seed, number, *label.encode()])
    speed = float(np.exp(performer.normal(0, 0.2)))
    if label == NEGATIVE:
        way, seconds = scribble(draw, round(_POINTS_HZ * 2.0 / speed)), 2.0
    else:
        corners = np.array(_WAYS[label]) + draw.normal(0, 0.05, (len(_WAYS[label]), 2))
        way = _curve(corners)
        seconds = 0.5 + 0.35 * float(np.hypot(*np.diff(way, axis=0).T).sum())
    slant, aspect = performer.normal(0, 0.12), float(np.exp(performer.normal(0, 0.12)))
    way = way @ np.array([[aspect, 0], [slant, 1]])
    size = 0.22 * float(np.exp(performer.normal(0, 0.2)))
    return _paced(way, max(12, round(seconds / speed * _POINTS_HZ))) * size


def scribble(draw: np.random.Generator, length: int) -> Points:
    """Return motion that is no digit, [length, 2] within 1: a sway, a line, or to and fro."""
    length = max(8, length)
    kind = draw.integers(4)
    if kind == 0:  # somewhere else
        corners = np.array([[0.0, 0.0], draw.normal(0, 0.7, 2)])
        corners = np.insert(corners, 1, corners.mean(0) + draw.normal(0, 0.08, 2), 0)
        path = _curve(corners)
    elif kind == 1:  # to and fro
        to = draw.normal(0, 0.7, 2)
        ends = [to * (at % 2) + draw.normal(0, 0.1, 2) for at in range(int(draw.integers(3, 7)))]
        path = _curve(np.repeat(np.array(ends), 2, axis=0))
    elif kind == 2:  # a corner here and there
        path = _curve(np.cumsum(draw.normal(0, 0.6, (int(draw.integers(3, 9)), 2)), axis=0))
    else:
        path = np.cumsum(smooth(draw.normal(0, 1, (length, 2)), int(draw.integers(2, 8))), axis=0)
    path = path - (path.max(0) + path.min(0)) / 2
    within: Points = _paced(path, length) / max(float(np.abs(path).max()), 1e-6)
    return within


def felt(points: Points, seed: int = 0, points_hz: float = _POINTS_HZ) -> Felt:
    """Return what a sensor feels while its wand points along a stroke, int16 [n, 6].

    `points` are in units of 90 degrees, as in stroke JSON. Milli-g, and tenths of a degree per
    second, RATE_HZ a second; its x axis is along the wand, z up; at rest at both ends.
    """
    draw = np.random.default_rng([seed, 7])
    drift = draw.normal(0, 20, 3)
    count = round(len(points) * RATE_HZ / points_hz)
    at = np.linspace(0, len(points) - 1, count)
    way = (
        np.stack([np.interp(at, np.arange(len(points)), side) for side in points.T], 1) * np.pi / 2
    )
    rest_samples = [int(draw.uniform(1.3, 1.7) * RATE_HZ) for _ in range(2)]
    way = np.pad(way, ((rest_samples[0], rest_samples[1]), (0, 0)), "edge")
    way = way + smooth(draw.normal(0, 1, way.shape), 15) * 0.004  # a hand is never quite still
    way = smooth(way, 4)
    way[:, 1] += draw.normal(0, 0.2)
    pose = _poses(way, float(draw.normal(0, 0.3)))
    turned = np.einsum("nji,njk->nik", pose[:-1], pose[1:])  # from each sample to the next
    rotation = np.stack([turned[:, 2, 1] - turned[:, 1, 2], turned[:, 0, 2] - turned[:, 2, 0],
                         turned[:, 1, 0] - turned[:, 0, 1]], 1) / 2  # fmt: skip
    rotation = np.degrees(np.pad(rotation, ((1, 0), (0, 0)), "edge")) * RATE_HZ * 10
    tip = pose[:, :, 0] * _ARM_M
    swing = np.gradient(np.gradient(tip, axis=0), axis=0) * RATE_HZ**2 * _MG
    swing[:, 2] += 1000
    pull = np.einsum("nji,nj->ni", pose, swing)
    rotation += drift + draw.normal(0, 3, rotation.shape)
    six_axes = np.concatenate([pull + draw.normal(0, 6, pull.shape), rotation], 1)
    samples: Felt = np.clip(np.rint(six_axes), -32768, 32767).astype(np.int16)
    return samples


def _poses(way: Points, roll: float) -> npt.NDArray[np.float64]:
    """Return the matrices [n, 3, 3] whose columns are the sensor's axes in the world, z up."""
    yaw, pitch = -way[:, 0], way[:, 1]
    ahead = np.stack([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), np.sin(pitch)], 1)
    left = np.stack([-np.sin(yaw), np.cos(yaw), np.zeros_like(yaw)], 1)
    above = np.cross(ahead, left)
    rolled = np.cos(roll) * left + np.sin(roll) * above
    return np.stack([ahead, rolled, np.cross(ahead, rolled)], 2)


def _curve(corners: Points) -> Points:
    """Return a smooth way through `corners`, [n, 2] (Catmull and Rom 1974)."""
    padded = np.concatenate([corners[:1], corners, corners[-1:]])
    t = np.linspace(0, 1, 24, endpoint=False)[:, np.newaxis]
    parts = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        bend = (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3
        parts.append(b + 0.5 * ((c - a) * t + bend))
    return np.concatenate([*parts, corners[-1:]])


def _paced(way: Points, count: int) -> Points:
    """Return `count` points along `way`, slower at both ends."""
    done = np.linspace(0, 1, count)
    done = 0.6 * done + 0.4 * (10 * done**3 - 15 * done**4 + 6 * done**5)
    gone = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
    paced: Points = np.stack([np.interp(done * gone[-1], gone, side) for side in way.T], 1)
    return paced
