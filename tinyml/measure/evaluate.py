"""Evaluation: accuracy, confusion matrix and operating points of a bundle on labelled recordings.

The int8 model runs on the oracle, on the host build of the compiled runtime, on devices, or on
several of them, which must agree; the float weights, where the bundle has them and TensorFlow is
installed, run beside it. Continuous streams are `spotting`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinyml import features, runtimes, tasks, tflite
from tinyml.datasets import TEST, VALIDATION, Dataset, Recording, public
from tinyml.errors import ConfigError, DataError, nearest
from tinyml.model import host_library, leakage, metrics
from tinyml.model.metrics import ClassResult, OperatingPoint, Roc
from tinyml.model.oracle import Oracle
from tinyml.records import Board, Bundle

Array = npt.NDArray[Any]
Run = Callable[[Sequence[Array]], Sequence[Array]]
OnProgress = Callable[[int, int], None]
ORACLE, HOST = "oracle", "host"
THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(5, 50))  # 0.10 to 0.98


class SupportsInfer(Protocol):
    """What evaluation needs of a connected device."""

    def infer(self, inputs: Sequence[Array]) -> Any:
        """Run one inference; the result has `outputs`."""


@dataclass(frozen=True)
class Executor:
    """Somewhere the int8 model runs: `run` takes its inputs and returns its outputs."""

    name: str
    run: Run


@dataclass(frozen=True)
class ExecutorResult:
    """How the model did in one place; `different`: clips whose scores are not the first place's."""

    on: str
    accuracy: float
    different: int
    clips_per_second: float


@dataclass(frozen=True)
class SourceResult:
    """The accuracy on the recordings of one source, where a data set has several."""

    source: str
    clips: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class EvaluationReport:
    """Accuracy on recordings, as shares of 1. JSON document `tinyml.evaluate/1`.

    `confusion`: label said -> label recognised -> clips, for int8. `on`: the first of `places`, to
    which the figures belong; `passed`: all places gave the same scores for every clip.
    `float_accuracy` is None where the float weights could not be run; `note` says why.
    `low`, `high`: the 95 % confidence interval of the accuracy (Wilson). `rocs`: by label, of its
    score. `points`: what thresholds do to each clip for itself, where the model has background
    labels; `threshold`: that of its card; `advised`: the one that was best on the part `chosen_on`,
    with at most `most_per_hour` false accepts per hour there; None where none had. `learned`: how
    many recordings of the part the model learned from, which were left out of the test part; None
    where its bundle does not say.
    """

    model: str
    sha256: str
    data: str
    part: str
    on: str
    clips: int
    accuracy: float
    float_accuracy: float | None
    note: str
    classes: tuple[ClassResult, ...]
    confusion: Mapping[str, Mapping[str, int]]
    skipped: tuple[str, ...]
    clips_per_second: float
    passed: bool
    low: float
    high: float
    macro_f1: float | None
    places: tuple[ExecutorResult, ...]
    sources: tuple[SourceResult, ...]
    rocs: Mapping[str, Roc]
    points: tuple[OperatingPoint, ...]
    threshold: float | None
    most_per_hour: float
    advised: OperatingPoint | None
    chosen_on: str
    learned: int | None = None


FloatAccuracy = Callable[[Bundle, tasks.Task, tasks.Examples], tuple[float | None, str]]


def evaluate(
    bundle: Bundle,
    data: Path,
    on: str | SupportsInfer | Sequence[Executor] = ORACLE,
    part: str = TEST,
    on_progress: OnProgress | None = None,
    board: Board | None = None,
    most_per_hour: float = 1.0,
    floating: FloatAccuracy | None = None,
) -> EvaluationReport:
    """Measure `bundle` on one part of the recordings in `data`, divided exactly as for training.

    `on` is "oracle", "host" (the C that `board` would run, compiled for this machine; needs
    `board`), a connected device, or several places. `floating` measures the bundle's float network,
    as `training.restore.float_accuracy` does; without it there is none. `part` "all" takes
    every recording. Raises what `read_recordings` and `leakage.evaluation_set` raise.
    """
    dataset = read_recordings(bundle, data)
    return evaluate_dataset(bundle, dataset, on, part, on_progress, board, most_per_hour, floating)


def read_recordings(bundle: Bundle, data: Path) -> Dataset:
    """Return the recordings in `data` as the task of `bundle` reads them.

    Raises ConfigError for a bundle without a task, DataError for unusable data or labels that the
    model does not know.
    """
    if not bundle.task:
        raise ConfigError(
            f"{bundle.name} does not say what it was trained for",
            "evaluate a bundle that `tinyml train` wrote",
        )
    dataset = tasks.load(bundle.task).read(public.resolve(data, bundle.task))
    labels = {recording.label for recording in dataset.recordings}
    if strange := sorted(labels - set(bundle.labels)):
        raise DataError(
            f"{data} has recordings of {', '.join(strange)}; "
            f"{bundle.name} knows {', '.join(bundle.labels)}",
            f"train a model on it: tinyml train {bundle.task} --data {data}",
        )
    return dataset


