"""How a camera may see a scene: variations of photographs, as pixels in and out."""

from __future__ import annotations

import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from tinyml.media.photo import Pixels

Gray = npt.NDArray[np.uint8]
_MOST_STRETCH = 0.3  # log of a change of the aspect


class Photographer:
    """Draws crops and lights; equal generators and pictures give equal results."""

    def __init__(self, draw: np.random.Generator) -> None:
        self._draw = draw

    def cropped(self, pixels: Pixels, least: float = 0.35, most: float = 1.0) -> Pixels:
        """Return a part of the picture: anywhere in it, stretched a little, perhaps mirrored.

        Random resized crops (Szegedy et al. 2015, arXiv:1409.4842) of a share `least` to `most` of
        it, half of them around its aspect, half around a square, which is what the front end crops.
        """
        draw = self._draw
        height, width = pixels.shape[:2]
        square = draw.random() < 0.5
        for _ in range(10):
            area = float(draw.uniform(least, most)) * width * height
            aspect = math.exp(float(draw.uniform(-_MOST_STRETCH, _MOST_STRETCH)))
            aspect *= 1 if square else width / height
            wide, high = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < wide <= width and 0 < high <= height:
                break
        else:
            wide, high = width, height
        x, y = int(draw.integers(width - wide + 1)), int(draw.integers(height - high + 1))
        part = pixels[y : y + high, x : x + wide]
        return part[:, ::-1] if draw.random() < 0.5 else part

    def mixed(self, pixels: Pixels, other: Pixels) -> Pixels:
        """Return a picture of two of one size: a blend, or one with a part of the other in it.

        Mixup (Zhang et al. 2018, arXiv:1710.09412) and CutMix (Yun et al. 2019, arXiv:1905.04899).
        """
        draw = self._draw
        if draw.random() < 0.5:
            share = float(draw.uniform(0.15, 0.85))
            blend = share * pixels + (1 - share) * other.astype(np.float32)
            return np.rint(blend).astype(np.uint8)
        side = pixels.shape[0]
        high, wide = (int(extent) for extent in draw.integers(side // 4, side, 2))
        y, x = int(draw.integers(side - high + 1)), int(draw.integers(side - wide + 1))
        mixture: Pixels = pixels.copy()
        mixture[y : y + high, x : x + wide] = other[y : y + high, x : x + wide]
        return mixture

    def lit(self, gray: Gray) -> Gray:
        """Return the picture in other light: gamma, contrast, brightness."""
        draw = self._draw
        table = (np.arange(256, dtype=np.float32) / 255) ** float(
            np.exp(draw.normal(0, 0.25))
        ) * 255
        middle = float(table[gray].mean())
        contrast, brightness = float(np.exp(draw.normal(0, 0.2))), float(draw.normal(0, 15))
        table = (table - middle) * contrast + middle + brightness
        seen: Gray = np.clip(np.rint(table), 0, 255).astype(np.uint8)[gray]
        return seen

    def blurred(self, gray: Gray) -> Gray:
        """Return the picture out of focus."""
        radius = float(self._draw.uniform(0.3, 1.0))
        return np.asarray(Image.fromarray(gray).filter(ImageFilter.GaussianBlur(radius)))

    def compressed(self, gray: Gray) -> Gray:
        """Return the picture as JPEG leaves it."""
        file = io.BytesIO()
        Image.fromarray(gray).save(file, "JPEG", quality=int(self._draw.integers(25, 85)))
        seen: Gray = np.asarray(Image.open(file))
        return seen

    def noisy(self, gray: Gray) -> Gray:
        """Return the picture with a sensor's noise."""
        level = float(self._draw.uniform(1, 10))
        noise = self._draw.standard_normal(gray.shape, np.float32) * level
        seen: Gray = np.clip(np.rint(gray + noise), 0, 255).astype(np.uint8)
        return seen

    def hidden(self, gray: Gray) -> Gray:
        """Return the picture with a plain rectangle before it: DeVries and Taylor 2017."""
        draw = self._draw
        side = gray.shape[0]
        high, wide = (int(extent) for extent in draw.integers(side // 12, side // 3, 2))
        y, x = int(draw.integers(side - high)), int(draw.integers(side - wide))
        covered: Gray = gray.copy()
        covered[y : y + high, x : x + wide] = int(draw.integers(256))
        return covered
