"""Evaluation: the counts are right, and it does not matter where the model runs."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import recordings

from tinyml.datasets import Recording
from tinyml.errors import ConfigError, DataError, ModelError
from tinyml.firmware import boards
from tinyml.measure import evaluate
from tinyml.model import bundle, leakage
from tinyml.model.metrics import OperatingPoint
from tinyml.records import Bundle
from tinyml.training import restore


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recordings.make(tmp_path_factory.mktemp("tones"))


@pytest.fixture
def shipped(tmp_path: Path) -> Bundle:
    """The shipped model without its float weights, which need TensorFlow."""
    return dataclasses.replace(bundle.load("keyword_spotting"), path=tmp_path)


class _AlwaysYes:
    def infer(self, inputs: Sequence[Any]) -> Any:
        assert inputs[0].shape == (1, 49, 40, 1)
        return SimpleNamespace(outputs=[np.eye(12, dtype=np.int8)[[11]]])


def test_counts_of_a_device_that_always_says_yes(shipped: Bundle, tones: Path) -> None:
    report = evaluate.evaluate(
        shipped, tones, _AlwaysYes(), part="all", floating=restore.float_accuracy
    )
    assert report.on == "device"
    assert report.clips == 10 + 10 + 6
    assert report.accuracy == pytest.approx(10 / 26)
    assert report.confusion["no"] == {"yes": 10}
    assert report.float_accuracy is None
    assert "no float weights" in report.note
    by_label = {one.label: one for one in report.classes}
    assert (by_label["yes"].precision, by_label["yes"].recall) == (pytest.approx(10 / 26), 1.0)
    assert (by_label["no"].precision, by_label["no"].recall) == (None, 0.0)
    assert (by_label["go"].clips, by_label["go"].recall) == (0, None)


@pytest.mark.needs_cc
def test_host_and_oracle_agree(shipped: Bundle, tones: Path) -> None:
    oracle = evaluate.evaluate(shipped, tones, "oracle", part="all")
    host = evaluate.evaluate(shipped, tones, "host", part="all", board=boards.load("qemu-m4"))
    assert (oracle.on, host.on) == ("oracle", "host")
    assert oracle.confusion == host.confusion
    assert oracle.rocs == host.rocs


def test_places_side_by_side_must_agree(shipped: Bundle, tones: Path) -> None:
    oracle = evaluate.executor(shipped, "oracle")

    def off_by_one(inputs: Sequence[Any]) -> Any:
        outputs = oracle.run(inputs)
        return [outputs[0] ^ np.eye(12, dtype=np.int8)[[5]]]

    places = [oracle, evaluate.Executor("board", off_by_one)]
    report = evaluate.evaluate(shipped, tones, places, part="all")
    assert not report.passed
    assert [(one.on, one.different) for one in report.places] == [("oracle", 0), ("board", 26)]
    assert evaluate.evaluate(shipped, tones, [oracle, oracle], part="all").passed
    assert report.low < report.accuracy < report.high
    assert {one.threshold for one in report.points} > {0.5, 0.98}
    assert report.points[0].hours == pytest.approx(6 * 0.99 / 3600)


def test_sources_are_counted_separately(shipped: Bundle, tones: Path) -> None:
    dataset = evaluate.read_recordings(shipped, tones)
    marked = tuple(
        dataclasses.replace(one, source="far" if one.label == "no" else "near")
        for one in dataset.recordings
    )
    dataset = dataclasses.replace(dataset, recordings=marked)
    report = evaluate.evaluate_dataset(shipped, dataset, _AlwaysYes(), "all")
    assert [(one.source, one.clips, one.accuracy) for one in report.sources] == [
        ("far", 10, 0.0),
        ("near", 16, 10 / 16),
    ]
    assert report.accuracy == pytest.approx(10 / 26)


def test_test_part_is_what_training_left_out(shipped: Bundle, tones: Path) -> None:
    everything = evaluate.evaluate(shipped, tones, _AlwaysYes(), part="all").clips
    parts = [evaluate.evaluate(shipped, tones, _AlwaysYes(), part=part).clips
             for part in ("train", "validation", "test")]  # fmt: skip
    assert sum(parts) == everything
    assert evaluate.evaluate(shipped, tones, _AlwaysYes()).clips == parts[2]


def test_what_was_learned_from_is_left_out_under_any_name(
    shipped: Bundle, tones: Path, tmp_path: Path
) -> None:
    learned = leakage.recordings(evaluate.read_recordings(shipped, tones), "test")
    assert len([one for one in learned if not one.long]) >= 4

    def after(some: Sequence[Recording], part: str = "test") -> evaluate.EvaluationReport:
        (tmp_path / "heard.npy").write_bytes(leakage.digests(some))
        return evaluate.evaluate(shipped, renamed, _AlwaysYes(), part)

    renamed = Path(shutil.copytree(tones, tmp_path / "renamed"))
    for file in renamed.glob("yes/*.wav"):
        file.rename(file.with_name(f"{file.stem}1.wav"))
    all_of_it = after([])
    report = after(learned[:1])
    assert (report.learned, report.clips) == (1, all_of_it.clips - 1)
    assert after(learned, "all").learned == len(learned)
    assert after(learned, "all").clips == 26
    with pytest.raises(DataError, match=f"learned from all {len(learned)} test") as caught:
        after(learned)
    assert "--part all" in caught.value.hint


def test_a_bundle_knows_what_its_start_learned_from(tmp_path: Path) -> None:
    digests = (7, 2**64 - 1, 0, 9)
    some = [Recording(Path(str(one)), "yes", "x", digest=one) for one in digests]
    start = Bundle("start", b"", "", tmp_path)
    assert leakage.trained_on(some, start) is None
    (tmp_path / "heard.npy").write_bytes(leakage.digests(some[:1]))
    (tmp_path / "heard.npy").write_bytes(leakage.digests(some[1:3], start))
    known = leakage.trained_on(some, start)
    assert known is not None
    assert {one.digest for one in known} == {7, 2**64 - 1}
    (tmp_path / "heard.npy").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="damaged"):
        leakage.trained_on(some, start)


def test_nothing_to_measure_on_is_said(shipped: Bundle, tmp_path: Path) -> None:
    few = recordings.make(tmp_path / "few", speakers=3)
    with pytest.raises(DataError, match="no validation recordings") as caught:
        evaluate.evaluate(shipped, few, _AlwaysYes(), part="validation")
    assert "--part all" in caught.value.hint


def test_a_threshold_is_chosen_on_the_validation_part() -> None:
    def points(*accepted: int, hours: float = 1.0) -> list[OperatingPoint]:
        return [
            OperatingPoint.of(at, spoken=9, rejected=0, confused=0, accepted=some, hours=hours)
            for at, some in zip((0.2, 0.5, 0.8), accepted, strict=True)
        ]

    tested, other = points(0, 0, 0), points(9, 1, 1)
    assert evaluate.advise(tested, other, "test", 1.0) == (tested[2], "validation")
    assert evaluate.advise(tested, other, "all", 1.0) == (tested[2], "all")
    assert evaluate.advise(tested, points(2, 2, 2), "test", 1.0) == (None, "validation")
    silent = points(0, 0, 0, hours=0.0)
    assert evaluate.advise(tested, silent, "test", 1.0) == (tested[2], "test")


def test_words_the_model_does_not_know_are_named(shipped: Bundle, tones: Path) -> None:
    small = dataclasses.replace(shipped, labels=("silence", "unknown", "no"))
    with pytest.raises(DataError, match="recordings of yes"):
        evaluate.evaluate(small, tones, _AlwaysYes())


def test_nonsense_is_refused(shipped: Bundle, tones: Path) -> None:
    with pytest.raises(ConfigError, match="on 'orakle'"):
        evaluate.evaluate(shipped, tones, "orakle")
    with pytest.raises(ConfigError, match="no part 'tset'"):
        evaluate.evaluate(shipped, tones, part="tset")
    with pytest.raises(ConfigError, match="what it was trained for"):
        evaluate.evaluate(dataclasses.replace(shipped, task=""), tones)
