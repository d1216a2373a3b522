"""Recordings of motion: text files, folders of CSV files, and simulated ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml.datasets import PARTS, Dataset, check, magic_wand, motion_folder, split, wand
from tinyml.errors import ConfigError, DataError
from tinyml.media import motion_csv


def text(folder: Path, name: str, recordings: int, samples: int = 6) -> Path:
    """Write recordings whose first sample is their number; other names give other motion."""
    lines = []
    z = 1000 if "ring" in name else 900 + len(name)
    for number in range(recordings):
        lines += ["-,-,-", *[f"{number}.25, {row}, {z}" for row in range(samples)], ""]
    path = folder / name
    path.write_text("\n".join(lines))
    return path


def csv(folder: Path, name: str) -> Path:
    path = folder / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(list(name.encode()))
    motion_csv.write(path, draw.normal(600, 50, (20, 3)).astype(np.int16), 100)
    return path


def test_text_files_become_numbered_recordings(tmp_path: Path) -> None:
    text(tmp_path, "gesture_ring.txt", 3)
    text(tmp_path, "gesture_negative.txt", 2)
    dataset = magic_wand.read(tmp_path)
    assert [(one.label, one.number) for one in dataset.recordings] == [
        ("negative", 0), ("negative", 1), ("ring", 0), ("ring", 1), ("ring", 2),
    ]  # fmt: skip
    assert dataset.labels == ("negative", "ring")
    assert (dataset.source, dataset.licence) == (tmp_path.name, check.OWNERS)
    samples = magic_wand.motion(dataset.recordings[3], 50)
    assert samples.dtype == np.int16
    assert samples[:, 2].tolist() == [1000] * 11
    assert samples[:5, 1].tolist() == [0, 0, 1, 2, 2]
    assert samples[0, 0] == 1


def test_a_recording_that_is_there_twice_counts_once_and_is_named_once(tmp_path: Path) -> None:
    text(tmp_path, "gesture_negative.txt", 2)
    path = text(tmp_path, "gesture_ring.txt", 2)
    path.write_text(f"{path.read_text()}\n-,-,-\n" + "\n".join(path.read_text().split("\n")[1:7]))
    dataset = magic_wand.read(tmp_path)
    assert sum(one.label == "ring" for one in dataset.recordings) == 2
    (copy,) = dataset.skipped
    assert "is a copy of" in copy


@pytest.mark.parametrize("line", ["1, 2", "1, 2, x", "1, nan, 3", "1, 2, inf", "1, 2, 3, 4"])
def test_a_damaged_recording_is_left_out_and_named(tmp_path: Path, line: str) -> None:
    text(tmp_path, "gesture_ring.txt", 1)
    text(tmp_path, "gesture_negative.txt", 1)
    path = tmp_path / "gesture_ring.txt"
    path.write_text(path.read_text() + "-,-,-\n" + "1, 2, 3\n" * 5 + line + "\n-,-,-\n1, 2, 3\n")
    dataset = magic_wand.read(tmp_path)
    assert sum(one.label == "ring" for one in dataset.recordings) == 1
    damaged, short = dataset.skipped
    assert "gesture_ring.txt, line" in damaged
    assert "a recording of 1 samples" in short


def test_text_files_that_are_none_are_refused(tmp_path: Path) -> None:
    text(tmp_path, "gesture_ring.txt", 1)
    with pytest.raises(DataError, match="has 1 gestures"):
        magic_wand.read(tmp_path)
    for contents in ("", "1, 2, 3\n"):
        (tmp_path / "gesture_wing.txt").write_text(contents)
        with pytest.raises(DataError, match=r"gesture_wing\.txt has no line -,-,-"):
            magic_wand.read(tmp_path)
        magic_wand._recordings.cache_clear()
    (tmp_path / "gesture_wing.txt").write_bytes(b"-,-,-\n\xff\xfe")
    with pytest.raises(DataError, match=r"gesture_wing\.txt cannot be read"):
        magic_wand.read(tmp_path)


def test_a_folder_per_gesture(tmp_path: Path) -> None:
    for name in ("squat/1", "squat/2", "negative/1", "_ignored/1"):
        csv(tmp_path, name)
    (tmp_path / "squat" / "3.csv").write_text("time_ms,x_mg\n")
    (tmp_path / "squat" / "2.csv").rename(tmp_path / "squat" / "2.CSV")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("no gesture")
    dataset = motion_folder.read(tmp_path)
    assert dataset.labels == ("negative", "squat")
    assert [one.path.name for one in dataset.recordings] == ["1.csv", "1.csv", "2.CSV"]
    assert len(dataset.skipped) == 1
    assert "3.csv has no column" in dataset.skipped[0]


def test_folders_without_gestures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing cannot be read"):
        motion_folder.read(tmp_path / "missing")
    csv(tmp_path, "squat/1")
    with pytest.raises(DataError, match="has 1 gestures"):
        motion_folder.read(tmp_path)
    (tmp_path / "jump").mkdir()
    with pytest.raises(DataError, match="jump is empty"):
        motion_folder.read(tmp_path)
    (tmp_path / "jump" / "1.xlsx").write_text("")
    with pytest.raises(
        DataError, match=r"jump has no usable recording: .*1\.xlsx is not CSV: save"
    ):
        motion_folder.read(tmp_path)
    (tmp_path / "jump" / "1.csv").write_text("")
    with pytest.raises(DataError, match="jump has no usable recording"):
        motion_folder.read(tmp_path)


def test_times_in_other_units_are_named_with_the_unit(tmp_path: Path) -> None:
    for name in ("squat/1", "squat/2", "negative/1"):
        csv(tmp_path, name)
    rows = [line.split(",") for line in (tmp_path / "squat/1.csv").read_text().splitlines()]
    for name, factor, unit in (("a", 0.001, "seconds"), ("b", 1000, "microseconds")):
        lines = [rows[0], *([f"{float(time) * factor}", *xyz] for time, *xyz in rows[1:])]
        path = tmp_path / "squat" / f"{name}.csv"
        path.write_text("\n".join(map(",".join, lines)))
        skipped = motion_folder.read(tmp_path).skipped
        assert len(skipped) == 1
        assert f"time_ms is probably in {unit}" in skipped[0]
        path.unlink()


def test_performers_in_names_are_told_apart_where_several_made_each_gesture(
    tmp_path: Path,
) -> None:
    for label in ("squat", "negative"):
        for number in range(1, 21):
            csv(tmp_path, f"{label}/{number:04}_ann")
    divided = split(motion_folder.read(tmp_path))
    assert divided.rule.startswith("by recording, in order of time")
    assert "for another performer was not measured" in divided.rule
    for label in ("squat", "negative"):
        for number in range(1, 21):
            csv(tmp_path, f"{label}/{number:04}_ben lee")
    divided = split(motion_folder.read(tmp_path))
    assert divided.rule.startswith("by performer:")
    groups = [{one.group for one in divided.parts[part]} for part in PARTS]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 2
    csv(tmp_path, "jump/0001_ann")
    assert motion_folder.read(tmp_path).in_time


def test_one_performers_recordings_are_split_in_time(tmp_path: Path) -> None:
    text(tmp_path, "ring.txt", 20)
    text(tmp_path, "slope.txt", 40)
    text(tmp_path, "negative.txt", 3)
    divided = split(magic_wand.read(tmp_path))
    numbers = {
        part: [one.number for one in divided.parts[part] if one.label == "ring"] for part in PARTS
    }
    assert numbers == {"train": list(range(15)), "validation": [15, 16], "test": [17, 18, 19]}
    assert sum(len(part) for part in divided.parts.values()) == 63
    assert "in order of time" in divided.rule


def test_too_few_to_test_on_are_refused(tmp_path: Path) -> None:
    text(tmp_path, "ring.txt", 2)
    text(tmp_path, "negative.txt", 20)
    with pytest.raises(DataError, match="too few recordings of ring"):
        split(magic_wand.read(tmp_path))


def test_the_simulation_follows_its_seed_and_stays_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path))
    seen: list[tuple[int, int]] = []
    first = wand.generate(2, 3, lambda *step: seen.append(step))
    assert first == wand.generate(2, 3)
    assert seen[-1] == (6, 6)
    assert isinstance(first, Dataset)
    assert first.stand_in
    assert first.labels == ("negative", "ring", "slope")
    rule = split(first).rule
    assert rule.startswith("by performer:")
    assert "background" not in rule
    motions = [motion_csv.read(one.path, wand.RATE_HZ) for one in first.recordings]
    assert np.array_equal(motions[1], wand.simulated("ring", 3, 0))
    assert not np.array_equal(wand.simulated("ring", 3, 0), wand.simulated("ring", 4, 0))
    for motion in motions:
        rest = np.linalg.norm(motion[:40].mean(axis=0))
        assert 950 < rest < 1050
    with pytest.raises(ConfigError, match="no simulation of squat"):
        wand.generate(1, gestures=("ring", "squat"))