def evaluate_dataset(
    bundle: Bundle,
    dataset: Dataset,
    on: str | SupportsInfer | Sequence[Executor] = ORACLE,
    part: str = TEST,
    on_progress: OnProgress | None = None,
    board: Board | None = None,
    most_per_hour: float = 1.0,
    floating: FloatAccuracy | None = None,
) -> EvaluationReport:
    """As `evaluate`, for recordings that `read_recordings` has found, or training."""
    task = tasks.load(bundle.task)
    chosen = leakage.evaluation_set(bundle, dataset, part)
    examples, counts = _examples(bundle, task, dataset, chosen)
    executors = (
        on
        if isinstance(on, Sequence) and not isinstance(on, str)
        else [executor(bundle, on, board)]
    )
    answers = ask(executors, examples, on_progress)
    first, targets = answers[0], examples.targets
    points = _points(bundle, first, targets)
    needed = points and part == TEST
    other = _validation(bundle, task, dataset, executors[0], on_progress) if needed else ()
    advised, chosen_on = advise(points, other, part, most_per_hour)
    float_accuracy, note = floating(bundle, task, examples) if floating else (None, "")
    return replace(
        report_on(bundle, answers, targets, dataset.source, part),
        float_accuracy=float_accuracy,
        note=note,
        skipped=dataset.skipped,
        sources=_by_source(counts, first.best == targets),
        points=points,
        threshold=bundle.stream.threshold if bundle.stream is not None and points else None,
        most_per_hour=most_per_hour,
        advised=advised,
        chosen_on=chosen_on,
        learned=chosen.learned,
    )


def report_on(
    bundle: Bundle, answers: Sequence[Answers], targets: Array, source: str, part: str
) -> EvaluationReport:
    """Return what `answers` say of a classifier, whatever its examples are; no thresholds."""
    first = answers[0]
    rocs = _rocs(bundle, first, targets)
    table = metrics.confusion(targets, first.best, len(bundle.labels))
    classes = metrics.classes(bundle.labels, table, [rocs.get(label) for label in bundle.labels])
    low, high = metrics.wilson(int(np.trace(table)), len(targets))
    results = tuple(answer.against(first, targets) for answer in answers)
    return EvaluationReport(
        model=bundle.name,
        sha256=bundle.sha256,
        data=source,
        part=part,
        on=first.on,
        clips=len(targets),
        accuracy=results[0].accuracy,
        float_accuracy=None,
        note="",
        classes=classes,
        confusion=_named(bundle.labels, table),
        skipped=(),
        clips_per_second=results[0].clips_per_second,
        passed=not any(result.different for result in results),
        low=low,
        high=high,
        macro_f1=metrics.macro_f1(classes),
        places=results,
        sources=(),
        rocs=rocs,
        points=(),
        threshold=None,
        most_per_hour=1.0,
        advised=None,
        chosen_on=part,
    )


def executor(bundle: Bundle, on: str | SupportsInfer, board: Board | None = None) -> Executor:
    """Return where "oracle", "host" or a connected device runs `bundle`.

    "host" is the C of the compiled runtime as `board` would get it. Raises ConfigError for another
    name, ToolError where nothing compiles C.
    """
    if not isinstance(on, str):
        return Executor("device", lambda inputs: on.infer(inputs).outputs)
    if on == ORACLE:
        return Executor(ORACLE, Oracle(bundle.model, bundle.name).run)
    if on == HOST and board is not None:
        source = runtimes.load(runtimes.standing_alone()).generate(bundle, board)
        return Executor(HOST, host_library.HostModel(source).run)
    raise ConfigError(f"a model cannot be evaluated on {on!r}", nearest(on, [ORACLE, HOST]))


@dataclass(frozen=True)
class Answers:
    """What one place answered: outputs as they are, [clips, labels], and the time it took."""

    on: str
    raw: Array
    seconds: float

    @property
    def best(self) -> Array:
        """The index of the highest score of each example, int64 [clips]."""
        labels: Array = self.raw.argmax(axis=1)
        return labels

    def against(self, first: Answers, targets: Array) -> ExecutorResult:
        """Return how right these are, and in how many examples not as `first`."""
        return ExecutorResult(
            on=self.on,
            accuracy=float((self.best == targets).mean()),
            different=int((self.raw != first.raw).any(axis=1).sum()),
            clips_per_second=len(targets) / max(self.seconds, 1e-9),
        )


