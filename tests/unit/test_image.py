"""The image front end: what image.h says, in exact arithmetic, however the samples arrive."""

from __future__ import annotations

import math
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml import features
from tinyml.datasets import clips
from tinyml.errors import ConfigError, DataError
from tinyml.features import ImageFrontEnd, image_features
from tinyml.features.image import FORMATS
from tinyml.media import photo
from tinyml.records import FeatureConfig

Pixels = npt.NDArray[np.uint8]
GRAY_96 = {
    "sample_rate_hz": 5 * 4608, "source_width": 96, "source_height": 96, "format": 1,
    "width": 96, "height": 96, "channels": 1,
}  # fmt: skip


def config(**changes: float) -> FeatureConfig:
    return FeatureConfig("image", {**GRAY_96, **changes})


def camera(kind: str, size: tuple[int, int], wanted: tuple[int, int, int]) -> FeatureConfig:
    """A camera of `size` (width, height) that gives one picture a second."""
    bits = {"gray": 8, "rgb888": 24}.get(kind, 16)
    return config(
        sample_rate_hz=-(-size[0] * size[1] * bits // 16), format=FORMATS[kind],
        source_width=size[0], source_height=size[1],
        width=wanted[0], height=wanted[1], channels=wanted[2],
    )  # fmt: skip


def noise(*shape: int, seed: int = 1) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def weights(source: int, length: int, wanted: int) -> npt.NDArray[np.object_]:
    """Return how much of each source pixel is in each wanted one, [wanted, source]."""
    start = (source - length) // 2
    table = np.full((wanted, source), Fraction(0))
    for at in range(wanted):
        low, high = Fraction(at * length, wanted), Fraction((at + 1) * length, wanted)
        for pixel in range(floor(low), ceil(high)):
            shared = min(high, pixel + 1) - max(low, pixel)
            table[at, start + pixel] = shared / (high - low)
    return table


def expected(pixels: Pixels, width: int, height: int) -> npt.NDArray[np.int8]:
    """Return the crop and exact area average of pixels [h, w, channels], in fractions."""
    source_height, source_width = pixels.shape[:2]
    crop_width, crop_height = source_width, source_height
    if source_width * height > source_height * width:
        crop_width = max(1, source_height * width // height)
    else:
        crop_height = max(1, source_width * height // width)
    down = weights(source_height, crop_height, height)
    across = weights(source_width, crop_width, width)
    planes = [down @ plane.astype(object) @ across.T for plane in np.moveaxis(pixels, 2, 0)]
    nearest = np.vectorize(lambda value: floor(value + Fraction(1, 2)) - 128)
    return np.stack([nearest(plane) for plane in planes], 2).astype(np.int8)


def gray(pixels: Pixels) -> Pixels:
    parts = pixels.astype(np.int32) @ np.array([77, 150, 29])
    return ((parts + 128) >> 8).astype(np.uint8)[..., np.newaxis]


@settings(max_examples=60, deadline=None)
@given(
    source=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    wanted=st.tuples(st.integers(1, 16), st.integers(1, 16)),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 1000),
)
def test_pictures_are_exact_averages_of_the_centred_window(
    source: tuple[int, int], wanted: tuple[int, int], channels: int, seed: int
) -> None:
    width, height = wanted
    pixels = noise(*source[::-1], 3, seed=seed)
    made = image_features(pixels, config(width=width, height=height, channels=channels))
    seen = pixels if channels == 3 else gray(pixels)
    assert np.array_equal(made, expected(seen, width, height))


def test_light_and_dark_keep_their_values_at_every_size() -> None:
    for size in ((96, 96), (7, 5), (1000, 333), (95, 97)):
        for value in (0, 1, 127, 254, 255):
            made = image_features(np.full(size, value, np.uint8), config())
            assert np.all(made == value - 128)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(FORMATS)),
    size=st.sampled_from([(8, 6), (10, 5), (4, 9)]),
    cuts=st.lists(st.integers(0, 200), max_size=12),
)
def test_how_samples_are_cut_into_pushes_changes_nothing(
    kind: str, size: tuple[int, int], cuts: list[int]
) -> None:
    front_end = ImageFrontEnd(camera(kind, size, (5, 4, 3)))
    samples = noise(2 * 3 * front_end.rate_hz).view(np.int16)[: 3 * front_end.rate_hz]
    whole = front_end.push(samples)
    assert len(whole) == 3
    front_end.reset()
    pieces = [front_end.push(piece) for piece in np.split(samples, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("kind", sorted(FORMATS))
@pytest.mark.parametrize("size", [(8, 6), (6, 5)])
def test_formats_are_decoded_as_their_standards_say(kind: str, size: tuple[int, int]) -> None:
    width, height = size
    data = noise(width * height * {"gray": 1, "rgb888": 3}.get(kind, 2))
    front_end = ImageFrontEnd(camera(kind, size, (width, height, 3)))
    made = front_end.push(np.pad(data, (0, len(data) % 2)).view("<i2").astype(np.int16))
    if kind == "gray":
        colours = np.repeat(data.reshape(height, width, 1), 3, 2)
    elif kind == "rgb888":
        colours = data.reshape(height, width, 3)
    elif kind == "rgb565":
        words = data.view("<u2").reshape(height, width).astype(np.float64)
        parts = [words // 2048 * 255 / 31, words // 32 % 64 * 255 / 63, words % 32 * 255 / 31]
        colours = np.stack(parts, 2)
    else:
        pairs = data.reshape(-1, 2, 2).astype(np.float64)
        luma, chroma = (pairs if kind == "yuyv" else pairs[..., ::-1]).transpose(2, 0, 1)
        u, v = (np.repeat(chroma[:, at], 2) - 128 for at in (0, 1))
        y = luma.reshape(-1)
        parts = [y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u]
        colours = np.stack(parts, 1).reshape(height, width, 3).clip(0, 255)
    # 5 bits repeated are within half a step of the exact stretch; all else is rounded exactly.
    slack = 1.0 if kind == "rgb565" else 0.51
    assert np.abs(made.reshape(height, width, 3) + 128.0 - colours).max() <= slack


def test_gray_of_yuv_is_its_y() -> None:
    data = noise(2 * 96 * 96)
    samples = data.view("<i2").astype(np.int16)
    for kind, luma in (("yuyv", data[::2]), ("uyvy", data[1::2])):
        made = ImageFrontEnd(camera(kind, (96, 96), (96, 96, 1))).push(samples)
        assert np.array_equal(made[0].astype(int) + 128, luma)


def test_a_photograph_gives_a_device_exactly_what_training_reads(tmp_path: Path) -> None:
    photo.write(tmp_path / "a.png", noise(123, 201, 3))
    pixels = photo.read(tmp_path / "a.png")
    for kind in ("gray", "yuyv", "uyvy"):
        front_end = ImageFrontEnd(camera(kind, (96, 96), (96, 96, 1)))
        row = front_end.push(front_end.read(tmp_path / "a.png"))
        assert np.array_equal(row.reshape(96, 96, 1), image_features(pixels, config()))
    front_end = ImageFrontEnd(camera("rgb888", (96, 96), (96, 96, 3)))
    row = front_end.push(front_end.read(tmp_path / "a.png"))
    assert np.array_equal(row.reshape(96, 96, 3), image_features(pixels, config(channels=3)))


@pytest.mark.parametrize("kind", sorted(FORMATS))
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_written_is_read_again(tmp_path: Path, kind: str, channels: int) -> None:
    front_end = ImageFrontEnd(camera(kind, (32, 24), (16, 12, channels)))
    photo.write(tmp_path / "a.png", np.kron(noise(24, 16, 3), np.ones((1, 2, 1), np.uint8)))
    samples = front_end.read(tmp_path / "a.png")
    front_end.write(tmp_path / "b.png", samples)
    assert [file.name for file in tmp_path.iterdir() if file.name[0] == "."] == []
    rows = front_end.push(np.concatenate([samples, front_end.read(tmp_path / "b.png")]))
    slack = 3 if kind in ("yuyv", "uyvy") and channels == 3 else 0
    assert np.abs(rows[0].astype(int) - rows[1]).max() <= slack
    with pytest.raises(DataError, match="not one picture"):
        front_end.write(tmp_path / "c.png", samples[1:])


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_pause_is_dark_and_keeps_the_picture_s_phase(kind: str) -> None:
    front_end = ImageFrontEnd(camera(kind, (10, 7), (5, 5, 3)))
    pause = front_end.pause(front_end.samples_for(2))
    assert pause.dtype == np.int16
    assert np.all(front_end.push(pause) == -128)
    assert len(front_end.pause(0)) == 0


def test_a_row_comes_with_the_sample_that_completes_it() -> None:
    front_end = ImageFrontEnd(config())
    samples = np.zeros(front_end.samples_for(1), np.int16)
    assert (len(samples), front_end.rate_hz, front_end.row_bytes) == (4608, 23040, 9216)
    assert len(front_end.push(samples[:-1])) == 0
    assert len(front_end.push(samples[-1:])) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_rate_hz": 4609},
        {"sample_rate_hz": 0},
        {"source_width": 0},
        {"source_width": 16385},
        {"source_height": 0.5},
        {"format": 0},
        {"format": 6},
        {"width": 0},
        {"height": 1025},
        {"channels": 2},
        {"channels": math.nan},
        {"channels": math.inf},
        {"format": 3, "source_width": 95, "sample_rate_hz": 95 * 96},
        {"source_width": 8192, "source_height": 8192, "sample_rate_hz": 1 << 25},
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        features.check(config(**changes))


def test_samples_and_pixels_of_another_kind_are_refused() -> None:
    for wrong in (np.zeros(4, np.float32), np.zeros((4, 1), np.int16)):
        with pytest.raises(DataError, match="int16 samples"):
            ImageFrontEnd(config()).push(wrong)
    for pixels in (np.zeros((2, 2), np.int16), np.zeros((2, 2, 4), np.uint8),
                   np.zeros((0, 2), np.uint8), np.zeros(4, np.uint8)):  # fmt: skip
        with pytest.raises(DataError, match="pixels are uint8"):
            image_features(pixels, config())


def test_photographs_beyond_what_sums_hold_are_halved_first() -> None:
    wide = np.full((3, 20001), 200, np.uint8)
    assert np.all(image_features(wide, config()) == 200 - 128)
    large = np.repeat(np.repeat(noise(51, 51), 100, 0), 100, 1)  # 26 megapixels
    made = image_features(large, config(width=51, height=51))
    assert np.array_equal(made[..., 0].astype(int) + 128, large[::100, ::100])


def test_photographs_are_found_by_their_endings(tmp_path: Path) -> None:
    for folder, name in (("person", "a.PNG"), ("person", "b.jpeg"), ("none", "c.bmp")):
        (tmp_path / folder).mkdir(exist_ok=True)
        photo.write(tmp_path / folder / name, noise(9, 12, 3))
    (tmp_path / "none" / "notes.txt").write_text("no photograph")
    found = clips.load([tmp_path], ImageFrontEnd(config()))
    assert [(clip.name, clip.said) for clip in found] == [
        ("c.bmp", "none"), ("a.PNG", "person"), ("b.jpeg", "person"),
    ]  # fmt: skip
    assert {len(clip.samples) for clip in found} == {4608}
