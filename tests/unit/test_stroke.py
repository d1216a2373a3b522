"""The stroke front end: strokes come out as they were drawn, however the wand is held."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml import features
from tinyml.datasets import clips, wand_strokes
from tinyml.errors import ConfigError, DataError
from tinyml.features import StrokeFrontEnd, stroke_picture
from tinyml.records import FeatureConfig

PARAMS = {
    "sample_rate_hz": 100, "rest_ms": 350, "still_mg": 150, "still_ddps": 150, "least_ddeg": 100,
    "longest_ms": 6000, "axis": 1,
}  # fmt: skip
BLACK = -128
# How the sensor's axes lie in a wand that it is turned in, by the axis that then points ahead.
TURNS = {1: [0, 1, 2], 2: [2, 0, 1], 3: [1, 2, 0]}


def config(**changes: float) -> FeatureConfig:
    return FeatureConfig("stroke", {**PARAMS, **changes})


def pictures(samples: np.ndarray, **changes: float) -> np.ndarray:
    return StrokeFrontEnd(config(**changes)).push(samples).reshape(-1, 32, 32, 3)


def alike(picture: np.ndarray, other: np.ndarray) -> float:
    """Return the share of drawn pixels of `picture` that `other` has within two pixels."""
    there = (other > BLACK).any(axis=2)
    near = np.zeros_like(there)
    for down in range(-2, 3):
        for across in range(-2, 3):
            near |= np.roll(there, (down, across), (0, 1))
    drawn = (picture > BLACK).any(axis=2)
    return float(near[drawn].mean())


@pytest.mark.parametrize("digit", wand_strokes.DIGITS)
def test_a_stroke_looks_as_it_was_drawn_with_a_drifting_sensor(digit: str) -> None:
    for number in range(3):
        points = wand_strokes.drawn(digit, 5, number)
        (seen,) = pictures(wand_strokes.felt(points, number))
        meant = stroke_picture(points)
        assert alike(seen, meant) > 0.9
        assert alike(meant, seen) > 0.9


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2, -3])
def test_any_axis_may_point_ahead(axis: int) -> None:
    points = wand_strokes.drawn("6", 5, 1)
    felt = wand_strokes.felt(points, 1).astype(np.int32)
    if axis < 0:  # half a turn about what is up: x and y change sign
        felt = felt * [-1, -1, 1, -1, -1, 1]
    order = TURNS[abs(axis)]
    turned = felt[:, [*order, *(3 + one for one in order)]].astype(np.int16)
    (seen,) = pictures(turned, axis=axis)
    assert alike(seen, stroke_picture(points)) > 0.9


def test_strokes_follow_one_another_and_end_with_their_rest() -> None:
    felt = [wand_strokes.felt(wand_strokes.drawn(one, 5, 2), 2) for one in "123"]
    front_end = StrokeFrontEnd(config())
    assert front_end.samples_for(0) == 0
    rows = front_end.push(np.concatenate(felt))
    assert len(rows) == 3
    ends = [front_end.samples_for(number) for number in (1, 2, 3)]
    bounds = np.cumsum([0, *(len(one) for one in felt)])
    for end, begin, after in zip(ends, bounds, bounds[1:], strict=False):
        assert begin + 100 < end <= after


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 1500), max_size=12))
def test_how_samples_are_cut_into_pushes_changes_nothing(cuts: list[int]) -> None:
    felt = [wand_strokes.felt(wand_strokes.drawn(one, 6, 1), 1) for one in "47"]
    samples, front_end = np.concatenate(felt), StrokeFrontEnd(config())
    whole = front_end.push(samples)
    ends = [front_end.samples_for(number) for number in (1, 2)]
    front_end.reset()
    pieces = [front_end.push(piece) for piece in np.split(samples, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert [front_end.samples_for(number) for number in (1, 2)] == ends


def test_a_drift_that_changes_is_learned_at_rest() -> None:
    front_end = StrokeFrontEnd(config())
    felt = wand_strokes.felt(wand_strokes.drawn("3", 5, 1), 1)
    warmer = felt + np.array([0, 0, 0, 90, -90, 120], np.int16)
    rows = front_end.push(np.concatenate([felt, warmer]))
    assert len(rows) in (2, 3)  # before it is learned, it may pass for a slow stroke
    assert alike(rows[-1].reshape(32, 32, 3), rows[0].reshape(32, 32, 3)) > 0.9


def test_clips_are_joined_by_pauses_that_end_strokes() -> None:
    felt = [wand_strokes.felt(wand_strokes.drawn(one, 5, 1), 1)[:-60] for one in "25"]
    front_end = StrokeFrontEnd(config())
    played = [clips.Clip(f"{number}.csv", None, one) for number, one in enumerate(felt)]
    samples, starts = clips.joined(played, 100, front_end)
    assert starts == [0, len(felt[0]) + 100]
    assert len(front_end.push(samples)) == 2


def test_rest_small_and_endless_motions_are_no_strokes() -> None:
    points = wand_strokes.drawn("0", 5, 1)
    assert not len(pictures(wand_strokes.felt(points[:1].repeat(50, 0), 1)))
    small = points * (0.06 / np.ptp(points, axis=0).max())  # 5 degrees
    assert not len(pictures(wand_strokes.felt(small, 1)))
    assert not len(pictures(wand_strokes.felt(points, 1), longest_ms=1000))
    front_end = StrokeFrontEnd(config())
    assert not len(front_end.push(front_end.pause(1000)))


def test_after_a_motion_that_was_too_long_strokes_count_again() -> None:
    long = wand_strokes.felt(np.tile(wand_strokes.drawn("8", 5, 1), (6, 1)), 1)
    (seen,) = pictures(np.concatenate([long, wand_strokes.felt(wand_strokes.drawn("2", 5, 1), 1)]))
    assert alike(seen, stroke_picture(wand_strokes.drawn("2", 5, 1))) > 0.9


def test_a_picture_is_centred_fills_the_frame_and_shows_time_as_colour() -> None:
    line = np.stack([np.linspace(0, 3, 200), np.zeros(200)], 1)
    picture = stroke_picture(line)
    drawn = np.argwhere((picture > BLACK).any(axis=2))
    assert {row for row, _ in drawn} == {16}
    assert [drawn[:, 1].min(), drawn[:, 1].max()] == [3, 28]
    colours = picture[16, 3:29].astype(int) + 128
    assert np.all(np.diff(colours[:, 0]) <= 0)
    assert np.all(np.diff(colours[:, 2]) >= 0)
    assert colours[0, 0] > 220
    assert colours[-1, 2] > 220
    assert colours[13, 1] > 220
    upwards = stroke_picture(line[:, ::-1])
    assert np.argmax(upwards[27, 16]) == 0  # y is up: a stroke upwards begins at the bottom


@settings(max_examples=100, deadline=None)
@given(
    # In thousandths: moving points of less than that by 3 would make others of them.
    points=st.lists(
        st.tuples(*[st.integers(-(10**9), 10**9).map(lambda value: value / 1000)] * 2),
        min_size=1,
        max_size=200,
    ),
    scale=st.sampled_from([1.0, 1e-3, 7.0]),
)
def test_every_stroke_has_a_picture_and_size_and_place_do_not_matter(
    points: list[tuple[float, float]], scale: float
) -> None:
    stroke = np.array(points)
    picture = stroke_picture(stroke)
    assert picture.shape == (32, 32, 3)
    moved = stroke_picture(stroke * scale + 3 * scale)
    # Rounding to a grid of 16384 may move a point by a pixel.
    assert abs(int((picture > BLACK).sum()) - int((moved > BLACK).sum())) <= 40 + len(points)
    rest = np.repeat(stroke[:1], 30, 0)
    assert np.array_equal(stroke_picture(np.concatenate([rest, stroke])), picture)


def test_points_in_one_place_are_a_black_picture() -> None:
    assert np.all(stroke_picture(np.ones((9, 2))) == BLACK)


@pytest.mark.parametrize(
    "points", [np.zeros((0, 2)), np.zeros((4, 3)), np.zeros(4), np.array([[0, np.nan]])]
)
def test_points_of_another_kind_are_refused(points: np.ndarray) -> None:
    with pytest.raises(DataError, match="a stroke"):
        stroke_picture(points)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    front_end = StrokeFrontEnd(config())
    samples = wand_strokes.felt(wand_strokes.drawn("3", 5, 1), 1)
    front_end.write(tmp_path / "a.csv", samples)
    assert (
        (tmp_path / "a.csv")
        .read_text()
        .startswith("time_ms,x_mg,y_mg,z_mg,x_ddps,y_ddps,z_ddps\n0,")
    )
    assert np.array_equal(front_end.read(tmp_path / "a.csv"), samples)
    (tmp_path / "b.csv").write_text("time_ms,x_mg,y_mg,z_mg\n0,1,2,3\n10,1,2,3\n")
    with pytest.raises(DataError, match="no column x_ddps, y_ddps, z_ddps"):
        front_end.read(tmp_path / "b.csv")


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_rate_hz": 24}, {"sample_rate_hz": 1001}, {"rest_ms": 39}, {"rest_ms": 20001},
        {"still_mg": 0}, {"still_ddps": 10001}, {"least_ddeg": 901}, {"longest_ms": 350},
        {"axis": 0}, {"axis": 4}, {"axis": 1.5}, {"axis": math.nan}, {"axis": math.inf},
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        features.check(config(**changes))


def test_samples_of_another_kind_are_refused() -> None:
    for wrong in (np.zeros((4, 6), np.float32), np.zeros(12, np.int16), np.zeros((4, 3), np.int16)):
        with pytest.raises(DataError, match=r"int16 samples \[n, 6\]"):
            StrokeFrontEnd(config()).push(wrong)
