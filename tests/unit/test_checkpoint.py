"""Checkpoints that are in the way of a new training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml.errors import ConfigError
from tinyml.training import Progress, checkpoint, fit

MINE = {"epochs": 60, "task": "gesture"}
STATE = checkpoint.State(1, 12, [np.arange(3)], [[np.ones(2)]])


def test_the_same_training_is_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / ".my one.training.npz"
    checkpoint.save(path, MINE, STATE)
    with pytest.raises(ConfigError, match="this training after 12 epochs of its stage 2") as caught:
        checkpoint.make_room(path, MINE)
    assert caught.value.hint == f"continue it with --resume, or begin anew: rm '{path}'"
    np.testing.assert_array_equal(checkpoint.load(path, MINE).variables[0], np.arange(3))


def test_what_another_training_left_is_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / ".one.training.npz"
    other = {**MINE, "epochs": 3000}
    seen: list[Progress] = []
    fit._make_room(path, MINE, seen.append)
    assert seen == []
    checkpoint.save(path, other, STATE)
    fit._make_room(path, MINE, seen.append)
    path.write_bytes(b"damaged")
    fit._make_room(path, MINE, seen.append)
    first, second = (tmp_path / f".one.training.{number}.npz" for number in (1, 2))
    assert all(f"kept: {two} (" in one.note for one, two in zip(seen, (first, second), strict=True))
    assert sorted(tmp_path.iterdir()) == [first, second]
    assert checkpoint.load(first, other).epoch == 12
    assert second.read_bytes() == b"damaged"
