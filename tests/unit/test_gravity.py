"""The unit that motion is in, from what it measures at rest, and where readers ask for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml.datasets import clips, magic_wand, motion_folder
from tinyml.errors import DataError
from tinyml.features.motion import MotionFrontEnd
from tinyml.media import gravity
from tinyml.records import FeatureConfig

RATE_HZ = 50
UNITS = {"g": 1, "m/s2": 9.80665, "1/4,096 g": 4096, "1/2,048 g": 2048, "1/256 g": 256}
CONFIG = FeatureConfig(
    "motion", {"sample_rate_hz": 50, "stride_ms": 20, "gravity_ms": 0, "range_mg": 4000}
)


def swings(seed: int, rest: bool, count: int = 12) -> list[npt.NDArray[np.float64]]:
    """Motion in g, [100, 3]: held anyhow, swung at up to 2 g; with a quarter of rest before."""
    draw = np.random.default_rng(seed)
    recordings = []
    for _ in range(count):
        down = draw.normal(0, 1, 3)
        pull = 2 * np.sin(np.arange(100) / draw.uniform(2, 5))[:, np.newaxis] * draw.normal(0, 1, 3)
        if rest:
            pull[:25] = 0
        noise = draw.normal(0, 0.005, (100, 3))
        recordings.append(down / np.linalg.norm(down) + pull / 2 + noise)
    return recordings


@given(st.integers(0, 1000), st.booleans(), st.sampled_from(sorted(UNITS)))
def test_units_are_told_by_rest_and_by_average(seed: int, rest: bool, unit: str) -> None:
    measured = gravity.measure((motion * UNITS[unit], RATE_HZ) for motion in swings(seed, rest))
    assert measured is not None
    assert (measured.still > 0) == rest
    assert unit in measured.problem()
    fitting = gravity.measure((motion * 1000, RATE_HZ) for motion in swings(seed, rest))
    assert fitting is not None
    assert fitting.problem() == ""


def test_gravity_that_was_taken_out_is_said() -> None:
    linear = [motion - motion.mean(0) for motion in swings(1, rest=False)]
    measured = gravity.measure((motion * 9.8, RATE_HZ) for motion in linear)
    assert measured is not None
    assert "gravity was taken out" in measured.problem()


def test_nothing_measures_nothing() -> None:
    assert gravity.measure([]) is None
    assert gravity.measure([(np.zeros((0, 3)), RATE_HZ)]) is None


def folder_of_counts(folder: Path, per_g: float) -> Path:
    for label, seed in (("ring", 1), ("slope", 2)):
        (folder / label).mkdir(parents=True)
        for number, motion in enumerate(swings(seed, rest=True)):
            rows = [f"{20 * at},{x:.0f},{y:.0f},{z:.0f}" for at, (x, y, z)
                    in enumerate(motion * per_g)]  # fmt: skip
            text = "\n".join(["time_ms,x_mg,y_mg,z_mg", *rows])
            (folder / label / f"{number}.csv").write_text(text)
    return folder


@pytest.mark.parametrize("per_g", [4096, 2048, 256])
def test_raw_counts_are_refused_with_the_same_words_wherever_motion_is_read(
    tmp_path: Path, per_g: int
) -> None:
    folder = folder_of_counts(tmp_path / "counts", per_g)
    with pytest.raises(DataError, match=f"counts of 1/{per_g:,} g: multiply by") as trained:
        motion_folder.read(folder)
    with pytest.raises(DataError) as played:
        clips.load([folder], MotionFrontEnd(CONFIG))
    assert played.value.message == trained.value.message
    assert motion_folder.read(folder_of_counts(tmp_path / "milli_g", 1000)).labels


def test_one_performer_in_another_unit_is_named(tmp_path: Path) -> None:
    for name, per_g in (("ada", 1000.0), ("bob", 9.80665)):
        for label in ("ring", "wing"):
            rows = [
                line
                for motion in swings(len(label), rest=True, count=4)
                for line in (
                    "-,-,-",
                    *(", ".join(f"{v:.2f}" for v in row) for row in motion * per_g),
                )
            ]
            (tmp_path / f"output_{label}_{name}.txt").write_text("\n".join(rows))
    with pytest.raises(DataError, match=r"acceleration by bob .* m/s2: multiply by 101\.97"):
        magic_wand.read(tmp_path)
