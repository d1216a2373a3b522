"""Gestures: almost four seconds of acceleration in, scores for no gesture and each gesture out.

Ring and slope are the gestures of TensorFlow's magic wand; a folder of recordings of any others
does as well.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Dataset, Recording, check, magic_wand, motion_folder, wand
from tinyml.datasets.magic_wand import NEGATIVE
from tinyml.features import MotionFrontEnd
from tinyml.media import motion_csv
from tinyml.records import FeatureConfig, StreamConfig
from tinyml.tasks import Capturing, Examples, Features, Task, stacked
from tinyml.tasks._motion import (
    RATE_HZ,
    Motion,
    Mover,
    active,
    gravity,
    liveliness,
    moving,
    surrounded,
)

FRAMES, AXES = 64, 3
STRIDE_MS = 60  # the window then holds the slow as well, and eight rows a quick gesture
SHAPE = (FRAMES, AXES, 1)
FEATURES = FeatureConfig(
    "motion",
    {
        "sample_rate_hz": RATE_HZ,
        "stride_ms": STRIDE_MS,
        "gravity_ms": 2000,
        "range_mg": 2000,
        "upright": 1,
        "frames": FRAMES,
    },
)
_ROW = RATE_HZ * STRIDE_MS // 1000  # samples of one row
WINDOW = FRAMES * _ROW  # samples of one input
_LEAD = 50  # samples of rest before it: the front end knows gravity by then
_WHOLE, _FRAGMENT = 0.93, 0.4  # share of a gesture's length that still is it, or no longer


def build_model(labels: int, width: float) -> Any:
    """Return a convolution over time, in four steps, as a tf_keras model.

    float32 [n, 64, 3, 1] -> logits [n, labels]; `width` multiplies all channel counts. Nothing is
    padded before the first layer: rest is 128 steps above the zero that padding is made of.
    """
    from tf_keras import Model, layers

    def convolved(tensor: Any, filters: int, kernel: tuple[int, int], **how: Any) -> Any:
        channels = max(8, round(filters * width / 8) * 8)
        tensor = layers.Conv2D(channels, kernel, use_bias=False, **how)(tensor)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.97)(tensor))

    inputs = layers.Input(SHAPE)
    tensor = convolved(inputs, 16, (5, AXES))
    for filters in (24, 32, 48):
        tensor = convolved(tensor, filters, (5, 1), strides=(2, 1), padding="same")
    tensor = layers.AveragePooling2D(tensor.shape[1:3])(tensor)
    return Model(inputs, layers.Dense(labels)(layers.Flatten()(tensor)))


def examples(recordings: Sequence[Recording], labels: Sequence[str]) -> Examples:
    """Return one example per recording: in the middle of the window, at rest before and after."""
    rows = []
    for recording in recordings:
        motion = _motion(recording)
        start = _LEAD + (WINDOW - len(motion)) // 2
        rest = gravity(motion)
        felt = surrounded(motion, start, _LEAD + WINDOW, (rest, rest))
        rows.append((_features(felt), recording.label))
    return stacked(rows, labels, SHAPE)


def augmented(recordings: Sequence[Recording], labels: Sequence[str], seed: int) -> Examples:
    """Return each recording once as it may be felt, and pieces of gestures and other motion."""
    draw = np.random.default_rng([seed, 1])
    mover = Mover(draw)
    rows = []
    gestures = []
    for recording in recordings:
        motion = mover.varied(_motion(recording))[:WINDOW]
        rows.append((_features(mover.placed(motion, *_whole(draw, len(motion)))), recording.label))
        if recording.label != NEGATIVE:
            gestures.append(motion)
            felt = mover.placed(motion, *_fragment(draw, len(motion)))
            rows.append((_features(felt), NEGATIVE))
    others = len(gestures) // 2
    rows += [(_features(mover.other(_LEAD + WINDOW)), NEGATIVE) for _ in range(others)]
    return stacked(rows, labels, SHAPE)


def mask(inputs: Features, seed: int) -> Features:
    """Return copies moved by up to two rows and shaken by up to a step."""
    draw = np.random.default_rng([seed, 2])
    moved = np.empty_like(inputs)
    for number, shift in enumerate(draw.integers(-2, 3, len(inputs))):
        at = np.clip(np.arange(FRAMES) + shift, 0, FRAMES - 1)
        moved[number] = inputs[number, at]
    shaken = moved.astype(np.int16) + draw.integers(-1, 2, moved.shape, np.int16)
    masked: Features = np.clip(shaken, -128, 127).astype(np.int8)
    return masked


def _whole(draw: np.random.Generator, length: int) -> tuple[int, int]:
    """Start and length of a stream that ends with a window in which a gesture is whole."""
    out = int((1 - _WHOLE) * length)
    least, most = sorted((-out, WINDOW - length + out))
    lead = _LEAD + int(draw.integers(0, 200))
    return lead + int(draw.integers(least, most + 1)), lead + WINDOW


def _fragment(draw: np.random.Generator, length: int) -> tuple[int, int]:
    """Start and length of a stream that ends with a window that has a piece of a gesture only."""
    inside = int(length * draw.uniform(0.1, _FRAGMENT))
    lead = _LEAD + max(length, int(draw.integers(0, 200)))
    start = WINDOW - inside if draw.random() < 0.6 else inside - length
    return lead + start, lead + WINDOW


@functools.lru_cache(maxsize=4096)
def _motion(recording: Recording) -> Motion:
    if recording.path.suffix.lower() == ".csv":
        samples = motion_csv.read(recording.path, RATE_HZ)
    else:
        samples = magic_wand.motion(recording, RATE_HZ)
    return moving(samples.astype(np.float64))


def samples(recording: Recording) -> npt.NDArray[np.int16]:
    """Return a recording as int16 [n, 3] in milli-g, from where it moves."""
    return _to_int16(_motion(recording))


def _to_int16(felt: Motion) -> npt.NDArray[np.int16]:
    return np.clip(np.rint(felt), -32768, 32767).astype(np.int16)


def _features(felt: Motion) -> Features:
    stream = _to_int16(felt)
    # Rows end where the stream ends: what does not fill a row comes first.
    rows: Features = MotionFrontEnd(FEATURES).push(stream[len(stream) % _ROW :])[-FRAMES:]
    return rows


def _read(folder: Path) -> Dataset:
    text = folder.is_dir() and (magic_wand.files(folder) or magic_wand.by_performer(folder))
    return magic_wand.read(folder) if text else motion_folder.read(folder)


def _synthesize(seed: int, on_progress: Callable[[int, int], None] | None) -> Dataset:
    return wand.generate(seed=seed, on_progress=on_progress)


def _place(label: str, performer: str) -> str:
    """Name a recording so that names go up with time."""
    return f"{label}/{{number}}_{performer}.csv"


CAPTURING = Capturing(
    seconds=3.0,
    place=_place,
    active=active,
    check=lambda samples, rate_hz, is_still: check.motion(samples, rate_hz, rest=is_still),
    level=liveliness,
    full_scale=4000,
    nothing="nothing moved",
    gentler="move more softly, or a little slower",
    still=(NEGATIVE,),
)
TASK = Task(
    summary="recognise gestures made with a wand or a hand that holds the board",
    features=FEATURES,
    stream=StreamConfig(
        stride_frames=2, average=3, threshold=0.5, refractory_ms=1000, background=(0,)
    ),
    input_shape=SHAPE,
    input_scale=1 / 64,
    read=_read,
    synthesize=_synthesize,
    additional=wand.generate,
    examples=examples,
    augmented=augmented,
    mask=mask,
    build_model=build_model,
    samples=samples,
    capturing=CAPTURING,
)
