"""The gesture task: its examples are what it says they are, and follow their seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml.datasets import Dataset, wand
from tinyml.tasks import _motion, gesture


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYML_CACHE", str(tmp_path_factory.mktemp("cache")))
        return wand.generate(4)


def test_examples_are_each_recording_once_at_rest_around(simulated: Dataset) -> None:
    made = gesture.examples(simulated.recordings, simulated.labels)
    assert made.inputs.shape == (12, 64, 3, 1)
    assert made.inputs.dtype == np.int8
    assert np.bincount(made.targets).tolist() == [4, 4, 4]
    gestures = np.abs(made.inputs[made.targets > 0].astype(int))
    assert gestures[:, :4].max() <= 12
    assert gestures.max(axis=(1, 2, 3)).min() > 12


def test_augmentation_and_masks_follow_their_seeds(simulated: Dataset) -> None:
    first, again, other = (
        gesture.augmented(simulated.recordings, simulated.labels, seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.inputs, again.inputs)
    assert np.array_equal(first.targets, again.targets)
    assert not np.array_equal(first.inputs, other.inputs)
    assert np.bincount(first.targets).tolist() == [4 + 8 + 4, 4, 4]
    before = first.inputs.copy()
    masked = gesture.mask(first.inputs, 1)
    assert np.array_equal(first.inputs, before)
    assert np.array_equal(masked, gesture.mask(first.inputs, 1))
    assert not np.array_equal(masked, gesture.mask(first.inputs, 2))


def test_data_is_text_or_a_folder_per_gesture(tmp_path: Path, simulated: Dataset) -> None:
    for one in simulated.recordings:
        target = tmp_path / "folders" / one.label / one.path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(one.path.read_bytes())
    found = gesture.TASK.read(tmp_path / "folders")
    assert (found.labels, len(found.recordings)) == (simulated.labels, 12)
    (tmp_path / "text").mkdir()
    for label, y in (("ring", 2), ("slope", 3)):
        lines = "-,-,-\n" + f"1, {y}, 1000\n1, {y}, 1005\n" * 15
        (tmp_path / "text" / f"gesture_{label}.txt").write_text(lines)
    found = gesture.TASK.read(tmp_path / "text")
    assert found.labels == ("negative", "ring", "slope")
    assert not gesture.examples(found.recordings, found.labels).inputs.any()


@pytest.mark.parametrize("start", [-400, -30, 0, 50, 230, 900])
def test_a_motion_lies_where_it_was_put(start: int) -> None:
    motion = np.arange(300.0).reshape(100, 3) + 1
    rest = np.zeros(3)
    felt = _motion.surrounded(motion, start, 256, (rest, rest - 7))
    assert felt.shape == (256, 3)
    inside = [at for at in range(256) if 0 <= at - start < 100]
    assert np.array_equal(felt[inside], motion[[at - start for at in inside]])
    assert (felt[: max(0, start - 12)] == 0).all()
    assert (felt[max(0, start + 112) :] == -7).all()


def test_rest_at_the_ends_is_cut_away() -> None:
    motion = wand.simulated("ring", 1, 1).astype(float)
    cut = _motion.moving(motion)
    assert 80 < len(cut) < len(motion) - 100
    still = np.tile([0.0, 0.0, 1000.0], (50, 1))
    assert len(_motion.moving(still)) == 50
    assert len(_motion.moving(still[:3])) == 3


def test_of_two_motions_the_livelier_counts() -> None:
    ring, slope = (wand.simulated(label, 1, 1).astype(float) for label in ("ring", "slope"))
    both = np.concatenate([slope[:60], ring[0] + (ring - ring[0]) * 0.3, slope])
    noisy = both + np.random.default_rng(1).normal(0, 25, both.shape)
    cut = _motion.moving(noisy)
    whole = _motion.moving(slope)
    assert abs(len(cut) - len(whole)) < 40
    at = noisy.tolist().index(cut[0].tolist())
    assert at >= len(both) - len(slope)


@pytest.mark.parametrize("seed", range(8))
def test_another_hand_holds_the_board_in_any_way(seed: int) -> None:
    """Gravity comes from anywhere; what is moved lasts 0.6 to 2 times as long."""
    motion = _motion.moving(wand.simulated("slope", 1, 1).astype(float))
    mover = _motion.Mover(np.random.default_rng(seed))
    varied = [mover.varied(motion) for _ in range(60)]
    lengths = np.array([len(one) for one in varied]) / len(motion)
    assert 0.59 < lengths.min() < 1 < lengths.max() < 2.01
    up = np.array([_motion.gravity(one) / 1000 for one in varied])
    assert np.linalg.norm(up.mean(axis=0)) < 0.4
    assert np.allclose(np.linalg.norm(up, axis=1), 1)


def test_a_model_is_fed_alike_however_the_board_is_mounted() -> None:
    motion = wand.simulated("ring", 2, 1).astype(float)
    turn = wand.rotation(np.array([70.0, -110.0, 25.0]))
    rows, turned = (gesture._features(felt).astype(int) for felt in (motion, motion @ turn.T))
    assert np.abs(rows).max() > 20
    assert np.abs(rows[:, 2] - turned[:, 2]).max() <= 1
    assert np.abs(np.hypot(*rows[:, :2].T) - np.hypot(*turned[:, :2].T)).max() < 3


def test_every_kind_of_other_motion_is_finite() -> None:
    mover = _motion.Mover(np.random.default_rng(1))
    for _ in range(60):
        other = mover.other(306)
        assert other.shape == (306, 3)
        assert np.isfinite(other).all()