def ask(
    executors: Sequence[Executor], examples: tasks.Examples, on_progress: OnProgress | None
) -> list[Answers]:
    """Return what each of `executors` answers to all of `examples`, in order."""
    total = len(executors) * len(examples.targets)
    answers, done = [], 0
    for executor in executors:
        began = time.monotonic()
        rows = []
        for example in examples.inputs:
            rows.append(np.asarray(executor.run([example[np.newaxis]])[0]).reshape(-1))
            done += 1
            if on_progress is not None:
                on_progress(done, total)
        answers.append(Answers(executor.name, np.stack(rows), time.monotonic() - began))
    return answers


def _examples(
    bundle: Bundle, task: tasks.Task, dataset: Dataset, chosen: leakage.EvaluationSet
) -> tuple[tasks.Examples, dict[str, int]]:
    """The examples of a part, source by source, and how many each source has."""
    by_source: dict[str, list[Recording]] = {}
    for recording in chosen.recordings:
        by_source.setdefault(recording.source, []).append(recording)
    parts = {
        source: task.examples(recordings, bundle.labels)
        for source, recordings in sorted(by_source.items())
    }
    counts = {
        source: len(examples.targets) for source, examples in parts.items() if len(examples.targets)
    }
    if not counts:
        raise DataError(
            f"{dataset.source} has no {chosen.part} recordings to measure on",
            f"add recordings of more {dataset.by}s, or take all of them: --part all",
        )
    return tasks.Examples(
        np.concatenate([parts[source].inputs for source in counts]),
        np.concatenate([parts[source].targets for source in counts]),
    ), counts


def _rocs(bundle: Bundle, answers: Answers, targets: Array) -> dict[str, Roc]:
    scores = real(bundle, answers.raw)
    rocs = {
        label: metrics.roc(scores[:, index], targets == index)
        for index, label in enumerate(bundle.labels)
    }
    return {label: curve for label, curve in rocs.items() if curve is not None}


def _points(bundle: Bundle, answers: Answers, targets: Array) -> tuple[OperatingPoint, ...]:
    """What thresholds do; nothing for a model that has no background to be silent about."""
    if bundle.stream is None or bundle.features is None or not bundle.stream.background:
        return ()
    front_end = features.load(bundle.features)
    graph = tflite.read(bundle.model, bundle.name)
    rows = graph.tensors[graph.inputs[0]].bytes // front_end.row_bytes
    clip_s = front_end.samples_for(rows) / front_end.rate_hz
    scores = real(bundle, answers.raw)
    grid = sorted({*THRESHOLDS, bundle.stream.threshold})
    return metrics.sweep(scores, targets, bundle.stream.background, clip_s, grid)


def _validation(
    bundle: Bundle,
    task: tasks.Task,
    dataset: Dataset,
    where: Executor,
    on_progress: OnProgress | None,
) -> tuple[OperatingPoint, ...]:
    """What thresholds do to the validation part; nothing where there is none."""
    try:
        examples, _ = _examples(
            bundle, task, dataset, leakage.evaluation_set(bundle, dataset, VALIDATION)
        )
    except DataError:
        return ()
    (answers,) = ask([where], examples, on_progress)
    return _points(bundle, answers, examples.targets)


def advise(
    points: Sequence[OperatingPoint],
    validation: Sequence[OperatingPoint],
    part: str,
    most_per_hour: float,
) -> tuple[OperatingPoint | None, str]:
    """Return which of `points` of a part to take, see `metrics.advised`, and where it was chosen.

    The test part is no place to choose: `validation` is, with the same thresholds, unless it lacks
    words or background.
    """
    held_out = part == TEST and validation and validation[0].spoken and validation[0].hours
    best = metrics.advised(validation if held_out else points, most_per_hour)
    at_threshold = [
        point for point in points if best is not None and point.threshold == best.threshold
    ]
    return (at_threshold[0] if at_threshold else None), (VALIDATION if held_out else part)


def real(bundle: Bundle, outputs: Array) -> Array:
    """Return the real values of raw `outputs` of the model's first output tensor, float64."""
    graph = tflite.read(bundle.model, bundle.name)
    info = graph.tensors[graph.outputs[0]].info
    if not info.scale:
        return outputs.astype(np.float64)
    return (outputs.astype(np.float64) - info.zero_point) * info.scale


def _by_source(counts: Mapping[str, int], right: Array) -> tuple[SourceResult, ...]:
    """The accuracy of each source, whose clips follow one another; nothing where there is one."""
    results, start = [], 0
    for source, clips in counts.items():
        hits = int(right[start : start + clips].sum())
        start += clips
        results.append(SourceResult(source, clips, hits / clips, *metrics.wilson(hits, clips)))
    return tuple(results) if len(results) > 1 else ()


def _named(labels: Sequence[str], table: npt.NDArray[np.int64]) -> dict[str, dict[str, int]]:
    return {
        said: {labels[i]: int(count) for i, count in enumerate(row) if count}
        for said, row in zip(labels, table, strict=True)
    }
