"""PNG, JPEG and BMP files in and out, as RGB pixels; an unusable one is refused with the reason."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from tinyml.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
LEAST_SIDE = 16  # pixels: a smaller picture shows nothing
MOST_PIXELS = 50_000_000  # a larger one is a mistake, or an attack on memory
_FORMATS = ("PNG", "JPEG", "BMP")
_HINT = "save it again as an RGB or gray PNG, JPEG or BMP, or remove it"

Pixels = npt.NDArray[np.uint8]


def read(path: Path) -> Pixels:
    """Return a picture as uint8 [height, width, 3], R G B, upright as its EXIF data says.

    Sides are at least LEAST_SIDE. Gray becomes three equal channels, 16 bits become the high 8,
    and what is transparent becomes white. Raises DataError, naming the path and what is wrong, for
    a file that is no whole picture of these kinds.
    """
    try:
        with warnings.catch_warnings(), Image.open(path, formats=_FORMATS) as image:
            warnings.simplefilter("ignore")  # Pillow's doubts about metadata that nothing here uses
            width, height = image.size
            if min(width, height) < LEAST_SIDE or width * height > MOST_PIXELS:
                raise DataError(
                    f"{path} has {width} x {height} pixels, not {LEAST_SIDE} x {LEAST_SIDE} to "
                    f"{MOST_PIXELS // 10**6} million",
                    "scale it to a few hundred pixels a side, or remove it",
                )
            pixels = _rgb(image)
    except UnidentifiedImageError as error:
        size = path.stat().st_size
        what = "is empty" if not size else "is no PNG, JPEG or BMP picture"
        raise DataError(f"{path} {what} ({size:,} bytes)", _HINT) from error
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}", _HINT) from error
    except Exception as error:  # Pillow raises many kinds for damaged files
        raise DataError(f"{path} is damaged: {error}", _HINT) from error
    return pixels


def write(path: Path, pixels: Pixels) -> None:
    """Write uint8 [height, width, 3], or [height, width] for gray, as PNG, whole or not at all.

    Raises DataError where the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        Image.fromarray(pixels).save(temporary, "PNG", optimize=True)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from error


def _rgb(image: Image.Image) -> Pixels:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):  # converting would cut values off at 255
        values = np.asarray(upright).astype(np.float64)
        depth = 256 if upright.mode.startswith("I") else 1
        gray = np.clip(values / depth, 0, 255).astype(np.uint8)
        return np.repeat(gray[..., np.newaxis], 3, axis=2)
    if "A" in upright.mode or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        white = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(white, upright)
    return np.asarray(upright.convert("RGB"))
