"""The audio front end: 16 kHz samples in, one row of 40 features per stride out.

The features are those of TensorFlow's micro-frontend, bit for bit; `audio.h` says which. TFLM's
newer `signal` operators, as in its model `audio_preprocessor_int8.tflite`, have the same arithmetic
but other constants: one window coefficient of 480 is 53 instead of 54, because it is computed in
double precision, and the filterbank's weights are cut off to 12 bits where the micro-frontend
rounds them. That moves 0.8 % of the int8 cells of speech, mostly by 1; with those constants our C
gives the model's numbers. We follow the micro-frontend, on device and in training: the models of
the micro_speech and microWakeWord families were trained on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.errors import ConfigError, DataError
from tinyml.features._extension import ffi, lib
from tinyml.media import wav
from tinyml.records import FeatureConfig

# What the C computes; a FeatureConfig that asks for something else is refused.
FIXED_PARAMS = {
    "sample_rate_hz": 16000, "window_ms": 30, "channels": 40, "lower_hz": 125, "upper_hz": 7500,
}  # fmt: skip
STRIDES_MS = range(1, 31)
_CHANNELS = 40
_WINDOW = 480  # samples
_SAMPLES_PER_MS = 16


class AudioFrontEnd:
    """A stream of samples turned into frames as they become complete.

    `config.params` needs `stride_ms` (1..30; 20 for micro_speech's family, 10 for microWakeWord's)
    and may repeat FIXED_PARAMS. Frame n covers samples n*stride to n*stride + 479; how the samples
    are cut into pushes changes nothing. Raises ConfigError where `config` asks for anything else.
    """

    rate_hz = wav.RATE_HZ
    channels = 1
    row_bytes = _CHANNELS
    suffixes = (".wav",)

    def __init__(self, config: FeatureConfig) -> None:
        self._stride = stride_samples(config)
        self._state: Any = ffi.new("tml_audio_t *")
        self.reset()

    def reset(self) -> None:
        """Start a new stream: no samples heard, no noise known."""
        lib.tml_audio_init(self._state, self._stride)

    def push_raw(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.uint16]:
        """Take any number of int16 samples; return the new frames as uint16 [n, 40], 0..~670.

        Raises DataError for samples of another dtype or with more than one dimension.
        """
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise DataError(
                f"the audio front end takes int16 samples of one channel, not {samples.dtype} of "
                f"shape {samples.shape}"
            )
        samples = np.ascontiguousarray(samples)
        frames = np.empty((len(samples) // self._stride + 1, _CHANNELS), np.uint16)
        rows = lib.push_all(
            self._state,
            ffi.from_buffer("int16_t[]", samples),
            len(samples),
            ffi.from_buffer("uint16_t[]", frames, require_writable=True),
        )
        return frames[:rows]

    def push(self, samples: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
        """Like `push_raw`, but the frames are int8 [n, 40], as int8 models take them."""
        return to_int8(self.push_raw(samples))

    def samples_for(self, rows: int) -> int:
        """Return how many samples complete the first `rows` frames of a stream; 0 for none."""
        return (rows - 1) * self._stride + _WINDOW if rows > 0 else 0

    def read(self, path: Path) -> npt.NDArray[np.int16]:
        """Return the recording in a WAV file as `push` takes it; raises DataError."""
        return wav.read(path)

    def write(self, path: Path, samples: npt.NDArray[np.int16]) -> None:
        """Write samples as a WAV file that `read` gives back; raises DataError."""
        wav.write(path, samples)

    def pause(
        self, count: int, after: npt.NDArray[np.int16] | None = None
    ) -> npt.NDArray[np.int16]:
        """Return `count` samples of silence, whatever came before."""
        return np.zeros(count, np.int16)


FRONT_END = AudioFrontEnd


def to_int8(frames: npt.NDArray[np.uint16]) -> npt.NDArray[np.int8]:
    """Return uint16 frames [n, 40] in int8 form, by micro_speech's rule: 0..666 -> -128..127."""
    out = np.empty(frames.shape, np.int8)
    frames = np.ascontiguousarray(frames, np.uint16)
    lib.to_int8(
        ffi.from_buffer("uint16_t[]", frames),
        len(frames),
        ffi.from_buffer("int8_t[]", out, require_writable=True),
    )
    return out


def audio_features(clip: npt.NDArray[np.int16], config: FeatureConfig) -> npt.NDArray[np.int8]:
    """Return all frames of a clip that starts in silence, as int8 [frames, 40].

    n samples give (n - 480) // stride + 1 frames: one second at a stride of 20 ms gives 49.
    """
    return AudioFrontEnd(config).push(clip)


def check(config: FeatureConfig) -> None:
    """Raise ConfigError unless `config` describes what the C computes."""
    stride_samples(config)


def stride_samples(config: FeatureConfig) -> int:
    """Return the samples between two frames; raise ConfigError for features that are not ours."""
    if config.name != "audio":
        raise ConfigError(f"features {config.name!r} are not made by the audio front end")
    for name, value in FIXED_PARAMS.items():
        actual = config.params.get(name, value)
        if actual != value:
            raise ConfigError(f"audio features with {name}={actual} are not possible, only {value}")
    stride = config.params.get("stride_ms", 0)
    if stride not in STRIDES_MS:
        raise ConfigError(
            f"audio features need stride_ms from {STRIDES_MS[0]} to {STRIDES_MS[-1]}, not {stride}",
            "use 20, or 10 for models of the microWakeWord family",
        )
    return int(stride) * _SAMPLES_PER_MS
