"""The stroke front end: acceleration and rotation in, one row per stroke out: a picture of it.

`stroke.h` says what a stroke is and how it is drawn. Samples are int16 [n, 6]: milli-g with
gravity, and tenths of a degree per second, in the sensor's axes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.errors import ConfigError, DataError
from tinyml.features._extension import ffi, lib
from tinyml.media import motion_csv
from tinyml.records import FeatureConfig

CHANNELS = 6
SIDE = 32
_COLUMNS = (*motion_csv.COLUMNS, *motion_csv.ROTATION)
_ONE = 16384  # a point's x and y: the sine of 90 degrees
_AT_REST = np.array([0, 0, 1000, 0, 0, 0], np.int16)

Samples = npt.NDArray[np.int16]
Picture = npt.NDArray[np.int8]


class StrokeFrontEnd:
    """A stream of samples turned into pictures of the strokes in it.

    `config.params` needs what `tml_stroke_config_t` in `stroke.h` has, the rate as
    `sample_rate_hz`. A row is int8 [32, 32, 3], flat. How the samples are cut into pushes changes
    nothing. Raises ConfigError for values that are not possible.
    """

    channels = CHANNELS
    row_bytes = SIDE * SIDE * 3
    suffixes = (".csv",)

    def __init__(self, config: FeatureConfig) -> None:
        self._config = _c_config(config)
        self.rate_hz = int(self._config.rate_hz)
        self._block = int(self._config.rate_hz * self._config.rest_ms // 1000)  # samples
        self._state: Any = ffi.new("tml_stroke_t *")
        self.reset()

    def reset(self) -> None:
        """Start a new stream: no rest and no stroke seen."""
        lib.tml_stroke_init(self._state, self._config)
        self._seen = 0
        self._ends: list[int] = []

    def push(self, samples: Samples) -> Picture:
        """Take any number of samples, int16 [n, 6]; return the new rows as int8 [m, 3072].

        Raises DataError for samples of another dtype or shape.
        """
        if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != CHANNELS:
            raise DataError(
                f"the stroke front end takes int16 samples [n, {CHANNELS}], not {samples.dtype} of "
                f"shape {samples.shape}"
            )
        samples = np.ascontiguousarray(samples)
        most = len(samples) // self._block + 1  # a stroke ends with a block
        rows = np.empty((most + 1, self.row_bytes), np.int8)  # and where none ends, one is begun
        ends = np.empty(most, np.uint32)
        row_count = lib.push_stroke(
            self._state,
            ffi.from_buffer("int16_t[]", samples),
            len(samples),
            ffi.from_buffer("int8_t[]", rows, require_writable=True),
            ffi.from_buffer("uint32_t[]", ends, require_writable=True),
        )
        self._ends += [self._seen + int(end) for end in ends[:row_count]]
        self._seen += len(samples)
        return rows[:row_count]

    def samples_for(self, rows: int) -> int:
        """Return how many samples completed the first `rows` rows of this stream; 0 for no row.

        Only samples tell when a stroke ends: of one that has not come it is what a rest takes.
        """
        if 0 < rows <= len(self._ends):
            return self._ends[rows - 1]
        return 2 * self._block if rows else 0

    def read(self, path: Path) -> Samples:
        """Return the recording in a CSV file as `push` takes it; raises DataError."""
        return motion_csv.read(path, self.rate_hz, _COLUMNS)

    def write(self, path: Path, samples: Samples) -> None:
        """Write samples as a CSV file that `read` gives back; raises DataError."""
        motion_csv.write(path, samples, self.rate_hz)

    def pause(self, count: int, after: Samples | None = None) -> Samples:
        """Return `count` samples without motion, in the position in which `after` ended."""
        still = _AT_REST.copy()
        if after is not None and len(after):
            still[:3] = after[-1, :3]
        return np.tile(still, (count, 1))


FRONT_END = StrokeFrontEnd


def stroke_picture(points: npt.NDArray[np.float64]) -> Picture:
    """Return the picture of a stroke, int8 [32, 32, 3], as a device draws it.

    `points` are its points in order of time, [n, 2], n > 0: x to the right and y up, in any unit.
    Raises DataError for others.
    """
    if points.ndim != 2 or points.shape[1:] != (2,) or not len(points):
        raise DataError(f"a stroke is points [n, 2], not an array of shape {points.shape}")
    if not np.isfinite(points).all():
        raise DataError("a stroke has points that are not finite")
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    reach = float(np.abs(points - middle).max())
    scaled = np.rint((points - middle) * (_ONE / reach if reach else 0)).astype(np.int16)
    picture = np.empty((SIDE, SIDE, 3), np.int8)
    lib.draw_stroke(
        ffi.from_buffer("int16_t[]", np.ascontiguousarray(scaled)),
        len(scaled),
        ffi.from_buffer("int8_t[]", picture, require_writable=True),
    )
    return picture


def stroke_points(samples: Samples, config: FeatureConfig) -> npt.NDArray[np.float64]:
    """Return the points of the first stroke in a recording, float64 [n, 2]; n is 0 without one.

    `samples` as `push` takes them; x to the right and y up, the sines of angles.
    """
    state = ffi.new("tml_stroke_t *")
    lib.tml_stroke_init(state, _c_config(config))
    samples = np.ascontiguousarray(samples, np.int16)
    count = lib.first_stroke(state, ffi.from_buffer("int16_t[]", samples), len(samples))
    points = np.frombuffer(ffi.buffer(state.points), np.int16).reshape(-1, 2)[:count]
    return points.astype(np.float64) / _ONE


def check(config: FeatureConfig) -> None:
    """Raise ConfigError unless `config` describes what the C computes."""
    _c_config(config)


def _c_config(config: FeatureConfig) -> Any:
    if config.name != "stroke":
        raise ConfigError(f"features {config.name!r} are not made by the stroke front end")
    ranges = {
        "sample_rate_hz": (lib.TML_STROKE_MIN_RATE_HZ, lib.TML_STROKE_MAX_RATE_HZ),
        "rest_ms": (1, lib.TML_STROKE_MAX_MS),
        "still_mg": (1, lib.TML_STROKE_MAX_STILL),
        "still_ddps": (1, lib.TML_STROKE_MAX_STILL),
        "least_ddeg": (1, lib.TML_STROKE_MAX_DDEG),
        "longest_ms": (1, lib.TML_STROKE_MAX_MS),
        "axis": (-3, 3),
    }
    values = []
    for name, (least, most) in ranges.items():
        value = config.params.get(name)
        if value is None or not least <= value <= most or value != int(value):
            raise ConfigError(
                f"stroke features need a whole {name} from {least} to {most}, not {value}",
                "correct `features` in the model's card",
            )
        values.append(int(value))
    config_struct = ffi.new("tml_stroke_config_t *", values)
    if lib.tml_stroke_init(ffi.new("tml_stroke_t *"), config_struct) != 0:
        raise ConfigError(
            f"stroke features with {dict(zip(ranges, values, strict=True))} are not possible",
            "rest_ms is at least four samples, below longest_ms, and axis is 1, 2, 3 or negative",
        )
    return config_struct
