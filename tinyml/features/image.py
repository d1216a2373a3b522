"""The image front end: a camera's pixels in, one row per picture out: the picture that models read.

`image.h` says how pictures are cropped, resized and made gray. Samples are int16, each two bytes of
a picture as the camera delivers it.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.errors import ConfigError, DataError
from tinyml.features._extension import ffi, lib
from tinyml.media import photo
from tinyml.media.photo import Pixels
from tinyml.records import FeatureConfig

# Names of what image.h calls TML_IMAGE_..., which `format` is in a FeatureConfig.
FORMATS = {
    "gray": lib.TML_IMAGE_GRAY,
    "rgb565": lib.TML_IMAGE_RGB565,
    "yuyv": lib.TML_IMAGE_YUYV,
    "uyvy": lib.TML_IMAGE_UYVY,
    "rgb888": lib.TML_IMAGE_RGB888,
}
_BITS = {"gray": 8, "rgb565": 16, "yuyv": 16, "uyvy": 16, "rgb888": 24}
_MAX_RATE_HZ = 1 << 24  # a device tells its settings as float32

Samples = npt.NDArray[np.int16]
Picture = npt.NDArray[np.int8]


class ImageFrontEnd:
    """A stream of samples turned into pictures as they become complete.

    `config.params` needs `source_width`, `source_height` and `format` (a value of FORMATS) of the
    camera's pictures; `width`, `height` (1..1024) and `channels` (1: gray, 3: R G B) of the
    model's; and `sample_rate_hz`, the samples of one picture times the pictures a second. A row is
    int8 [height, width, channels], flat. How the samples are cut into pushes changes nothing.
    Raises ConfigError for other values.
    """

    channels = 1
    suffixes = photo.SUFFIXES

    def __init__(self, config: FeatureConfig) -> None:
        self._settings = _Settings.of(config)
        self.rate_hz = self._settings.sample_rate_hz
        self.row_bytes = self._settings.row_bytes
        self._camera = _Converter(self._settings)

    def reset(self) -> None:
        """Start a new stream with the first pixel of a picture."""
        self._camera = _Converter(self._settings)

    def push(self, samples: Samples) -> Picture:
        """Take any number of samples, int16 [n]; return the new pictures as int8 [m, row_bytes].

        Raises DataError for samples of another dtype or shape.
        """
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise DataError(
                f"the image front end takes int16 samples [n], not {samples.dtype} of shape "
                f"{samples.shape}"
            )
        return self._camera.push(samples)

    def samples_for(self, rows: int) -> int:
        """Return how many samples complete the first `rows` pictures of a stream."""
        return rows * self._settings.samples

    def read(self, path: Path) -> Samples:
        """Return the photograph in a file as one picture of the camera's; raises DataError.

        It is cropped and resized by the same C, so a source of the model's size and colours gives
        exactly what `image_features` does.
        """
        return self._settings.samples_of(photo.read(path))

    def write(self, path: Path, samples: Samples) -> None:
        """Write one picture of the camera's as a PNG file; `read` gives the same features.

        Only YUV whose colours are used comes back with rounding. Raises DataError for samples that
        are not one picture, and where the file cannot be written.
        """
        if len(samples) != self._settings.samples:
            raise DataError(
                f"{path}: {len(samples)} samples are not one picture of {self._settings.samples}"
            )
        photo.write(path, self._settings.pixels_of(samples))

    def pause(self, count: int, after: Samples | None = None) -> Samples:
        """Return `count` samples of darkness, from the first pixel of a picture on."""
        dark = self._settings.samples_of(np.zeros((1, 1), np.uint8))
        return np.resize(dark, count)


FRONT_END = ImageFrontEnd


def check(config: FeatureConfig) -> None:
    """Raise ConfigError unless `config` describes what the C computes."""
    _Settings.of(config)


def image_features(pixels: Pixels, config: FeatureConfig) -> Picture:
    """Return what a model reads of a photograph, as int8 [height, width, channels].

    `pixels` are uint8 [h, w, 3] or [h, w], of any size: the camera's format and size do not matter.
    Raises DataError for others.
    """
    settings = _Settings.of(config)
    return _resized(pixels, settings.width, settings.height, settings.channels)


def of_camera(config: FeatureConfig, picture: str) -> FeatureConfig:
    """Return `config` for a camera whose pictures are `picture`, such as "160x120 gray".

    There are as many a second as before. Raises ConfigError for what `picture` cannot be.
    """
    old = _Settings.of(config)
    matched = re.fullmatch(rf"(\d+)x(\d+) ({'|'.join(FORMATS)})", picture)
    if matched is None:
        raise ConfigError(
            f"a camera has pictures of {picture!r}",
            f"write 160x120 and one of {', '.join(FORMATS)}",
        )
    width, height, kind = int(matched[1]), int(matched[2]), matched[3]
    new = replace(old, source_width=width, source_height=height, format=FORMATS[kind])
    new = replace(new, sample_rate_hz=old.sample_rate_hz // old.samples * new.samples)
    fitted = FeatureConfig("image", {**config.params, **asdict(new)})
    check(fitted)
    return fitted


def _resized(pixels: Pixels, width: int, height: int, channels: int) -> Picture:
    kind = {2: "gray", 3: "rgb888"}.get(pixels.ndim)
    if kind is None or pixels.dtype != np.uint8 or pixels.size == 0 or pixels.shape[2:] > (3,):
        raise DataError(
            f"pixels are uint8 [height, width] or [height, width, 3], not {pixels.dtype} of shape "
            f"{pixels.shape}"
        )
    while max(pixels.shape[:2]) > lib.TML_IMAGE_MAX_SIDE or (
        pixels.shape[0] * pixels.shape[1] > lib.TML_IMAGE_MAX_WINDOW
    ):
        pixels = _halved(pixels)
    source_height, source_width = pixels.shape[:2]
    settings = _Settings(1, source_width, source_height, FORMATS[kind], width, height, channels)
    rows = _Converter(settings).push(_samples(pixels.reshape(-1)))
    return rows.reshape(height, width, channels)


def _halved(pixels: Pixels) -> Pixels:
    """Return the means of four pixels each: what the sums of the C have no room for otherwise."""
    odd = [(0, side % 2) for side in pixels.shape[:2]]
    whole = np.pad(pixels, [*odd, (0, 0)][: pixels.ndim], "edge")
    height, width = whole.shape[0] // 2, whole.shape[1] // 2
    sums = whole.reshape(height, 2, width, 2, -1).sum((1, 3), np.uint16)
    halved: Pixels = ((sums + 2) // 4).astype(np.uint8)
    return halved.reshape(height, width, *pixels.shape[2:])


def _samples(data: npt.NDArray[np.uint8]) -> Samples:
    """Return a picture's bytes as samples."""
    return np.pad(data, (0, len(data) % 2)).view("<i2").astype(np.int16)


