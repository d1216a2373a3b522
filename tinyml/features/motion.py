"""The motion front end: accelerometer samples in, one row of three accelerations per stride out.

`motion.h` says how rate, gravity and orientation are treated. Samples are int16 milli-g with
gravity, in the sensor's axes.
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

AXES = 3
_AT_REST = np.array([0, 0, 1000], np.int16)  # lying flat, where nothing is known
_DEFAULTS = {"upright": 0}  # of bundles from before there was a choice

Samples = npt.NDArray[np.int16]


class MotionFrontEnd:
    """A stream of samples turned into rows as they become complete.

    `config.params` needs `sample_rate_hz` (1..10000) of the sensor, `stride_ms` (1..1000) from row
    to row, `gravity_ms` (the stride..60000, or 0) and `range_mg` (1..32767); `upright`, 1 where
    rows are turned to gravity, is 0 where it is not stated. How the samples are cut into pushes
    changes nothing. Raises ConfigError for other values.
    """

    channels = AXES
    row_bytes = AXES
    suffixes = (".csv",)

    def __init__(self, config: FeatureConfig) -> None:
        self._config = _c_config(config)
        self.rate_hz = int(self._config.rate_hz)
        self._stride = int(self._config.rate_hz * self._config.stride_ms)  # thousandths of a sample
        self._state: Any = ffi.new("tml_motion_t *")
        self.reset()

    def reset(self) -> None:
        """Start a new stream: no samples seen, no gravity known."""
        lib.tml_motion_init(self._state, self._config)

    def push(self, samples: Samples) -> npt.NDArray[np.int8]:
        """Take any number of samples, int16 [n, 3]; return the new rows as int8 [m, 3].

        Raises DataError for samples of another dtype or shape.
        """
        if samples.dtype != np.int16 or samples.ndim != 2 or samples.shape[1] != AXES:
            raise DataError(
                f"the motion front end takes int16 samples [n, {AXES}], not {samples.dtype} of "
                f"shape {samples.shape}"
            )
        samples = np.ascontiguousarray(samples)
        rows = np.empty((len(samples) * 1000 // self._stride + 1, AXES), np.int8)
        row_count = lib.push_motion(
            self._state,
            ffi.from_buffer("int16_t[]", samples),
            len(samples),
            ffi.from_buffer("int8_t[]", rows, require_writable=True),
        )
        return rows[:row_count]

    def samples_for(self, rows: int) -> int:
        """Return how many samples complete the first `rows` rows of a stream."""
        return -(-rows * self._stride // 1000)

    def read(self, path: Path) -> Samples:
        """Return the recording in a CSV file as `push` takes it; raises DataError."""
        return motion_csv.read(path, self.rate_hz)

    def write(self, path: Path, samples: Samples) -> None:
        """Write samples as a CSV file that `read` gives back; raises DataError."""
        motion_csv.write(path, samples, self.rate_hz)

    def pause(self, count: int, after: Samples | None = None) -> Samples:
        """Return `count` samples without motion, in the position in which `after` ended."""
        still = _AT_REST if after is None else after[-1]
        return np.tile(still, (count, 1))


FRONT_END = MotionFrontEnd


def check(config: FeatureConfig) -> None:
    """Raise ConfigError unless `config` describes what the C computes."""
    _c_config(config)


def _c_config(config: FeatureConfig) -> Any:
    if config.name != "motion":
        raise ConfigError(f"features {config.name!r} are not made by the motion front end")
    ranges = {
        "sample_rate_hz": (1, lib.TML_MOTION_MAX_RATE_HZ),
        "stride_ms": (1, lib.TML_MOTION_MAX_STRIDE_MS),
        "gravity_ms": (0, lib.TML_MOTION_MAX_GRAVITY_MS),
        "range_mg": (1, lib.TML_MOTION_MAX_RANGE_MG),
        "upright": (0, 1),
    }
    values = []
    for name, (least, most) in ranges.items():
        value = config.params.get(name, _DEFAULTS.get(name))
        if value is None or not least <= value <= most or value != int(value):
            raise ConfigError(
                f"motion features need a whole {name} from {least} to {most}, not {value}",
                "correct `features` in the model's card",
            )
        values.append(int(value))
    config_struct = ffi.new("tml_motion_config_t *", values)
    if lib.tml_motion_init(ffi.new("tml_motion_t *"), config_struct) != 0:
        rate_hz, stride_ms, gravity_ms, _, upright = values
        raise ConfigError(
            f"motion features with {rate_hz} samples a second, a stride of {stride_ms} ms, "
            f"gravity_ms {gravity_ms} and upright {upright} are not possible",
            "a stride has at least one sample, and gravity_ms is 0 or at least a stride; what is "
            "upright needs gravity_ms",
        )
    return config_struct
