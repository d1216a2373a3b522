"""How recordings are divided for training, and when training starts from the shipped model."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyml import tasks
from tinyml.datasets import stroke_json, wand_strokes
from tinyml.errors import ConfigError, DataError
from tinyml.media import wav
from tinyml.model import leakage
from tinyml.records import LearningPoint
from tinyml.training import AUTO, NONE, SHIPPED, Options, split, train
from tinyml.training.cross_validation import _doubled, _folds
from tinyml.training.latent_replay import ReplayBuffer
from tinyml.training.transfer import regression

NAME = "keyword_spotting"
TASK = tasks.load(NAME)


def _words(folder: Path, words: list[str], count: int) -> Path:
    draw = np.random.default_rng(list("".join(words).encode()))
    for word in words:
        (folder / word).mkdir(parents=True)
        for number in range(count):
            sound = draw.integers(-9000, 9000, 1600).astype(np.int16)
            wav.write(folder / word / f"{word}{number}.wav", sound)
    return folder


def _prepared(data: Path, start: str, options: Options | None = None) -> split.TrainingData:
    return split.prepare(TASK, NAME, data, options or Options(), start, lambda *_: None)


def test_few_recordings_start_from_the_shipped_model(tmp_path: Path) -> None:
    found = _prepared(_words(tmp_path / "mine", ["bleep"], 5), AUTO)
    assert found.start is not None
    assert found.few is not None
    assert found.start.name == NAME
    assert found.labels == ("silence", "unknown", "bleep")
    assert [one.label for one in found.few.words] == ["bleep"] * 5
    assert found.head_only
    assert set(found.trained_on) == set(found.few.words)
    assert "cross-validation" in found.division.rule
    assert set(found.seen) == set(found.dataset.recordings)


def test_more_recordings_have_a_test_part(tmp_path: Path) -> None:
    data = _words(tmp_path / "mine", ["bleep", "blop"], 12)
    found = _prepared(data, AUTO)
    assert (found.few, found.start is not None, found.head_only) == (None, True, True)
    division = found.division
    parts = [division.train or {}, division.validation or {}, division.test or {}]
    assert sum(part.get("bleep", 0) for part in parts) == 12
    assert _prepared(data, NONE).start is None


def test_a_start_that_learned_from_all_of_the_test_part_is_refused(tmp_path: Path) -> None:
    found = _prepared(_words(tmp_path / "mine", ["bleep", "blop"], 12), AUTO)
    assert found.start is not None
    (tmp_path / "heard.npy").write_bytes(leakage.digests(found.dataset.recordings))
    knowing = replace(found, start=replace(found.start, path=tmp_path))
    with pytest.raises(DataError, match="keyword_spotting learned from all") as caught:
        train._check_start(knowing)
    assert "--from none" in caught.value.hint
    train._check_start(found)


def test_many_recordings_need_no_start(tmp_path: Path) -> None:
    data = _words(tmp_path / "mine", ["bleep", "blop"], 50)
    assert _prepared(data, AUTO).start is None
    given = _prepared(data, SHIPPED)
    assert (given.start is not None, given.head_only) == (True, False)


def test_what_needs_more_than_a_head_is_refused_with_few(tmp_path: Path) -> None:
    data = _words(tmp_path / "mine", ["bleep"], 5)
    for options in (Options(qat=True), Options(teachers=1), Options(learn_from=("gesture",))):
        with pytest.raises(
            ConfigError, match=r"needs 50 recordings of each label, not 5"
        ) as caught:
            _prepared(data, AUTO, options)
        assert "--from none" in caught.value.hint
    with pytest.raises(ConfigError, match="there is no --data"):
        split.prepare(TASK, NAME, None, Options(), SHIPPED, lambda *_: None)


def test_strokes_start_from_the_shipped_digits(tmp_path: Path) -> None:
    strokes = [(kind, wand_strokes.drawn(kind, 1, number)) for kind in "34" for number in range(5)]
    stroke_json.write(tmp_path / "mine.json", strokes)
    found = split.prepare(
        tasks.load("stroke"), "stroke", tmp_path, Options(), AUTO, lambda *_: None
    )
    assert found.start is not None
    assert found.start.name == "digits"


def test_folds_hold_as_many_of_each_word() -> None:
    folds = _folds(np.repeat([2, 3], [5, 7]))
    assert sorted(number for fold in folds for number in fold) == list(range(12))
    assert [len(fold) for fold in folds] == [3, 3, 2, 2, 2]


def test_another_width_does_not_start_from_the_shipped_model(tmp_path: Path) -> None:
    data = _words(tmp_path / "mine", ["bleep", "blop"], 12)
    half = Options(width=0.5)
    assert _prepared(data, AUTO, half).start is None
    with pytest.raises(ConfigError, match=r"has --width 1\.0, not 0\.5"):
        _prepared(data, SHIPPED, half)
    with pytest.raises(ConfigError, match="is a model for gesture"):
        _prepared(data, "gesture")


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    data = _words(tmp_path / "mine", ["bleep"], 30)
    with pytest.raises(DataError, match="has 1 words") as caught:
        _prepared(data, NONE)
    assert "_unknown_" in caught.value.hint
    other = _words(tmp_path / "other", ["blop"], 30)
    shutil.move(other / "blop", data / "_unknown_")
    assert _prepared(data, NONE).labels == ("silence", "unknown", "bleep")


def test_memory_keeps_the_words_that_are_still_words() -> None:
    old = ReplayBuffer(np.zeros((4, 2), np.float32), np.array([0, 1, 2, 3]))
    new = old.relabelled(
        ["silence", "unknown", "no", "yes"],
        ["silence", "unknown", "bleep", "yes"],
        ["silence", "unknown"],
    )
    assert new.targets.tolist() == [0, 1, 1, 3]
    learned, asked = old.parts()
    assert (len(learned.targets), asked.targets.tolist()) == (3, [3])


def test_regression_separates_what_can_be_separated() -> None:
    draw = np.random.default_rng(1)
    targets = np.repeat([0, 1, 2], [300, 20, 20])
    seen = draw.normal(0, 0.3, (340, 5)) + np.eye(5)[targets] * 2 + 7
    kernel, bias = regression(seen, targets, 3, 0)
    assert np.mean((seen @ kernel + bias).argmax(axis=1) == targets) > 0.97
    silent = np.concatenate([seen, draw.normal(0, 1e-7, (340, 1))], axis=1)  # a dead channel
    kernel, _ = regression(silent, targets, 3, 0)
    assert not kernel[-1].any()


def test_a_learning_curve_is_continued() -> None:
    falling = [LearningPoint(count, 1 - 0.4 / count) for count in (1, 2, 3, 4)]
    assert _doubled(falling, 10) == pytest.approx(1 - 0.4 / 10)
    assert _doubled(falling[:2], 10) is None
    worse = [LearningPoint(count, 0.5) for count in (1, 2, 3)]
    assert _doubled(worse, 10) == pytest.approx(0.5)


def test_one_recording_of_a_word_is_refused_with_what_was_left_out(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    for word, count in (("yes", 1), ("no", 3)):
        (tmp_path / word).mkdir()
        for number in range(count):
            noise = draw.integers(-9000, 9000, 16000).astype(np.int16)
            wav.write(tmp_path / word / f"{number}.wav", noise)
    wav.write(tmp_path / "yes" / "short.wav", np.ones(10, np.int16))
    task = tasks.load("keyword_spotting")
    with pytest.raises(DataError, match=r"of yes there is one usable .*short\.wav lasts 0\.001 s"):
        split.prepare(task, "keyword_spotting", tmp_path, Options(), "shipped", lambda *_: None)


def test_one_word_is_enough_where_the_start_remembers_others(tmp_path: Path) -> None:
    """The shipped model's replay buffer is what the word is told from."""
    data = _words(tmp_path / "mine", ["bleep"], 12)
    started = _prepared(data, AUTO)
    assert (started.labels, started.few) == (("silence", "unknown", "bleep"), None)
    assert _prepared(_words(tmp_path / "many", ["bleep"], 50), SHIPPED).start is not None
    with pytest.raises(DataError, match="has 1 words") as caught:
        _prepared(data, NONE)
    assert "--from shipped" in caught.value.hint