@dataclass(frozen=True)
class _Settings:
    """The params of a FeatureConfig."""

    sample_rate_hz: int
    source_width: int
    source_height: int
    format: int
    width: int
    height: int
    channels: int

    @classmethod
    def of(cls, config: FeatureConfig) -> _Settings:
        if config.name != "image":
            raise ConfigError(f"features {config.name!r} are not made by the image front end")
        ranges = {
            "sample_rate_hz": (1, _MAX_RATE_HZ),
            "source_width": (1, lib.TML_IMAGE_MAX_SIDE),
            "source_height": (1, lib.TML_IMAGE_MAX_SIDE),
            "format": (min(FORMATS.values()), max(FORMATS.values())),
            "width": (1, lib.TML_IMAGE_MAX_WANTED),
            "height": (1, lib.TML_IMAGE_MAX_WANTED),
            "channels": (1, 3),
        }
        values = {}
        for name, (least, most) in ranges.items():
            value = config.params.get(name)
            if value is None or not least <= value <= most or value != int(value):
                raise ConfigError(
                    f"image features need a whole {name} from {least} to {most}, not {value}",
                    "correct `features` in the model's card",
                )
            values[name] = int(value)
        settings = cls(**values)
        settings._check()
        return settings

    def _check(self) -> None:
        _Converter(self)
        if self.sample_rate_hz % self.samples:
            raise ConfigError(
                f"sample_rate_hz is {self.sample_rate_hz}, a picture has {self.samples} samples",
                "make it whole pictures a second: correct `features` in the model's card",
            )

    @property
    def kind(self) -> str:
        """The format's name."""
        return next(name for name, number in FORMATS.items() if number == self.format)

    @property
    def samples(self) -> int:
        """Samples of a picture of the camera's."""
        return -(-self.source_width * self.source_height * _BITS[self.kind] // 16)

    @property
    def row_bytes(self) -> int:
        return self.width * self.height * self.channels

    def samples_of(self, pixels: Pixels) -> Samples:
        """Return a photograph as a picture of the camera's."""
        size = self.source_width, self.source_height
        if self.kind == "gray":
            return _samples(_bytes(_resized(pixels, *size, 1)).reshape(-1))
        colour = _bytes(_resized(pixels, *size, 3))
        if self.kind == "rgb888":
            return _samples(colour.reshape(-1))
        if self.kind == "rgb565":
            red, green, blue = (colour[..., at].astype(np.uint16) for at in range(3))
            return (red >> 3 << 11 | green >> 2 << 5 | blue >> 3).reshape(-1).view(np.int16)
        luma = _bytes(_resized(pixels, *size, 1))[..., 0]
        pairs = np.stack([luma, _chroma(colour)], 2)  # Y first
        return _samples((pairs if self.kind == "yuyv" else pairs[..., ::-1]).reshape(-1))

    def pixels_of(self, samples: Samples) -> Pixels:
        """Return a picture of the camera's as pixels of its size."""
        gray = self.kind == "gray" or (self.kind in ("yuyv", "uyvy") and self.channels == 1)
        colours = 1 if gray else 3
        source = self.source_width, self.source_height
        whole = _Settings(1, *source, self.format, *source, colours)
        pixels = _bytes(_Converter(whole).push(samples)).reshape(source[1], source[0], colours)
        return pixels[..., 0] if colours == 1 else pixels


def _bytes(picture: Picture) -> Pixels:
    return (picture.astype(np.int16) + 128).astype(np.uint8)


def _chroma(colour: Pixels) -> Pixels:
    """Return U of even and V of odd pixels, each the mean of a pair: [h, w], JFIF 1.02."""
    height, width, _ = colour.shape
    pairs = colour.reshape(height, width // 2, 2, 3).astype(np.float64).mean(2)
    weights = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    interleaved: Pixels = np.rint(pairs @ weights.T + 128).clip(0, 255).astype(np.uint8)
    return interleaved.reshape(height, width)


class _Converter:
    """The C with the memory that it uses. Raises ConfigError for settings that it refuses."""

    def __init__(self, settings: _Settings) -> None:
        width, height, channels = settings.width, settings.height, settings.channels
        self._samples = settings.samples
        self._state: Any = ffi.new("tml_image_t *")
        self._sums: Any = ffi.new("uint32_t[]", 2 * width * channels)
        self._picture: Any = ffi.new("int8_t[]", settings.row_bytes)
        names = ("source_width", "source_height", "format", "width", "height", "channels")
        config = ffi.new("tml_image_config_t *", [getattr(settings, name) for name in names])
        if lib.tml_image_init(self._state, config, self._sums) != 0:
            raise ConfigError(
                f"pictures of {settings.source_width}x{settings.source_height} {settings.kind} to "
                f"{width}x{height}x{channels} are not possible",
                "channels are 1 or 3, YUV has an even width, and a source is at most 16 megapixels",
            )

    def push(self, samples: Samples) -> Picture:
        samples = np.ascontiguousarray(samples)
        bytes_ = len(self._picture)
        rows = np.empty((len(samples) // self._samples + 1, bytes_), np.int8)
        row_count = lib.push_image(
            self._state,
            ffi.from_buffer("int16_t[]", samples),
            len(samples),
            self._picture,
            bytes_,
            ffi.from_buffer("int8_t[]", rows, require_writable=True),
        )
        return rows[:row_count]
