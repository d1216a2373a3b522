"""Strokes: what a wand draws in the air, as a picture, in; scores for no stroke and each kind out.

The digits of TensorFlow's magic wand (2021), a file of anybody's own strokes, or recordings of an
accelerometer and a gyroscope, as `tinyml capture stroke` makes them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Dataset, Recording, check, motion_folder, stroke_json, wand_strokes
from tinyml.datasets.magic_wand import NEGATIVE
from tinyml.datasets.stroke_json import Points
from tinyml.datasets.wand import smooth
from tinyml.errors import DataError
from tinyml.features import StrokeFrontEnd, stroke_picture, stroke_points
from tinyml.media import motion_csv
from tinyml.records import FeatureConfig, StreamConfig
from tinyml.tasks import Capturing, Examples, Features, Task, stacked

SIDE = 32
SHAPE = (SIDE, SIDE, 3)
FEATURES = FeatureConfig(
    "stroke",
    {
        "sample_rate_hz": 100,
        "rest_ms": 350,
        "still_mg": 150,
        "still_ddps": 150,
        "least_ddeg": 100,
        "longest_ms": 6000,
        "axis": 1,
    },
)
_TURN, _SLANT, _ASPECT = 20.0, 0.2, 0.2  # degrees, and spreads, of other hands
_LED = 0.25  # share of strokes that begin, and as many end, with a way that is none of theirs


def build_model(labels: int, width: float) -> Any:
    """Return four convolutions as a tf_keras model: float32 [n, 32, 32, 3] -> logits [n, labels].

    `width` multiplies all channel counts. What pads a picture is black, as its ground is.
    """
    from tf_keras import Model, layers

    def convolved(tensor: Any, filters: int, stride: int) -> Any:
        channels = max(8, round(filters * width / 8) * 8)
        tensor = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)(tensor)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.97)(tensor))

    inputs = layers.Input(SHAPE)
    tensor = inputs
    for filters, stride in ((16, 2), (24, 2), (32, 2), (48, 2)):
        tensor = convolved(tensor, filters, stride)
    tensor = layers.Dropout(0.3)(layers.Flatten()(tensor))
    return Model(inputs, layers.Dense(labels)(tensor))


def examples(recordings: Sequence[Recording], labels: Sequence[str]) -> Examples:
    """Return the picture of each recording."""
    rows = [(stroke_picture(_points(recording)), recording.label) for recording in recordings]
    return stacked(rows, labels, SHAPE)


def augmented(recordings: Sequence[Recording], labels: Sequence[str], seed: int) -> Examples:
    """Return each stroke twice as another hand may draw it, parts of strokes, and scribbles."""
    draw = np.random.default_rng([seed, 1])
    rows: list[tuple[Features, str]] = []
    for recording in recordings:
        points = _points(recording)
        rows += [(stroke_picture(varied(points, draw)), recording.label) for _ in range(2)]
        if recording.label != NEGATIVE and draw.random() < 0.15:
            stroke = varied(_part(points, draw), draw)
            rows.append((stroke_picture(stroke), NEGATIVE))
    for _ in range(len(recordings) // 5):
        stroke = wand_strokes.scribble(draw, int(draw.integers(20, 120)))
        rows.append((stroke_picture(varied(stroke, draw)), NEGATIVE))
    return stacked(rows, labels, SHAPE)


def varied(points: Points, draw: np.random.Generator) -> Points:
    """Return `points` by another hand.

    They are turned by up to 20 degrees, slanted, wider or narrower, shaken, in another rhythm, and
    sometimes with a way in or out that belongs to no stroke.
    """
    centred = points - points.mean(axis=0)
    angle = np.radians(draw.uniform(-_TURN, _TURN))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    bend = np.array([[np.exp(draw.normal(0, _ASPECT)), 0], [draw.normal(0, _SLANT), 1]])
    stroke = _in_rhythm(centred @ bend @ turn, draw)
    size = float(np.abs(stroke).max())
    shaken = smooth(draw.normal(0, 1, stroke.shape), int(draw.integers(4, 12)))
    moved: Points = stroke + shaken * (size * draw.uniform(0, 0.25))
    if draw.random() < _LED:
        moved = np.concatenate([_lead(moved, size, draw)[::-1], moved])
    if draw.random() < _LED:
        moved = np.concatenate([moved, _lead(moved[::-1], size, draw)])
    return moved


def _lead(points: Points, size: float, draw: np.random.Generator) -> Points:
    """Return a way from the first of `points` to somewhere near, as a hand comes or goes."""
    away = draw.normal(0, 0.15 * size, 2)
    count = int(draw.integers(2, max(3, len(points) // 6)))
    way: Points = points[0] + np.linspace(0, 1, count + 1)[1:, np.newaxis] * away
    return way


def _in_rhythm(points: Points, draw: np.random.Generator) -> Points:
    """Return `points` at other times, more or fewer of them."""
    count = max(12, round(len(points) * float(np.exp(draw.normal(0, 0.3)))))
    at = np.linspace(0, 1, count)
    at = at + draw.normal(0, 0.05) * np.sin(np.pi * at * int(draw.integers(1, 4)))
    old = np.linspace(0, 1, len(points))
    return np.stack([np.interp(at, old, side) for side in points.T], 1)


def _part(points: Points, draw: np.random.Generator) -> Points:
    """Return the beginning or the end of a stroke, too little of it to be the same."""
    gone = np.cumsum(np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T))
    share = draw.uniform(0.25, 0.5) * gone[-1]
    remaining = points[gone <= share] if draw.random() < 0.5 else points[gone >= gone[-1] - share]
    return remaining if len(remaining) > 1 else points[:2]


def samples(recording: Recording) -> npt.NDArray[np.int16]:
    """Return what a sensor feels during a stroke, int16 [n, 6], at rest at both ends.

    Where only the points of it are known, it is what a simulated wand along them would feel.
    """
    if recording.path.suffix.lower() == ".json":
        return wand_strokes.felt(stroke_json.points(recording), recording.number)
    return StrokeFrontEnd(FEATURES).read(recording.path)


def mask(inputs: Features, seed: int) -> Features:
    """Return copies moved by up to two pixels."""
    draw = np.random.default_rng([seed, 2])
    moved = np.empty_like(inputs)
    for number, (down, across) in enumerate(draw.integers(-2, 3, (len(inputs), 2))):
        moved[number] = np.roll(inputs[number], (down, across), (0, 1))  # the margin is black
    return moved


@functools.lru_cache(maxsize=4096)
def _points(recording: Recording) -> Points:
    if recording.path.suffix.lower() == ".json":
        return stroke_json.points(recording)
    return _felt(recording.path)


def _felt(path: Path) -> Points:
    """Return the first stroke of a recording with six channels; one place where there is none."""
    front_end = StrokeFrontEnd(FEATURES)
    samples = front_end.read(path)
    rest = front_end.pause(front_end.samples_for(1), samples)
    points = stroke_points(np.concatenate([samples, rest]), FEATURES)
    return points if len(points) else np.zeros((1, 2))


def _read(folder: Path) -> Dataset:
    if folder.is_dir() and stroke_json.documents_in(folder):
        return stroke_json.read(folder)
    columns = (*motion_csv.COLUMNS, *motion_csv.ROTATION)
    dataset = motion_folder.read(folder, columns)
    long_enough: list[Recording] = []
    empty: list[Recording] = []
    for recording in dataset.recordings:
        is_stroke = recording.label == NEGATIVE or len(_points(recording)) >= 2
        (long_enough if is_stroke else empty).append(recording)
    skipped = [f"{recording.path} holds no stroke between two rests" for recording in empty]
    if {recording.label for recording in empty} - {recording.label for recording in long_enough}:
        raise DataError(
            f"{folder} has strokes of which no recording is usable: {skipped[0]}",
            "hold the wand still for a second before and after each",
        )
    return replace(dataset, recordings=tuple(long_enough), skipped=(*dataset.skipped, *skipped))


def _synthesize(seed: int, on_progress: Callable[[int, int], None] | None) -> Dataset:
    return wand_strokes.generate(seed=seed, on_progress=on_progress)


def active(samples: npt.NDArray[np.int16], rate_hz: int) -> tuple[int, int] | None:
    """Return from where to where a recording has its first stroke and the rests about it."""
    front_end = StrokeFrontEnd(FEATURES)
    return (0, front_end.samples_for(1)) if len(front_end.push(samples)) else None


def liveliness(samples: npt.NDArray[np.int16]) -> float:
    """Return how fast six interleaved channels turn: 0 at rest to 1 at 150 degrees per second."""
    turns = samples.reshape(-1, 6)[:, 3:].astype(np.int32)
    return min(1.0, float(np.abs(turns).max(initial=0)) / 1500)


CAPTURING = Capturing(
    seconds=5.0,
    place=lambda label, performer: f"{label}/{{number}}_{performer}.csv",
    active=active,
    check=lambda samples, rate_hz, is_still: check.motion(samples[:, :3], rate_hz, rest=is_still),
    level=liveliness,
    full_scale=20000,  # tenths of a degree per second
    nothing="there is no stroke between two rests: hold still for a second before and after it",
    gentler="turn the wand a little slower",
    still=(NEGATIVE,),
)
TASK = Task(
    summary="recognise digits, or other strokes, drawn in the air with a wand",
    features=FEATURES,
    stream=StreamConfig(
        stride_frames=1, average=1, threshold=0.5, refractory_ms=0, background=(0,), repeats=True
    ),
    input_shape=SHAPE,
    input_scale=1 / 256,
    read=_read,
    synthesize=_synthesize,
    additional=wand_strokes.generate,
    examples=examples,
    augmented=augmented,
    mask=mask,
    build_model=build_model,
    samples=samples,
    capturing=CAPTURING,
)
