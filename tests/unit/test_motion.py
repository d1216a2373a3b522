"""The motion front end: what motion.h says, in exact arithmetic, however the samples arrive."""

from __future__ import annotations

import math
from fractions import Fraction
from math import floor

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml import features
from tinyml.errors import ConfigError, DataError
from tinyml.features import MotionFrontEnd
from tinyml.records import FeatureConfig

Samples = npt.NDArray[np.int16]


def config(**changes: float) -> FeatureConfig:
    params = {"sample_rate_hz": 100, "stride_ms": 40, "gravity_ms": 2000, "range_mg": 4000}
    return FeatureConfig("motion", {**params, **changes})


def noise(count: int, seed: int = 1, amplitude: int = 32768) -> Samples:
    drawn = np.random.default_rng(seed).integers(-amplitude, amplitude, (count, 3))
    return drawn.astype(np.int16)


def nearest(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def expected(
    samples: Samples, rate_hz: int, stride_ms: int, gravity_ms: int, range_mg: int
) -> Samples:
    """Rows of one axis after the other, in fractions and Python's integers."""
    rows, start = [], 0
    gravity: list[int] | None = None
    share = 65536 * stride_ms // gravity_ms if gravity_ms else 0
    while (end := -(-(len(rows) + 1) * rate_hz * stride_ms // 1000)) <= len(samples):
        sums = samples[start:end].astype(int).sum(axis=0).tolist()
        means = [nearest(Fraction(one, end - start)) for one in sums]
        start = end
        if gravity_ms:
            gravity = gravity or [mean * 256 for mean in means]
            gravity = [
                g + ((m * 256 - g) * share >> 16) for g, m in zip(gravity, means, strict=True)
            ]
            means = [m - nearest(Fraction(g, 256)) for g, m in zip(gravity, means, strict=True)]
        steps = [nearest(Fraction(mean * 128, range_mg)) for mean in means]
        rows.append([min(127, max(-128, step)) for step in steps])
    return np.array(rows, np.int16).reshape(-1, 3)


@settings(max_examples=100, deadline=None)
@given(
    rate_hz=st.integers(25, 1000),
    stride_ms=st.integers(40, 200),
    gravity_ms=st.sampled_from([0, 200, 1000, 2000, 60000]),
    range_mg=st.sampled_from([1, 999, 2000, 4000, 32767]),
    amplitude=st.sampled_from([4, 1500, 32768]),
)
def test_rows_are_what_the_header_says(
    rate_hz: int, stride_ms: int, gravity_ms: int, range_mg: int, amplitude: int
) -> None:
    samples = noise(300, amplitude=amplitude)
    settings = (rate_hz, stride_ms, gravity_ms, range_mg)
    names = ("sample_rate_hz", "stride_ms", "gravity_ms", "range_mg")
    rows = MotionFrontEnd(config(**dict(zip(names, settings, strict=True)))).push(samples)
    assert np.array_equal(rows, expected(samples, *settings))


@settings(max_examples=50, deadline=None)
@given(
    rate_hz=st.sampled_from([25, 100, 104, 119]),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_how_samples_are_cut_into_pushes_changes_nothing(rate_hz: int, cuts: list[int]) -> None:
    samples, front_end = noise(400), MotionFrontEnd(config(sample_rate_hz=rate_hz))
    whole = front_end.push(samples)
    front_end.reset()
    pieces = [front_end.push(piece) for piece in np.split(samples, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("rate_hz", [25, 26, 100, 104, 119, 1000])
def test_a_row_comes_with_the_sample_that_completes_it(rate_hz: int) -> None:
    front_end = MotionFrontEnd(config(sample_rate_hz=rate_hz))
    assert front_end.samples_for(0) == 0
    for rows in (1, 2, 7, 25):
        samples = noise(front_end.samples_for(rows))
        front_end.reset()
        assert len(front_end.push(samples[:-1])) == rows - 1
        assert len(front_end.push(samples[-1:])) == 1


def test_a_device_at_rest_gives_zeros_in_any_position() -> None:
    for position in ([0, 0, 1000], [-577, 577, 577], [1000, 0, 0]):
        samples = np.tile(np.array(position, np.int16), (400, 1))
        assert not MotionFrontEnd(config()).push(samples).any()


def test_gravity_follows_a_turn_and_can_be_kept() -> None:
    turn = np.array([[0, 0, 1000]] * 400 + [[0, 1000, 0]] * 2000, np.int16)
    rows = MotionFrontEnd(config()).push(turn)
    assert rows[100].tolist() == [0, 31, -31]
    assert not rows[-1].any()
    kept = MotionFrontEnd(config(gravity_ms=0)).push(turn)
    assert kept[0].tolist() == [0, 0, 32]
    assert kept[-1].tolist() == [0, 32, 0]


def test_a_pause_is_rest_in_the_last_position() -> None:
    front_end = MotionFrontEnd(config())
    pause = front_end.pause(3, np.array([[1, 2, 3], [4, 5, 6]], np.int16))
    assert (pause.dtype, pause.tolist()) == (np.int16, [[4, 5, 6]] * 3)
    assert front_end.pause(2).tolist() == [[0, 0, 1000]] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_rate_hz": 24},
        {"sample_rate_hz": 0},
        {"sample_rate_hz": 10001},
        {"sample_rate_hz": 99.5},
        {"stride_ms": 0},
        {"stride_ms": 1001},
        {"gravity_ms": 39},
        {"gravity_ms": 60001},
        {"range_mg": 0},
        {"range_mg": 32768},
        {"range_mg": math.nan},
        {"range_mg": math.inf},
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ConfigError) as caught:
        features.check(config(**changes))
    assert str(next(iter(changes.values()))) in caught.value.message


def test_samples_of_another_kind_are_refused() -> None:
    front_end = MotionFrontEnd(config())
    for wrong in (np.zeros((4, 3), np.float32), np.zeros(12, np.int16), np.zeros((4, 2), np.int16)):
        with pytest.raises(DataError, match=r"int16 samples \[n, 3\]"):
            front_end.push(wrong)


def test_every_front_end_loads_by_its_name() -> None:
    assert isinstance(features.load(config()), MotionFrontEnd)
    audio = features.load(FeatureConfig("audio", {"stride_ms": 20}))
    assert (audio.rate_hz, audio.channels, audio.row_bytes) == (16000, 1, 40)
    assert [audio.samples_for(rows) for rows in (0, 1, 49)] == [0, 480, 15840]
    assert audio.pause(3).tolist() == [0, 0, 0]
    with pytest.raises(ConfigError, match="no front end 'motoin'"):
        features.load(FeatureConfig("motoin", {}))
