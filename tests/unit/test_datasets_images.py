"""Pictures: files, folders of them, lists of them, and COCO's annotations."""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyml.datasets import PARTS, TEST, check, coco, image_folder, split
from tinyml.errors import DataError
from tinyml.media import photo


def paint(path: Path, seed: int, size: tuple[int, int] = (24, 20)) -> Path:
    """Write a picture that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def folders(folder: Path, count: int = 6) -> Path:
    for number in range(count):
        paint(folder / "person" / f"p{number}.png", number)
        paint(folder / "not_person" / f"n{number}.bmp", 100 + number)
    return folder


def test_unusable_pictures_are_named_with_the_reason(tmp_path: Path) -> None:
    whole = paint(tmp_path / "whole.jpg", 1, (64, 64)).read_bytes()
    for name, contents, reason in (
        ("empty.png", b"", r"empty.png is empty \(0 bytes\)"),
        ("text.png", b"no picture", r"text.png is no PNG, JPEG or BMP picture \(10 bytes\)"),
        ("cut.jpg", whole[: len(whole) // 2], r"cut.jpg cannot be read: .*truncated"),
        ("gif.png", b"GIF89a" + bytes(40), r"gif.png is no PNG"),
    ):
        (tmp_path / name).write_bytes(contents)
        with pytest.raises(DataError, match=reason):
            photo.read(tmp_path / name)
    with pytest.raises(DataError, match=r"none.png cannot be read: No such file"):
        photo.read(tmp_path / "none.png")


@pytest.mark.parametrize(("side", "reason"), [(60000, "is damaged: "), (9000, "has 9000 x 9000")])
def test_an_enormous_picture_is_refused_before_it_is_unpacked(
    tmp_path: Path, side: int, reason: str
) -> None:
    raw = bytearray(paint(tmp_path / "bomb.png", 1).read_bytes())
    raw[16:24] = struct.pack(">II", side, side)  # the header alone decides
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    (tmp_path / "bomb.png").write_bytes(raw)
    with pytest.raises(DataError, match=reason):
        photo.read(tmp_path / "bomb.png")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_picture_is_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    suffix = data.draw(st.sampled_from(photo.SUFFIXES))
    folder = tmp_path_factory.mktemp("damaged")
    raw = bytearray(paint(folder / f"one{suffix}", 3).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (folder / f"one{suffix}").write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    with contextlib.suppress(DataError):
        pixels = photo.read(folder / f"one{suffix}")
        assert (pixels.dtype, pixels.size > 0) == (np.uint8, True)


def test_each_folder_is_a_class_and_the_background_comes_first(tmp_path: Path) -> None:
    folders(tmp_path, 2)
    paint(tmp_path / "_attic" / "old.png", 50)
    (tmp_path / "person" / "notes.txt").write_text("mine")
    dataset = image_folder.read(tmp_path)
    assert dataset.labels == ("not_person", "person")
    assert [(one.path.name, one.label, one.group) for one in dataset.recordings] == [
        ("n0.bmp", "not_person", "n0"), ("n1.bmp", "not_person", "n1"),
        ("p0.png", "person", "p0"), ("p1.png", "person", "p1"),
    ]  # fmt: skip
    assert (dataset.skipped, dataset.licence) == ((), image_folder.OWNER)


def test_unusable_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    folders(tmp_path, 2)
    (tmp_path / "person" / "broken.jpg").write_bytes(b"x")
    paint(tmp_path / "person" / "tiny.png", 1, (24, 8))
    skipped = image_folder.read(tmp_path).skipped
    assert len(skipped) == 2
    assert f"{tmp_path / 'person' / 'broken.jpg'} is no PNG" in skipped[0]
    assert f"{tmp_path / 'person' / 'tiny.png'} has 24 x 8 pixels, fewer than 16" in skipped[1]


def test_of_equal_pictures_one_is_kept_or_none_where_the_classes_differ(tmp_path: Path) -> None:
    folders(tmp_path, 3)
    pixels = photo.read(tmp_path / "person" / "p0.png")
    photo.write(tmp_path / "person" / "z_copy.png", pixels)
    Image.fromarray(photo.read(tmp_path / "person" / "p1.png")).save(
        tmp_path / "not_person" / "odd.bmp"
    )
    dataset = image_folder.read(tmp_path)
    names = {one.path.name for one in dataset.recordings}
    assert {"p0.png", "z_copy.png"} & names == {"p0.png"}
    assert {"p1.png", "odd.bmp"} & names == set()
    said = "\n".join(dataset.skipped)
    assert f"z_copy.png is a copy of {tmp_path / 'person' / 'p0.png'}" in said
    assert f"p1.png is a copy of {tmp_path / 'not_person' / 'odd.bmp'}" in said
    assert said.count("labelled not_person and person") == 2


def test_what_cannot_be_trained_on_is_refused_with_the_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none is not a folder"):
        image_folder.read(tmp_path / "none")
    paint(tmp_path / "person" / "one.png", 1)
    with pytest.raises(DataError, match=r"has 1 classes, a model needs at least 2"):
        image_folder.read(tmp_path)
    paint(tmp_path / "dog" / "one.png", 2)
    with pytest.raises(DataError, match=r"has 0 classes in which there is nothing to recognise"):
        image_folder.read(tmp_path)
    (tmp_path / "not_person").mkdir()
    with pytest.raises(DataError, match=r"not_person is empty"):
        image_folder.read(tmp_path)
    (tmp_path / "not_person" / "one.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"not_person has no usable picture: .*one.png is empty"):
        image_folder.read(tmp_path)


def test_pictures_of_other_formats_are_named_with_the_command(tmp_path: Path) -> None:
    folders(tmp_path, 2)
    (tmp_path / "person" / "a b.WebP").write_bytes(b"RIFF")
    (skipped,) = image_folder.read(tmp_path).skipped
    to = f"tinyml import {tmp_path} --to {tmp_path}_imported"
    assert skipped == f"{tmp_path}/person/a b.WebP is not PNG: {to}"
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "a.gif").write_bytes(b"GIF89a")
    with pytest.raises(DataError, match=r"dog has no usable recording: .*a\.gif is not PNG"):
        image_folder.read(tmp_path)


def captured(folder: Path, takers: Mapping[str, tuple[str, ...]], count: int = 20) -> Path:
    for label, names in takers.items():
        for who in names:
            for number in range(1, count + 1):
                seed = len(list(folder.rglob("*.png")))
                paint(folder / label / f"{who}_{number:04}.png", seed)
    return folder


def test_captured_pictures_are_divided_by_photographer_or_time(tmp_path: Path) -> None:
    alone = captured(tmp_path / "one", {"person": ("ann",), "not_person": ("ann",)})
    divided = split(image_folder.read(alone))
    names = {
        part: [one.path.stem for one in divided.parts[part] if one.label == "person"]
        for part in PARTS
    }
    assert names["test"] == ["ann_0018", "ann_0019", "ann_0020"]
    assert divided.rule.startswith("by recording, in order of time")
    assert "for another photographer was not measured" in divided.rule
    both = ("ann", "ben", "carl ray")
    several = captured(tmp_path / "three", {"person": both, "not_person": both})
    divided = split(image_folder.read(several))
    assert divided.rule.startswith("by photographer:")
    groups = [{one.group for one in divided.parts[part]} for part in PARTS]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 3


def test_numbered_pictures_of_a_class_are_by_nobody(tmp_path: Path) -> None:
    folder = captured(tmp_path, {"person": ("person",), "not_person": ("cat",)}, 3)
    assert image_folder.read(folder).by == "source picture"
    for file in list(folder.glob("*/cat_*.png")):
        check.notes_file(file).write_text("{}")
    dataset = image_folder.read(folder)
    assert dataset.by == "source picture or photographer"
    assert {one.group for one in dataset.recordings if one.label == "not_person"} == {"cat"}
    assert len({one.group for one in dataset.recordings if one.label == "person"}) == 3


def listed(folder: Path, *lines: str) -> Path:
    (folder / "files.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_list_says_what_there_is_and_under_which_licence(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    paint(folder / "a" / "COCO_val2014_000000000042.jpg", 1)
    paint(folder / "b" / "deep" / "000000000042.png", 2)
    paint(folder / "b" / "coco_000000000043.png", 3)
    paint(folder / "b" / "not_listed.png", 4)
    listed(
        folder,
        "file,label,licence,repo",
        "mine/a/COCO_val2014_000000000042.jpg,person,CC BY-SA 2.0,one/of",
        "b/deep/000000000042.png,person,CC BY 2.0,two/of",
        "b/coco_000000000043.png,not_person,CC BY 2.0,two/of",
        "b/gone.png,not_person,CC BY 2.0,two/of",
        "../outside.png,person,,",
    )
    paint(tmp_path / "outside.png", 5)
    dataset = image_folder.read(folder)
    assert [(one.group, one.part, one.source) for one in dataset.recordings] == [
        ("coco 42", TEST, "one/of"), ("coco 42", "", "two/of"), ("coco 43", "", "two/of"),
    ]  # fmt: skip
    assert dataset.licence == "CC BY 2.0 (2), CC BY-SA 2.0 (1)"
    assert [text.partition("there is no ")[2].split()[0] for text in dataset.skipped] == [
        "'b/gone.png'", "'../outside.png'",
    ]  # fmt: skip


def test_a_damaged_list_is_refused_with_the_line(tmp_path: Path) -> None:
    folders(tmp_path, 1)
    with pytest.raises(DataError, match=r"files.csv has no column label"):
        image_folder.read(listed(tmp_path, "file,licence", "person/p0.png,mine"))
    with pytest.raises(DataError, match=r"files.csv, line 3 has too few columns"):
        image_folder.read(listed(tmp_path, "file,label", "person/p0.png,person", "person/p0.png"))
    (tmp_path / "files.csv").write_bytes(b"file,label\n\xff\xfe,person\n")
    with pytest.raises(DataError, match=r"files.csv cannot be read"):
        image_folder.read(tmp_path)


@pytest.mark.parametrize(
    ("licence", "part"),
    [
        ("CC BY 2.0", ""), ("CC BY-SA 2.0", TEST), ("CC BY-NC-SA 4.0", TEST), ("", ""),
        ("Attribution-ShareAlike License", TEST), ("Attribution License", ""),
        ("Attribution-NonCommercial-ShareAlike License", TEST),
    ],
)  # fmt: skip
def test_share_alike_pictures_are_only_tested_on(licence: str, part: str) -> None:
    assert image_folder.part(licence) == part


def test_a_photograph_is_in_one_part_wherever_its_files_lie(tmp_path: Path) -> None:
    lines = ["file,label,licence"]
    for number in range(60):
        label = "person" if number % 2 else "not_person"
        licence = "CC BY-SA 2.0" if number % 7 == 0 else "CC BY 2.0"
        for place, name in (("big", f"coco_{number:012}"), ("small", f"{number:012}")):
            paint(tmp_path / place / f"{name}.png", 2 * number + (place == "big"))
            lines.append(f"{place}/{name}.png,{label},{licence}")
    parts = split(image_folder.read(listed(tmp_path, *lines)))
    groups = [{one.group for one in parts.parts[part]} for part in PARTS]
    assert not (groups[0] & groups[1] | groups[1] & groups[2] | groups[0] & groups[2])
    assert {f"coco {number}" for number in range(0, 60, 7)} <= groups[PARTS.index(TEST)]
    assert "by source picture" in parts.rule
    assert "put where their licence or source says instead: 9 in test" in parts.rule


def document(boxes: Mapping[int, list[tuple[int, list[float]]]]) -> dict[str, Any]:
    """Return annotations in COCO's form: 100 x 50 pixels, boxes by category."""
    return {
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
        "licenses": [{"id": 4, "name": "Attribution License"},
                     {"id": 5, "name": "Attribution-ShareAlike License"}],
        "images": [
            {"id": number, "width": 100, "height": 50, "file_name": f"{number:012}.jpg",
             "license": 5 if number == 3 else 4}
            for number in boxes
        ],
        "annotations": [
            {"image_id": number, "category_id": category, "bbox": box,
             "area": box[2] * box[3] / (2 if number == 6 else 1)}
            for number, some in boxes.items() for category, box in some
        ],
    }  # fmt: skip


