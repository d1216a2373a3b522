"""From samples to what a model sees: front ends, written once in C.

Front ends: from sensor samples to what a model reads, and from its scores to events.

Written once, in C: a front end is `<name>.c` and `<name>.h` (with `<name>_*.c` where one file is
too long), copied into every firmware that uses it and compiled into the extension `_native`, which
the Python modules here only wrap. So training and device cannot differ. `recognizer.c` is shared by
all front ends. To add one: write the two C files and their wrapper, which names its class
`FRONT_END` and has `check(config)`, declare in `_build.py` what the wrapper calls, and give the
firmware its glue in `firmware_templates/front_ends/<name>`.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from tinyml.errors import ConfigError, nearest
from tinyml.features.audio import AudioFrontEnd, audio_features
from tinyml.features.image import ImageFrontEnd, image_features
from tinyml.features.motion import MotionFrontEnd
from tinyml.features.recognizer import Event, Recognizer, RecognizerSettings
from tinyml.features.stroke import StrokeFrontEnd, stroke_picture, stroke_points
from tinyml.records import FeatureConfig
from tinyml.registry import Registry, stems

RECOGNIZER = "recognizer"  # shared by all front ends, and none itself
_FRONT_ENDS = Registry(__name__, "front end")

__all__ = ["AudioFrontEnd", "Event", "FrontEnd", "ImageFrontEnd", "MotionFrontEnd", "Recognizer",
           "RecognizerSettings", "StrokeFrontEnd", "audio_features", "check", "image_features",
           "load", "stroke_picture", "stroke_points"]  # fmt: skip

Samples = npt.NDArray[np.int16]


class FrontEnd(Protocol):
    """What every front end can do; which one it is, a FeatureConfig says.

    Samples are int16 [n], or [n, channels] where the sensor has several `channels`, `rate_hz` of
    them a second. A row is `row_bytes` int8; a model's input is rows in chronological order.
    Recordings are files ending in one of `suffixes`, in lower or upper case; `write`
    makes the first kind.
    """

    @property
    def rate_hz(self) -> int:
        """Samples a second that the sensor gives, of every channel."""

    @property
    def channels(self) -> int:
        """Values that the sensor gives at a time: 1 of a microphone, 3 or 6 of an IMU."""

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of features, which are int8."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """How the files of its recordings end, with the dot, in lower case."""

    def reset(self) -> None:
        """Start a new stream."""

    def push(self, samples: Samples) -> npt.NDArray[np.int8]:
        """Take any number of samples; return the rows that they complete, int8 [n, row_bytes]."""

    def samples_for(self, rows: int) -> int:
        """Return how many samples complete the first `rows` rows of a stream.

        Where the samples decide that, of the stream that was pushed since it was started; of rows
        that have not come, how long a pause is that brings one.
        """

    def read(self, path: Path) -> Samples:
        """Return the recording in a file, n > 0; raises DataError for an unusable one."""

    def write(self, path: Path, samples: Samples) -> None:
        """Write a recording that `read` gives back, whole or not at all; raises DataError."""

    def pause(self, count: int, after: Samples | None = None) -> Samples:
        """Return `count` samples of what the sensor gives when nothing happens."""


def load(config: FeatureConfig) -> FrontEnd:
    """Return the front end that `config` describes; raises ConfigError where there is none."""
    check(config)
    return cast(FrontEnd, _module(config).FRONT_END(config))


def check(config: FeatureConfig) -> None:
    """Raise ConfigError unless there is a front end that computes what `config` describes.

    A front end's wrapper has the same function for itself.
    """
    known = sorted(set(_FRONT_ENDS.names()) & set(stems(_FRONT_ENDS.folder, "*.c")) - {RECOGNIZER})
    if config.name not in known:
        raise ConfigError(f"no front end {config.name!r}", nearest(config.name, known))
    _module(config).check(config)


def _module(config: FeatureConfig) -> Any:
    return importlib.import_module(f"{__name__}.{config.name}")
