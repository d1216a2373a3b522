"""Photographs: every kind of file, the way up that the camera noted, damage named with the path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyml.errors import DataError
from tinyml.media import photo

COLOURS = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)


def test_colour_and_gray_are_kept_as_they_are(tmp_path: Path) -> None:
    for pixels in (COLOURS, COLOURS[..., 0]):
        photo.write(tmp_path / "a.png", pixels)
        assert np.array_equal(photo.read(tmp_path / "a.png"), pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_mode_becomes_gray_or_colour(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tif" if mode in ("CMYK", "F", "I", "I;16") else "a.png")
    if mode == "I;16":
        image = Image.fromarray((COLOURS[..., 0].astype(np.uint16) << 8) + 7)
    else:
        image = Image.fromarray(COLOURS).convert(mode)
    image.save(path)
    pixels = photo.read(path)
    assert pixels.dtype == np.uint8
    assert pixels.shape in ((6, 8), (6, 8, 3))
    if mode == "I;16":
        assert np.array_equal(pixels, COLOURS[..., 0])


def test_a_photograph_stands_the_way_its_camera_noted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned: its top is to the right
    Image.fromarray(COLOURS).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(photo.read(tmp_path / "a.png"), np.rot90(COLOURS, -1))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG", "BMP"]))
def test_damage_is_named_with_the_path(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, kind: str
) -> None:
    path = tmp_path_factory.mktemp("damage") / "photograph.png"
    Image.fromarray(COLOURS).save(path, kind)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        assert photo.read(path).dtype == np.uint8
    except DataError as error:
        assert str(path) in error.message  # noqa: PT017


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png"):
        photo.read(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"missing\.png cannot be read: No such file"):
        photo.read(tmp_path / "missing.png")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(DataError, match="cannot be written"):
        photo.write(tmp_path / "folder.png", COLOURS)
    assert [file.name for file in tmp_path.iterdir()] == ["folder.png"]
