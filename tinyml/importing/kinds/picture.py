"""Pictures of any usual format to PNG, upright, in 8 bits of RGB or gray.

Pillow reads PNG, JPEG, WebP, GIF, BMP and TIFF; HEIC where the package pillow-heif is installed. Of
an animation the first picture counts; what is transparent becomes white.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinyml.errors import DataError
from tinyml.importing import Imported, Refusal, Source, Wish
from tinyml.media import photo
from tinyml.media.photo import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif",
)  # fmt: skip
ENDING = ".png"
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "HEIF")
_ROTATED = 0x0112  # EXIF: orientation


def pieces(files: Sequence[Source], wish: Wish) -> Iterator[Imported | Refusal]:
    """Yield the pictures in `files`, as PNG, and what cannot be used."""
    for source in files:
        try:
            pixels, done = read(source.path)
        except DataError as error:
            yield Refusal(source, error.message.removeprefix(f"{source.path} "), error.hint)
            continue
        yield _piece(source, pixels, tuple(done))


def _piece(source: Source, pixels: Pixels, done: tuple[str, ...]) -> Imported:
    return Imported(source, lambda path: photo.write(path, pixels), done)


def read(path: Path) -> tuple[Pixels, list[str]]:
    """Return the pixels of a picture, uint8 [h, w] or [h, w, 3], and what was done to it.

    Raises DataError for a file that is none, or has more than `photo.MOST_PIXELS`.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, which changes no pixel
            with Image.open(path) as image:
                if image.format not in _FORMATS:
                    raise DataError(f"{path} is {image.format}, which is not read")
                photo.check_size(path, image.size)
                done = _about(image)
                image.load()
                return _pixels(ImageOps.exif_transpose(image)), done
    except UnidentifiedImageError as error:
        heif = path.suffix.lower() in (".heic", ".heif")
        hint = "pip install pillow-heif" if heif else ""
        raise DataError(f"{path} is no picture that is known here", hint) from error
    except DataError:
        raise
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise DataError(f"{path} cannot be read: {error}") from error


def _about(image: Image) -> list[str]:
    done = []
    if image.format != "PNG":
        done.append(f"{image.format} to PNG")
    if image.mode not in ("RGB", "L"):
        done.append(f"{image.mode} to 8 bits")
    if getattr(image, "n_frames", 1) > 1:
        done.append("its first picture")
    if image.getexif().get(_ROTATED, 1) != 1:
        done.append("turned upright, as EXIF says")
    return done


def _pixels(image: Image) -> Pixels:
    if image.mode.startswith("I") or image.mode == "F":  # gray of 16 or 32 bits
        values = np.asarray(image).astype(np.float64)
        top = float(values.max())
        # 12 bits and the like are told by what occurs: the next power of two is white.
        levels = 2.0 ** max(8, int(np.ceil(np.log2(top + 1)))) if top > 0 else 256.0
        return np.asarray(values.clip(0) * (256 / levels), np.uint8)
    if image.mode in ("1", "L"):
        return np.array(image.convert("L"))
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"), np.float64)
        opaque = rgba[..., 3:] / 255
        return np.asarray(np.rint(rgba[..., :3] * opaque + 255 * (1 - opaque)), np.uint8)
    return np.array(image.convert("RGB"))
