"""The stroke task: JSON of strokes in, pictures and labels out, and a hand that is simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.datasets import Dataset, split, stroke_json, wand_strokes
from tinyml.errors import ConfigError, DataError
from tinyml.features import StrokeFrontEnd
from tinyml.media import motion_csv
from tinyml.tasks import stroke


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYML_CACHE", str(tmp_path_factory.mktemp("cache")))
        return wand_strokes.generate(3, digits=("3", "7"))


def points(count: int = 8) -> list[dict[str, float]]:
    return [{"x": number, "y": number * number} for number in range(count)]


def strokes(*labels: str) -> list[dict[str, Any]]:
    return [
        {"index": at, "label": label, "strokePoints": points(8 + at)}
        for at, label in enumerate(labels)
    ]


def save(folder: Path, name: str, content: Any) -> Path:
    (folder / name).write_text(json.dumps(content))
    return folder


def test_strokes_are_read_in_order_with_their_labels(tmp_path: Path) -> None:
    save(tmp_path, "b.json", {"strokes": strokes("ring", "star", "star")[1:]})
    save(tmp_path, "a.json", {"strokes": strokes("ring")})
    found = stroke.TASK.read(tmp_path)
    assert [(one.path.name, one.number, one.label) for one in found.recordings] == [
        ("a.json", 0, "ring"), ("b.json", 0, "star"), ("b.json", 1, "star"),
    ]  # fmt: skip
    assert (found.labels, found.in_time) == (("negative", "ring", "star"), True)
    assert stroke_json.points(found.recordings[1]).shape == (9, 2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"label": "a"}, "no list of points"),
        ({"strokePoints": points()}, "no label"),
        ({"label": "a", "strokePoints": points(4)}, "4 points"),
        ({"label": "a", "strokePoints": [{"x": 1}] * 9}, "no list of points"),
        ({"label": "a", "strokePoints": [{"x": "?", "y": 1}] * 9}, "no list of points"),
        ({"label": "a", "strokePoints": [{"x": 1, "y": float("nan")}] * 9}, "not finite"),
        ({"label": "a", "strokePoints": [{"x": 1, "y": 1}] * 9}, "single point"),
        ([], "no label"),
    ],
)
def test_unusable_strokes_are_named_and_left_out(tmp_path: Path, wrong: Any, said: str) -> None:
    save(tmp_path, "s.json", {"strokes": [wrong, *strokes("a", "b")]})
    found = stroke_json.read(tmp_path)
    assert len(found.recordings) == 2
    assert "s.json, stroke 0" in found.skipped[0] or "s.json" in found.skipped[0]
    assert said in found.skipped[0]
    (tmp_path / "s.json").rename(tmp_path / "s.JSON")
    assert len(stroke_json.read(tmp_path).recordings) == 2
    save(tmp_path, "t.json", {"strokes": [wrong]})
    with pytest.raises(DataError, match=rf"t\.json has no usable stroke: .*{said}"):
        stroke_json.read(tmp_path)


@settings(max_examples=60, deadline=None)
@given(
    content=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["strokes", "label", "strokePoints", "x", "y"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_strokes_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    folder = save(tmp_path_factory.mktemp("any"), "s.json", content)
    with pytest.raises(DataError):
        stroke_json.read(folder)


def test_documents_may_say_their_source_and_part(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    for source, part in (("pen", "train"), ("wand", "train"), ("wand", "test")):
        made = [(label, draw.normal(0, 1, (8, 2))) for label in ("a", "b")]
        stated = {"source": source, "licence": f"{source}'s", "part": part}
        stroke_json.write(tmp_path / f"{source}_{part}.json", made, **stated)
    found = stroke_json.read(tmp_path)
    assert (found.in_time, found.licence) == (False, "pen's; wand's")
    assert found.source == "pen (2); wand (4)"
    divided = split(found)
    names = {
        part: {recording.path.stem for recording in recordings}
        for part, recordings in divided.parts.items()
    }
    assert names == {
        "train": {"pen_train", "wand_train"}, "validation": set(), "test": {"wand_test"},
    }  # fmt: skip
    assert divided.rule == (
        "as the source of each recording says: 4 in train, 0 in validation, 2 in test"
    )


def test_parts_that_are_none_or_said_by_some_only_are_refused(tmp_path: Path) -> None:
    save(tmp_path, "a.json", {"strokes": strokes("a", "b"), "part": "train"})
    save(tmp_path, "b.json", {"strokes": strokes("a", "b")})
    with pytest.raises(DataError, match=r"b\.json says no part"):
        stroke_json.read(tmp_path)
    save(tmp_path, "b.json", {"strokes": strokes("a", "b"), "part": "exam"})
    stroke_json._document.cache_clear()
    with pytest.raises(DataError, match=r"b\.json is of part 'exam'"):
        stroke_json.read(tmp_path)


@pytest.mark.parametrize("seed", range(20))
def test_another_hand_draws_what_is_still_like_it(seed: int) -> None:
    """A stroke is turned by at most 20 degrees and what slant and shaking add, and stays whole."""
    draw = np.random.default_rng(seed)
    upright = np.stack([np.zeros(40), np.linspace(-1, 1, 40)], 1)
    other = stroke.varied(upright, draw)
    assert np.isfinite(other).all()
    way = other[-1] - other[0]
    assert abs(np.degrees(np.arctan2(way[0], way[1]))) < 60
    assert 0.8 < np.ptp(other[:, 1]) < 4


def test_too_little_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="0 kinds of strokes"):
        stroke_json.read(tmp_path)
    (tmp_path / "more").mkdir()
    save(tmp_path / "more", "s.json", {"strokes": strokes("a", "a")})
    with pytest.raises(DataError, match="1 kinds of strokes"):
        stroke_json.read(tmp_path / "more")
    (tmp_path / "s.json").write_text("{")
    with pytest.raises(DataError, match=r"s\.json has no strokes"):
        stroke_json.read(tmp_path)


def test_recordings_of_a_sensor_are_strokes_too(tmp_path: Path) -> None:
    for label in ("3", "7"):
        (tmp_path / label).mkdir()
        for number in range(2):
            felt = wand_strokes.felt(wand_strokes.drawn(label, 0, number), number)
            motion_csv.write(tmp_path / label / f"{number}.csv", felt, wand_strokes.RATE_HZ)
    rest = wand_strokes.felt(np.zeros((50, 2)), 1)
    motion_csv.write(tmp_path / "3" / "rest.csv", rest, wand_strokes.RATE_HZ)
    found = stroke.TASK.read(tmp_path)
    assert (found.labels, len(found.recordings)) == (("negative", "3", "7"), 4)
    assert "rest.csv holds no stroke" in found.skipped[0]
    made = stroke.examples(found.recordings, found.labels)
    front_end = StrokeFrontEnd(stroke.FEATURES)
    (seen,) = front_end.push(front_end.read(found.recordings[0].path))
    assert np.array_equal(made.inputs[0].reshape(-1), seen)  # as a device draws it
    assert len(stroke.augmented(found.recordings, found.labels, 1).targets) >= 8
    still = tmp_path / "still"
    for label in ("3", "7"):
        (still / label).mkdir(parents=True)
        rest = rest[:-1]
        motion_csv.write(still / label / "0.csv", rest, wand_strokes.RATE_HZ)
    with pytest.raises(DataError, match="no recording is usable"):
        stroke.TASK.read(still)


def test_what_is_captured_is_a_stroke_with_its_rests() -> None:
    felt = wand_strokes.felt(wand_strokes.drawn("3", 0, 1), 1)
    found = stroke.active(np.concatenate([felt, felt]), wand_strokes.RATE_HZ)
    assert found is not None
    assert found[0] == 0
    assert found[1] <= len(felt)
    assert stroke.active(felt[:100], wand_strokes.RATE_HZ) is None
    at_rest, drawn = (stroke.liveliness(one.reshape(-1)) for one in (felt[:90], felt))
    assert 0 < 3 * at_rest < drawn <= 1
    assert stroke.liveliness(felt[:0].reshape(-1)) == 0


def test_examples_are_each_stroke_once(simulated: Dataset) -> None:
    made = stroke.examples(simulated.recordings, simulated.labels)
    assert (made.inputs.shape, made.inputs.dtype) == ((9, 32, 32, 3), np.int8)
    assert np.bincount(made.targets).tolist() == [3, 3, 3]
    assert stroke.examples([], simulated.labels).inputs.shape == (0, 32, 32, 3)


def test_augmentation_and_masks_follow_their_seeds(simulated: Dataset) -> None:
    first, again, other = (
        stroke.augmented(simulated.recordings, simulated.labels, seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.inputs, again.inputs)
    assert np.array_equal(first.targets, again.targets)
    assert not np.array_equal(first.inputs[:18], other.inputs[:18])
    assert np.bincount(first.targets)[1:].tolist() == [6, 6]
    assert np.bincount(first.targets)[0] >= 7  # scribbles besides
    masked = stroke.mask(first.inputs, 1)
    assert np.array_equal(masked, stroke.mask(first.inputs, 1))
    assert not np.array_equal(masked, first.inputs)
    assert np.array_equal(np.sort(masked, None), np.sort(first.inputs, None))  # moved, whole


def test_the_simulated_hand_follows_its_seed_and_draws_digits_only(simulated: Dataset) -> None:
    assert simulated.stand_in
    assert {one.group for one in simulated.recordings} == {f"simulated 0 {n}" for n in range(3)}
    assert np.array_equal(wand_strokes.drawn("3", 0, 1), wand_strokes.drawn("3", 0, 1))
    assert not np.array_equal(wand_strokes.drawn("3", 0, 1), wand_strokes.drawn("3", 0, 2))
    with pytest.raises(ConfigError, match="no simulation of ring"):
        wand_strokes.generate(1, digits=("ring",))
