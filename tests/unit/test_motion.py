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
from tinyml.datasets import wand
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


def unit(vector: list[int], least: int) -> list[int] | None:
    """The direction of `vector` with 14 fraction bits; None where it is too short."""
    length = math.isqrt(sum(one * one for one in vector))
    return [nearest(Fraction(one * 16384, length)) for one in vector] if length >= least else None


def along(a: list[int], b: list[int]) -> int:
    return nearest(Fraction(sum(x * y for x, y in zip(a, b, strict=True)), 16384))


def level(up: list[int], axis: list[int]) -> list[int] | None:
    height = along(up, axis)
    flat = [a - nearest(Fraction(height * u, 16384)) for a, u in zip(axis, up, strict=True)]
    return unit(flat, 4096)


class Frame:
    """Level, level and up, as they follow gravity."""

    def __init__(self) -> None:
        self.axes = [[16384, 0, 0], [0, 16384, 0], [0, 0, 16384]]

    def follow(self, gravity: list[int], begins: bool) -> None:
        up = unit([nearest(Fraction(one, 256)) for one in gravity], 64)
        if up is None:
            return
        first = None if begins else level(up, self.axes[0])
        if first is None:
            flattest = min(range(3), key=lambda axis: (abs(up[axis]), axis))
            first = level(up, [16384 * (axis == flattest) for axis in range(3)])
        assert first is not None
        crossed = np.cross(up, first).tolist()
        self.axes = [first, [nearest(Fraction(one, 16384)) for one in crossed], up]


def expected(
    samples: Samples,
    rate_hz: int,
    stride_ms: int,
    gravity_ms: int,
    range_mg: int,
    upright: int = 0,
) -> Samples:
    """Rows of one axis after the other, in fractions and Python's integers."""
    rows, start = [], 0
    gravity: list[int] | None = None
    frame = Frame()
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
        if upright and gravity:
            frame.follow(gravity, begins=not rows)
            means = [along(axis, means) for axis in frame.axes]
        steps = [nearest(Fraction(mean * 128, range_mg)) for mean in means]
        rows.append([min(127, max(-128, step)) for step in steps])
    return np.array(rows, np.int16).reshape(-1, 3)


@settings(max_examples=100, deadline=None)
@given(
    rate_hz=st.integers(25, 1000),
    stride_ms=st.integers(40, 200),
    gravity_ms=st.sampled_from([0, 200, 1000, 2000, 60000]),
    range_mg=st.sampled_from([1, 999, 2000, 4000, 32767]),
    upright=st.sampled_from([0, 1]),
    amplitude=st.sampled_from([4, 90, 1500, 32768]),
)
def test_rows_are_what_the_header_says(
    rate_hz: int, stride_ms: int, gravity_ms: int, range_mg: int, upright: int, amplitude: int
) -> None:
    samples = noise(300, amplitude=amplitude)
    settings = (rate_hz, stride_ms, gravity_ms, range_mg, min(upright, gravity_ms))
    names = ("sample_rate_hz", "stride_ms", "gravity_ms", "range_mg", "upright")
    rows = MotionFrontEnd(config(**dict(zip(names, settings, strict=True)))).push(samples)
    assert np.array_equal(rows, expected(samples, *settings))


def test_a_bundle_that_says_nothing_of_its_position_keeps_the_axes() -> None:
    samples = noise(300, amplitude=1500)
    rows = MotionFrontEnd(config()).push(samples)
    assert np.array_equal(rows, MotionFrontEnd(config(upright=0)).push(samples))
    assert not np.array_equal(rows, MotionFrontEnd(config(upright=1)).push(samples))


@pytest.mark.parametrize("seed", range(12))
def test_upright_rows_are_alike_however_the_board_is_mounted(seed: int) -> None:
    """What is along gravity is the same, what is level the same but for its heading."""
    moved = wand.simulated("ring", 3, 1).astype(float)
    mounting = np.linalg.qr(np.random.default_rng(seed).normal(0, 1, (3, 3)))[0]
    mounting[:, 0] *= np.linalg.det(mounting)
    front_end = MotionFrontEnd(config(upright=1, range_mg=2000))
    plain = front_end.push(np.rint(moved).astype(np.int16)).astype(int)
    front_end.reset()
    turned = front_end.push(np.rint(moved @ mounting.T).astype(np.int16)).astype(int)
    assert np.abs(plain).max() > 20
    assert np.abs(plain[:, 2] - turned[:, 2]).max() <= 1
    complex_plain, complex_turned = (rows[:, 0] + 1j * rows[:, 1] for rows in (plain, turned))
    heading = np.vdot(complex_plain, complex_turned)
    heading /= abs(heading)
    assert np.abs(complex_plain * heading - complex_turned).max() < 3


def test_upright_follows_a_turn_through_upside_down() -> None:
    """Turned about a level axis all the way round, a level push along it stays where it was."""
    angles = np.linspace(0, 2 * np.pi, 3000)
    felt = 1000 * np.stack([0 * angles, np.sin(angles), np.cos(angles)], 1)
    felt[:, 0] += 300 * np.sin(np.arange(3000) / 20)
    samples = np.rint(felt).astype(np.int16)
    settings = {"gravity_ms": 200, "range_mg": 2000}
    pushes = MotionFrontEnd(config(**settings)).push(samples)[20:, 0].astype(int)
    rows = MotionFrontEnd(config(upright=1, **settings)).push(samples)[20:].astype(int)
    level = rows[:, 0] + 1j * rows[:, 1]
    heading = np.vdot(level, pushes)
    assert np.abs(pushes).max() > 5
    assert np.abs(level * heading / abs(heading) - pushes).max() < 3


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
        {"upright": 2},
        {"upright": -1},
        {"range_mg": math.nan},
        {"range_mg": math.inf},
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ConfigError) as caught:
        features.check(config(**changes))
    assert str(next(iter(changes.values()))) in caught.value.message


def test_what_is_upright_needs_gravity() -> None:
    with pytest.raises(ConfigError, match="gravity_ms 0 and upright 1"):
        features.check(config(gravity_ms=0, upright=1))


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
