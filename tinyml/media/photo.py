"""Photographs in and pictures out, by Pillow; unusable files are refused with the path.

Pixels are uint8 [height, width, 3] in R G B, or [height, width] where there is no colour.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tinyml import files
from tinyml.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
MOST_PIXELS = 50_000_000  # more is a mistake, or an attack on memory
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
_HINT = f"open it in an image viewer and save it again as {' or '.join(SUFFIXES)}, or remove it"

Pixels = npt.NDArray[np.uint8]


def read(path: Path) -> Pixels:
    """Return the pixels of an image file, the way up that its camera noted in EXIF.

    Transparency is dropped, 16 bits of gray become 8. Raises DataError, naming the path and what is
    wrong, for a file that is no PNG, JPEG or BMP, cannot be read to the end, or is larger than
    MOST_PIXELS, which is found out before it is unpacked.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, which changes no pixel
            with Image.open(path, formats=_FORMATS) as image:
                check_size(path, image.size)
                image.load()
                return _pixels(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise DataError(f"{path} {_what_it_is(path)}", _HINT) from error
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}", _HINT) from error
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise DataError(f"{path} is damaged: {error}", _HINT) from error


def check_size(path: Path, size: tuple[int, int]) -> None:
    """Raise DataError for a picture of more than MOST_PIXELS; `size` is width and height."""
    width, height = size
    if width * height > MOST_PIXELS:
        raise DataError(
            f"{path} has {width} x {height} pixels, more than {MOST_PIXELS // 10**6} million",
            "scale it to a few hundred pixels a side, or remove it",
        )


def _what_it_is(path: Path) -> str:
    size = path.stat().st_size
    return f"is no PNG, JPEG or BMP picture ({size:,} bytes)" if size else "is empty (0 bytes)"


def _pixels(image: Image) -> Pixels:
    if image.mode.startswith("I"):  # gray of 16 bits
        return np.asarray(np.asarray(image).astype(np.uint32).clip(0, 65535) >> 8, np.uint8)
    return np.array(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))


def write(path: Path, pixels: Pixels) -> None:
    """Write `pixels` as a PNG file, whole or not at all; raises DataError where that fails."""
    from PIL import Image

    with files.saving(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG")