BOXES: dict[int, list[tuple[int, list[float]]]] = {
    1: [(1, [0, 0, 5, 5]), (1, [0, 0, 12.5, 10])],  # 125 of 5000 pixels: 2.5 %
    2: [(18, [0, 0, 100, 50])],
    3: [(1, [10, 10, 50, 30])],
    4: [(1, [0, 0, 12.4, 10])],  # a person too small to count
    5: [],
    6: [(1, [0, 0, 20, 10])],  # 4 % of the picture is its box, 2 % its area
}


def test_a_person_is_one_whose_area_is_large_enough() -> None:
    assert coco.labels(document(BOXES)) == {
        1: "person", 2: "not_person", 3: "person", 4: "not_person", 5: "not_person",
        6: "not_person",
    }  # fmt: skip
    assert coco.labels(document(BOXES), least_area=0.005)[4] == "person"


def test_coco_is_read_as_far_as_its_pictures_are_there(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instances_val2017.json").write_text(json.dumps(document(BOXES)))
    for number in (1, 2, 3, 4):
        paint(tmp_path / "val2017" / f"{number:012}.jpg", number)
    dataset = coco.read(tmp_path)
    assert [(one.group, one.label, one.part, one.source) for one in dataset.recordings] == [
        ("coco 1", "person", "", "instances_val2017"),
        ("coco 2", "not_person", "", "instances_val2017"),
        ("coco 3", "person", TEST, "instances_val2017"),
        ("coco 4", "not_person", "", "instances_val2017"),
    ]
    assert dataset.labels == ("not_person", "person")
    assert "Attribution License (3), Attribution-ShareAlike License (1)" in dataset.licence


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (b"", "cannot be read"),
        (b"[]", "is no annotation file of COCO"),
        (b"{}", "is no annotation file of COCO: KeyError"),
        (json.dumps({**document(BOXES), "categories": []}).encode(), "no category person"),
        (json.dumps({**document(BOXES), "images": [3]}).encode(), "is no annotation file"),
        (json.dumps(document({})).encode(), "no usable picture of person among the 0"),
    ],
)
def test_unusable_annotations_are_named(tmp_path: Path, contents: bytes, reason: str) -> None:
    (tmp_path / "instances_val2017.json").write_bytes(contents)
    with pytest.raises(DataError, match=reason):
        coco.read(tmp_path)
