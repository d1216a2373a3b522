"""A new head on the shipped body from a few recordings, and an estimate of how good it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml.media import wav
from tinyml.model import bundle
from tinyml.training import (
    AUTO,
    Options,
    cross_validation,
    latent_replay,
    quantize,
    restore,
    transfer,
)
from tinyml.training.train import checkpoint_path, train

pytestmark = pytest.mark.needs_tensorflow
RATE_HZ = 16000


def sweep(low: float, high: float, seed: int) -> np.ndarray:
    """Return a sound that rises or falls, loudest in the middle, at a pitch of its own."""
    draw = np.random.default_rng(seed)
    at = np.arange(RATE_HZ) / RATE_HZ
    pitch = (low + (high - low) * at) * float(draw.uniform(0.9, 1.1))
    sound = np.sin(2 * np.pi * np.cumsum(pitch) / RATE_HZ) * np.hanning(RATE_HZ)
    return np.rint(9000 * sound + draw.normal(0, 20, RATE_HZ)).astype(np.int16)


def test_five_recordings_give_the_shipped_body_a_new_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, enough in (
        (cross_validation, "_COPIES", 3),
        (cross_validation, "_DRAWS", 2),
        (transfer, "_AUGMENTED", 30),
        (quantize, "_REPRESENTATIVE", 40),
    ):
        monkeypatch.setattr(module, name, enough)
    for word, low, high in (("rising", 300, 2500), ("falling", 2500, 300)):
        (tmp_path / "mine" / word).mkdir(parents=True)
        for number in range(5):
            wav.write(tmp_path / "mine" / word / f"{number}.wav", sweep(low, high, number))
    seen: list[str] = []
    made = train("keyword_spotting", tmp_path / "mine", tmp_path / "out", Options(),
                 lambda progress: seen.append(progress.stage), start=AUTO)  # fmt: skip
    assert made is not None
    assert made.labels == ("silence", "unknown", "falling", "rising")
    assert not checkpoint_path(tmp_path / "out").exists()
    assert set(made.card.training) == {"seed", "width", "synthetic", "start"}
    estimate = made.card.estimate
    assert estimate.clips == 10
    assert estimate.right >= 0.8  # nothing is easier to tell apart
    assert [point.recordings for point in estimate.curve] == [1, 2, 3, 4]
    shipped = bundle.load("keyword_spotting")
    before, after = (
        restore.arrays((one.path / bundle.WEIGHTS).read_bytes()) for one in (shipped, made)
    )
    assert all(np.array_equal(one, two) for one, two in zip(before[:-2], after[:-2], strict=True))
    assert after[-1].shape == (4,)
    old, new = (
        latent_replay.read((one.path / bundle.REPLAY).read_bytes()) for one in (shipped, made)
    )
    np.testing.assert_array_equal(new.vectors[: len(old.vectors)], old.vectors)
    assert set(np.unique(new.targets[len(old.vectors) :])) >= {2, 3}
    assert "estimating" in seen
