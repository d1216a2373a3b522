"""Tasks: every one loads, and its examples are what it says they are."""

from __future__ import annotations

import numpy as np
import pytest
import recordings

from tinyml import tasks
from tinyml.datasets import Dataset
from tinyml.errors import ConfigError
from tinyml.tasks import _speech, keyword_spotting


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = recordings.make(tmp_path_factory.mktemp("tones"), speakers=6)
    return keyword_spotting.TASK.read(folder)


@pytest.mark.parametrize("name", tasks.names())
def test_every_task_loads(name: str) -> None:
    task = tasks.load(name)
    assert isinstance(task, tasks.Task)
    assert task.summary
    assert task.input_scale > 0


def test_unknown_task_comes_back_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="keyword_spoting") as caught:
        tasks.load("keyword_spoting")
    assert "keyword_spotting" in caught.value.hint


def test_examples_are_each_clip_once_and_silence(tones: Dataset) -> None:
    made = keyword_spotting.examples(tones.recordings, tones.labels)
    counts = dict(zip(*np.unique(made.targets, return_counts=True), strict=True))
    assert counts == {0: 3 * 2, 2: 6, 3: 6}
    assert made.inputs.shape == (18, 49, 40, 1)
    assert made.inputs.dtype == np.int8


def test_no_recordings_are_no_examples(tones: Dataset) -> None:
    made = keyword_spotting.examples([], tones.labels)
    assert made.inputs.shape == (0, 49, 40, 1)
    assert made.targets.shape == (0,)


def test_augmentation_follows_its_seed(tones: Dataset) -> None:
    first, again, other = (
        keyword_spotting.augmented(tones.recordings, tones.labels, seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.inputs, again.inputs)
    assert np.array_equal(first.targets, again.targets)
    assert not np.array_equal(first.inputs[:12], other.inputs[:12])
    assert set(first.targets) == {0, 1, 2, 3}


def test_mask_leaves_the_original_alone_and_follows_its_seed(tones: Dataset) -> None:
    made = keyword_spotting.examples(tones.recordings, tones.labels).inputs
    before = made.copy()
    masked = keyword_spotting.mask(made, 1)
    assert np.array_equal(made, before)
    assert np.array_equal(masked, keyword_spotting.mask(made, 1))
    assert not np.array_equal(masked, keyword_spotting.mask(made, 2))


def test_share_of_a_word_in_a_window() -> None:
    speech = np.zeros(16000, np.float32)
    speech[6400:9600] = 1000
    assert _speech.heard_share(speech, 0, 16000) == 1
    assert _speech.heard_share(speech, 8000, 16000) == pytest.approx(0.5)
    assert _speech.heard_share(speech, 9600, 16000) == 0


def test_silent_background_makes_no_nan() -> None:
    mixer = _speech.Mixer(np.random.default_rng(1), [np.zeros(16000, np.int16)])
    for _ in range(50):
        assert np.isfinite(mixer.background(4800)).all()
