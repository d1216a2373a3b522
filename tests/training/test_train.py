"""Training on tones: reproducible, resumable, whole or not at all."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import recordings

from tinyml import tasks
from tinyml.errors import ConfigError, DataError, ModelError
from tinyml.measure import evaluate
from tinyml.model import bundle, leakage
from tinyml.records import Bundle, Quantization
from tinyml.training import Options, Progress, RunOptions, distill, qat, quantize, restore
from tinyml.training.train import checkpoint_path, train

pytestmark = pytest.mark.needs_tensorflow
TASK = "keyword_spotting"
RESUME = RunOptions(resume=True)
OPTIONS = Options(epochs=2, batch_size=8, seed=7, width=0.1, variants=1)


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recordings.make(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def trained(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return train(TASK, tones, tmp_path_factory.mktemp("out") / "one", OPTIONS, lambda _: None)


def test_equal_seeds_give_equal_bundles(tones: Path, trained: Bundle, tmp_path: Path) -> None:
    seen: list[Progress] = []
    again = train(TASK, tones, tmp_path / "one", OPTIONS, seen.append)
    assert bundle.read_files(again) == bundle.read_files(trained)
    assert again.card == trained.card
    epochs = [one for one in seen if one.stage == "training"]
    assert [(one.done, one.total) for one in epochs] == [(1, 2), (2, 2)]
    assert all(one.loss is not None and np.isfinite(one.loss) for one in epochs)
    assert epochs[-1].seconds_left == 0
    assert [file.name for file in tmp_path.iterdir()] == ["one"]


def test_interrupted_training_resumes_to_the_same_model(
    tones: Path, trained: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.stage == "training":
            raise KeyboardInterrupt

    out = tmp_path / "one"
    with pytest.raises(KeyboardInterrupt):
        train(TASK, tones, out, OPTIONS, interrupt)
    assert [file for file in tmp_path.iterdir()] == [checkpoint_path(out)]
    with pytest.raises(ConfigError, match=r"made with other options.*epochs 2"):
        train(TASK, tones, out, Options(epochs=3), lambda _: None, RESUME)
    with pytest.raises(ConfigError, match="has this training after 1 epochs"):
        train(TASK, tones, out, OPTIONS, lambda _: None)
    varied = dataclasses.replace(tasks.load(TASK), mask=lambda inputs, seed: inputs)
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "load", lambda _: varied)
        with pytest.raises(ConfigError, match="or another tinyml: examples"):
            train(TASK, tones, out, OPTIONS, lambda _: None, RESUME)
    resumed = train(TASK, tones, out, OPTIONS, lambda _: None, RESUME)
    assert resumed.sha256 == trained.sha256
    assert not checkpoint_path(out).exists()


def test_a_student_learns_from_its_teachers_also_after_a_pause(
    tones: Path, trained: Bundle, tmp_path: Path
) -> None:
    options = dataclasses.replace(OPTIONS, teachers=2)
    stages: list[str] = []

    def interrupt(progress: Progress) -> None:
        stages.append(progress.stage)
        if progress.stage == "training":
            raise KeyboardInterrupt

    student = train(TASK, tones, tmp_path / "one", options, lambda _: None)
    assert student.sha256 != trained.sha256
    assert student.card.training["teachers"] == 2
    with pytest.raises(KeyboardInterrupt):
        train(TASK, tones, tmp_path / "two", options, interrupt)
    learned = [one for one in stages if "teacher" in one]
    assert learned == ["teacher 1 of 2"] * 2 + ["teacher 2 of 2"] * 2
    resumed = train(TASK, tones, tmp_path / "two", options, lambda _: None, RESUME)
    assert resumed.sha256 == student.sha256


def test_quantization_aware_training_resumes_within_its_stage(
    tones: Path, trained: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qat, "SHARE", 1)
    options = dataclasses.replace(OPTIONS, qat=True)  # 2 epochs, then 2 aware ones
    stages: list[str] = []

    def interrupt(progress: Progress) -> None:
        stages.append(progress.stage)
        if stages.count("quantization-aware training") == 1:
            raise KeyboardInterrupt

    aware = train(TASK, tones, tmp_path / "one", options, lambda _: None)
    assert aware.sha256 != trained.sha256
    assert aware.card.accuracy.int8_without_qat == trained.card.accuracy.int8
    with pytest.raises(KeyboardInterrupt):
        train(TASK, tones, tmp_path / "two", options, interrupt)
    resumed = train(TASK, tones, tmp_path / "two", options, lambda _: None, RESUME)
    assert resumed.sha256 == aware.sha256


def test_targets_are_mostly_the_teachers_answers() -> None:
    task, options = tasks.load(TASK), Options(teachers=2, width=0.1)
    networks = [stage.build([]) for stage in distill.teachers(task, 4, options)]
    inputs = np.random.default_rng(3).random((5, *task.input_shape), np.float32)
    labels = np.eye(5, 4, dtype=np.float32)
    teach = distill.student(task, 4, options)
    assert teach is not None
    targets = teach([one.get_weights() for one in networks])(inputs, labels)
    logits = np.stack([one.predict(inputs, verbose=0) for one in networks])
    answers = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    assert np.allclose(targets, 0.7 * answers.mean(0) + 0.3 * labels, atol=1e-5)
    assert distill.student(task, 4, Options()) is None
    assert distill.teachers(task, 4, Options()) == []


def test_nothing_to_resume_is_said(tones: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to resume"):
        train(TASK, tones, tmp_path / "one", OPTIONS, lambda _: None, RESUME)
    checkpoint_path(tmp_path / "one").write_bytes(b"damaged")
    with pytest.raises(DataError, match="no usable checkpoint"):
        train(TASK, tones, tmp_path / "one", OPTIONS, lambda _: None, RESUME)


def test_card_tells_the_truth(tones: Path, trained: Bundle) -> None:
    card = trained.card
    assert trained.labels == ("silence", "unknown", "no", "yes")
    assert card.quantization is not None
    assert card.quantization["input"] == Quantization(scale=1 / 32, zero_point=-128)
    assert card.training == OPTIONS.document()
    assert not card.stand_in
    assert card.accuracy is not None
    report = evaluate.evaluate(trained, tones, floating=restore.float_accuracy)
    assert report.accuracy == card.accuracy.int8
    assert report.float_accuracy == card.accuracy.float_
    assert report.clips == card.accuracy.test_clips
    assert report.confusion == card.confusion
    assert sum(sum(row.values()) for row in report.confusion.values()) == report.clips
    assert report.learned == 0
    for part in ("train", "validation"):
        some = leakage.recordings(evaluate.read_recordings(trained, tones), part)
        assert leakage.trained_on(some, trained) == set(some)


def test_a_folder_of_others_is_refused_before_training(tones: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is no bundle"):
        train(TASK, tones, tmp_path, OPTIONS, lambda _: pytest.fail("it began"))


def test_float_weights_of_another_network_are_refused(trained: Bundle, tmp_path: Path) -> None:
    from tinyml.training import restore

    task = tasks.load(TASK)
    other = restore.weights(task.build_model(4, 0.5))
    with pytest.raises(ModelError, match="no usable float weights"):
        restore.model(task, trained, other)


def test_input_of_another_scale_is_refused(
    trained: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tasks.load(TASK)
    monkeypatch.setattr(quantize, "real", lambda _, inputs: inputs.astype(np.float32))
    examples = np.zeros((2, *task.input_shape), np.int8)
    with pytest.raises(ModelError, match="quantized the input with scale 1"):
        quantize.quantize(task, task.build_model(4, 0.25), examples)


@pytest.mark.needs_espeak
def test_without_data_the_model_is_a_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinyml.datasets import espeak

    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    generate = espeak.generate
    monkeypatch.setattr(
        espeak, "generate", lambda seed, on_progress: generate(4, seed, on_progress)
    )
    made = train(TASK, None, tmp_path / "one", OPTIONS, lambda _: None)
    assert made.card.stand_in
    assert made.labels == bundle.load(TASK).labels
    assert "synthetic" in made.card.data[0].source
