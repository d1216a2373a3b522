"""Person detection: one picture in, scores for no person and person out.

Visual Wake Words (Chowdhery et al. 2019, arXiv:1906.05721). Folders of pictures of anything else
that is to be told from its absence do as well.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tinyml.datasets import Dataset, Recording, coco, image_folder, rendered
from tinyml.features import ImageFrontEnd, image_features
from tinyml.features.image import FORMATS
from tinyml.media import photo
from tinyml.records import FeatureConfig, StreamConfig
from tinyml.tasks import UNLABELLED, Capturing, Examples, Features, Task
from tinyml.tasks._camera import Photographer

SIDE = 96
FEATURES = FeatureConfig(
    "image",
    {
        "sample_rate_hz": SIDE * SIDE // 2,  # two pixels a sample: one picture a second
        "source_width": SIDE,
        "source_height": SIDE,
        "format": FORMATS["gray"],
        "width": SIDE,
        "height": SIDE,
        "channels": 1,
    },
)
_COLOUR = FeatureConfig("image", {**FEATURES.params, "channels": 3, "format": FORMATS["rgb888"],
                                  "sample_rate_hz": SIDE * SIDE * 3 // 2})  # fmt: skip
# MobileNetV1's pairs of a depthwise and a pointwise convolution: channels at width 1, stride.
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2),
           (1024, 1))  # fmt: skip
_DETAIL = (0.06, 0.35)  # shares of a picture
_NOTHING = 0.1  # pictures of nothing, as a share of the recordings
_ALPHA = 0.25  # the width multiplier of MobileNetV1 that `width` 1 means
_KEPT_SIDE = 224  # pixels: decoded pictures are kept at most so large


def build_model(labels: int, width: float) -> Any:
    """Return MobileNetV1 (Howard et al. 2017, arXiv:1704.04861) as a tf_keras model.

    float32 [n, 96, 96, 1] -> logits [n, labels]; it is 0.25 * `width` times as wide as the paper's.
    """
    from tf_keras import Model, layers

    def channels(number: int) -> int:
        return max(8, round(number * _ALPHA * width / 8) * 8)

    def activated(tensor: Any) -> Any:
        return layers.ReLU(6)(layers.BatchNormalization(momentum=0.97)(tensor))

    inputs = layers.Input((SIDE, SIDE, 1))
    tensor = activated(layers.Conv2D(channels(32), 3, 2, "same", use_bias=False)(inputs))
    for filters, strides in _BLOCKS:
        depthwise = layers.DepthwiseConv2D(3, strides, "same", use_bias=False)
        tensor = activated(depthwise(tensor))
        tensor = activated(layers.Conv2D(channels(filters), 1, use_bias=False)(tensor))
    tensor = layers.AveragePooling2D(tensor.shape[1:3])(tensor)
    return Model(inputs, layers.Dense(labels)(layers.Flatten()(tensor)))


def examples(recordings: Sequence[Recording], labels: Sequence[str]) -> Examples:
    """Return each picture as the front end sees it: its middle."""
    pixels = [photo.read(recording.path) for recording in recordings]
    return Examples(_seen(pixels, FEATURES), _targets(recordings, labels))


def augmented(recordings: Sequence[Recording], labels: Sequence[str], seed: int) -> Examples:
    """Return crops of all pictures, details and mixtures of photographs, and pictures of nothing.

    Details of the background alone show it too. Of the others some show a part of what is to be
    recognised and some do not, and so it is with mixtures: only teachers can tell. What they say
    of many mixtures is worth more than labels of few photographs (Beyer et al. 2022, "Knowledge
    distillation: A good teacher is patient and consistent", arXiv:2106.05237). Of drawn pictures
    and of nothing teachers know less than what drew them.
    """
    photographer = Photographer(np.random.default_rng([seed, 1]))
    crops = [_square(photographer.cropped(_pixels(recording.path))) for recording in recordings]
    drawn = np.array([recording.source == rendered.SOURCE for recording in recordings], bool)
    photographs = np.flatnonzero(~drawn).tolist()
    details = [
        _square(photographer.cropped(_pixels(recordings[recording].path), *_DETAIL))
        for recording in photographs
    ]
    draw = np.random.default_rng([seed, 3])
    mixtures = [
        photographer.mixed(crops[recording], crops[other])
        for recording, other in zip(photographs, draw.permutation(photographs), strict=True)
    ]
    nothing = [_nothing(draw) for _ in range(math.ceil(_NOTHING * len(recordings)))]
    pixels = [*crops, *details, *mixtures, *nothing]
    of_crops = _targets(recordings, labels)
    of_details = np.where(of_crops[photographs] > 0, UNLABELLED, of_crops[photographs])
    parts = (of_crops, of_details, np.full(len(mixtures), UNLABELLED), np.zeros(len(nothing), int))
    certain = (drawn, np.zeros(2 * len(photographs), bool), np.ones(len(nothing), bool))
    return Examples(
        _seen(pixels, FEATURES),
        np.concatenate(parts).astype(np.int64),
        colour=_seen(pixels, _COLOUR),
        certain=np.concatenate(certain),
    )


def _nothing(draw: np.random.Generator) -> photo.Pixels:
    """Return what a camera sees that is covered, in the dark, or before a wall, [96, 96, 3]."""
    slope = draw.normal(0, 8, 2) @ np.indices((SIDE, SIDE)).reshape(2, -1) / SIDE
    gray = np.clip(draw.uniform(0, 255) * draw.integers(0, 2) + slope, 0, 255).astype(np.uint8)
    return np.repeat(gray.reshape(SIDE, SIDE, 1), 3, axis=2)


def mask(inputs: Features, seed: int) -> Features:
    """Return copies in other light, some of them mirrored, blurred, noisy, compressed or hidden."""
    draw = np.random.default_rng([seed, 2])
    photographer = Photographer(draw)
    changes = ((photographer.blurred, 0.2), (photographer.noisy, 0.3),
               (photographer.compressed, 0.15), (photographer.hidden, 0.3))  # fmt: skip
    masked = np.empty_like(inputs)
    for row, mask_of_row in zip(inputs, masked, strict=True):
        gray = (row[..., 0].astype(np.int16) + 128).astype(np.uint8)
        if draw.random() < 0.5:
            gray = gray[:, ::-1]
        gray = photographer.lit(gray)
        for change, share in changes:
            if draw.random() < share:
                gray = change(gray)
        mask_of_row[..., 0] = (gray.astype(np.int16) - 128).astype(np.int8)
    return masked


@functools.lru_cache(maxsize=4096)
def _pixels(path: Path) -> photo.Pixels:
    """Return a picture in colour, no larger than training has use for."""
    image = Image.fromarray(photo.read(path)).convert("RGB")
    image.thumbnail((_KEPT_SIDE, _KEPT_SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def _square(pixels: photo.Pixels) -> photo.Pixels:
    """Return pixels [h, w, 3] squeezed into a square."""
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _seen(pixels: Sequence[photo.Pixels], features: FeatureConfig) -> Features:
    """Return pictures as a front end sees them, int8 [n, 96, 96, channels]."""
    seen = np.array([image_features(picture, features) for picture in pixels], np.int8)
    return seen.reshape(len(pixels), SIDE, SIDE, int(features.params["channels"]))


def _targets(recordings: Sequence[Recording], labels: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.array([labels.index(recording.label) for recording in recordings], np.int64)


def _read(folder: Path) -> Dataset:
    has_annotations = folder.is_dir() and coco.annotation_files(folder)
    return coco.read(folder) if has_annotations else image_folder.read(folder)


def _synthesize(seed: int, on_progress: Callable[[int, int], None] | None) -> Dataset:
    return rendered.generate(seed=seed, on_progress=on_progress)


def _contrast(samples: npt.NDArray[np.int16]) -> float:
    """Return how much there is to see in a picture's bytes: 0 in the dark, 1 in good light."""
    return float(np.clip(samples.view(np.uint8).std() / 64, 0.0, 1.0))


CAPTURING = Capturing(
    seconds=1.0,
    place=lambda label, photographer: f"{label}/{photographer}_{{number}}.png",
    active=lambda samples, rate_hz: (0, len(samples)) if np.ptp(samples.view(np.uint8)) else None,
    check=lambda samples, rate_hz, is_still: ("", ""),  # reading a folder sees to pictures
    level=_contrast,
    full_scale=1 << 17,  # int16 of two bytes have no end to be beyond
    nothing="the picture is all of one brightness",
    gentler="",
    whole=True,
)
TASK = Task(
    summary="tell pictures with people from those without",
    features=FEATURES,
    stream=StreamConfig(
        stride_frames=1, average=1, threshold=0.6, refractory_ms=2000, background=(0,)
    ),
    input_shape=(SIDE, SIDE, 1),
    input_scale=1 / 255,
    read=_read,
    synthesize=_synthesize,
    additional=rendered.generate,
    examples=examples,
    augmented=augmented,
    mask=mask,
    build_model=build_model,
    samples=lambda recording: ImageFrontEnd(FEATURES).read(recording.path),
    capturing=CAPTURING,
)
