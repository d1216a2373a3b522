"""What a model is for: one file a task.

Tasks: one file each, which defines the constant `TASK = Task(...)` and the functions it names.

A task says what it hears or sees, its front end, network, augmentation and how a device turns
scores into events. The file's name is the task's name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Dataset, Recording
from tinyml.records import FeatureConfig, StreamConfig
from tinyml.registry import Registry

Features = npt.NDArray[np.int8]
Samples = npt.NDArray[np.int16]
UNLABELLED = -1
_TASKS = Registry(__name__, "task")
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Examples:
    """What a model reads and should answer: int8 [n, *input_shape] and label indices [n].

    A target may be UNLABELLED where training has teachers, who then alone tell what it is.
    `colour`: the same pictures in colour, int8 [n, height, width, 3], for teachers that see it.
    `soft_labels`: what teachers say of each example, probabilities [n, labels]; not of those that
    are `certain`, bool [n], because they were made to show their label.
    """

    inputs: Features
    targets: npt.NDArray[np.int64]
    colour: Features | None = None
    soft_labels: npt.NDArray[np.float32] | None = None
    certain: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Capturing:
    """How `tinyml capture` makes recordings for a task.

    `seconds` is the usual length. `place(label, speaker)` is the name of a recording's file inside
    the folder that `Task.read` reads, with {number} in it. `active(samples, rate_hz)` returns from
    which sample to which the recording counts, None where there is nothing in it: `nothing` says so
    in words. Of labels in `still` nothing has to happen. `check(samples, rate_hz, is_still)`
    returns what makes a recording useless and what is odd about it, or "". `level(samples)` is how
    much there is, 0..1. `full_scale` is the sensor's range; `gentler` how not to leave it.
    `whole`: a recording is what makes one row of the front end, a picture, whatever its `seconds`.
    """

    seconds: float
    place: Callable[[str, str], str]
    active: Callable[[Samples, int], tuple[int, int] | None]
    check: Callable[[Samples, int, bool], tuple[str, str]]
    level: Callable[[Samples], float]
    full_scale: int
    nothing: str
    gentler: str
    still: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Task:
    """One task.

    `read(folder)` and `synthesize(seed, on_progress)` give recordings; the second needs nothing
    and makes a stand-in. `additional(count, seed, on_progress, words)` synthesizes `count`
    recordings of each of `words` to train on besides; it raises ConfigError for words it cannot
    make. `examples(recordings, labels)` are for measuring: clean, each clip once.
    `augmented(recordings, labels, seed)` are for training: another seed gives other examples of the
    same recordings. `mask(inputs, seed)` cheaply varies examples once more. `build_model(labels,
    width)` returns a tf_keras model from real inputs to logits; `input_scale` is one int8 step of
    the front end: real = (int8 + 128) * input_scale. `samples(recording)` is a recording as the
    front end takes it, int16, to be part of a stream. `window(samples)` is the part of a recording
    that is learned from and measured by. `capturing` is None where a device cannot
    record for the task.
    """

    summary: str
    features: FeatureConfig
    stream: StreamConfig
    input_shape: tuple[int, ...]
    input_scale: float
    read: Callable[[Path], Dataset]
    synthesize: Callable[[int, OnProgress | None], Dataset]
    additional: Callable[[int, int, OnProgress | None, Sequence[str]], Dataset]
    examples: Callable[[Sequence[Recording], Sequence[str]], Examples]
    augmented: Callable[[Sequence[Recording], Sequence[str], int], Examples]
    mask: Callable[[Features, int], Features]
    build_model: Callable[[int, float], Any]
    samples: Callable[[Recording], npt.NDArray[np.int16]]
    window: Callable[[Samples], Samples] = lambda samples: samples
    capturing: Capturing | None = None


def stacked(
    rows: Sequence[tuple[Features, str]], labels: Sequence[str], shape: tuple[int, ...]
) -> Examples:
    """Return inputs, int8 of `shape` each in any layout of the same order, with their labels."""
    index = {label: number for number, label in enumerate(labels)}
    inputs = np.array([row for row, _ in rows], np.int8).reshape(-1, *shape)
    return Examples(inputs, np.array([index[label] for _, label in rows], np.int64))


def names() -> tuple[str, ...]:
    """Return the names of all tasks, sorted."""
    return _TASKS.names()


def load(name: str) -> Task:
    """Return the task `name`; raises ConfigError, with the nearest names, for an unknown one."""
    return cast(Task, _TASKS.load(name).TASK)
