"""Keyword spotting: which second of a recording is learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tinyml import tasks
from tinyml.media import wav
from tinyml.model import bundle, vectors
from tinyml.tasks import keyword_spotting

SECOND = wav.RATE_HZ


def spoken(at: float, seconds: float, noise: float = 60) -> npt.NDArray[np.int16]:
    """Noise with half a second of a loud tone whose middle is at `at` seconds."""
    draw = np.random.default_rng(1)
    samples = draw.normal(0, noise, round(seconds * SECOND))
    start = round((at - 0.25) * SECOND)
    samples[start : start + SECOND // 2] += 8000 * np.sin(np.arange(SECOND // 2) / 5)
    return samples.astype(np.int16)


@pytest.mark.parametrize("seconds", [1.5, 2.0, 3.0, 7.0])
@pytest.mark.parametrize("place", ["begin", "middle", "end"])
@pytest.mark.parametrize("noise", [0, 60, 900])
def test_the_word_is_found_wherever_it_is_said(seconds: float, place: str, noise: float) -> None:
    at = {"begin": 0.5, "middle": seconds / 2, "end": seconds - 0.5}[place]
    whole = spoken(at, seconds, noise)
    second = keyword_spotting.TASK.window(whole)
    assert len(second) == SECOND
    loud = np.flatnonzero(np.abs(second.astype(np.int32)) > 5000)
    assert loud[-1] - loud[0] > 0.49 * SECOND
    assert abs((loud[-1] + loud[0]) / 2 - SECOND / 2) < 0.03 * SECOND


def test_a_second_stays_as_it_is_and_less_lies_in_the_middle() -> None:
    whole = spoken(0.3, 1.0)
    assert np.array_equal(keyword_spotting.TASK.window(whole), whole)
    assert np.array_equal(keyword_spotting.TASK.window(whole[:8000])[4000:12000], whole[:8000])


def test_what_is_used_of_longer_recordings_is_said(tmp_path: Path) -> None:
    for word in ("yes", "no"):
        (tmp_path / word).mkdir()
        for number in range(3):
            samples = spoken(0.5, 1 + number, 50 + len(word) + number)
            wav.write(tmp_path / word / f"{number}.wav", samples)
    (remark,) = tasks.load("keyword_spotting").read(tmp_path).remarks
    assert "lasts 2.0 s: of it, and of 3 more recordings" in remark


def test_validation_sees_the_second_that_training_sees(tmp_path: Path) -> None:
    wav.write(
        tmp_path / "long.wav", np.concatenate([np.zeros(2 * SECOND, np.int16), spoken(0.5, 1)])
    )
    shipped = bundle.load("keyword_spotting")
    from tinyml.model.oracle import Oracle

    inputs = Oracle(shipped.model).inputs
    (vector,) = vectors.load(tmp_path, shipped, inputs)
    assert (vector.arrays[0] > -128).mean() > 0.2
