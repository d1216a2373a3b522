"""How well a bundle does: bundle and labelled recordings in, an `EvaluationReport` out.

The int8 model runs on the oracle, on the host build of the compiled runtime, or on a device; the
float weights, where the bundle has them and TensorFlow is installed, run beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinyml import bundle as bundles
from tinyml import hostlib, runtimes, tasks
from tinyml.datasets import PARTS, TEST, Dataset, Recording, split
from tinyml.errors import ConfigError, DataError, ToolError, nearest
from tinyml.oracle import Oracle
from tinyml.records import Board, Bundle

Array = npt.NDArray[Any]
Run = Callable[[Sequence[Array]], Sequence[Array]]
OnProgress = Callable[[int, int], None]
ORACLE, HOST = "oracle", "host"


class Device(Protocol):
    """What evaluation needs of a connected device."""

    def infer(self, inputs: Sequence[Array]) -> Any:
        """Run one inference; the result has `outputs`."""


@dataclass(frozen=True)
class ClassResult:
    """One label: `clips` of it, and how the answers relate to it.

    `precision`: of the clips recognised as the label, those that were; None where there are none.
    `recall`: of the clips of the label, those recognised as it.
    """

    label: str
    clips: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class EvaluationReport:
    """Accuracy on recordings, as shares of 1.

    `confusion`: label said -> label recognised -> clips, for int8. `on`: oracle, host or device.
    `float_accuracy` is None where the float weights could not be run; `note` says why.
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


def evaluate(
    bundle: Bundle,
    data: Path,
    on: str | Device = ORACLE,
    part: str = TEST,
    on_progress: OnProgress | None = None,
    board: Board | None = None,
) -> EvaluationReport:
    """Measure `bundle` on one part of the recordings in `data`, divided exactly as for training.

    `on` is "oracle", "host" (the C that `board` would run, compiled for this machine; needs
    `board`) or a connected device. `part` "all" takes every recording. Raises what `read` raises.
    """
    return evaluate_dataset(bundle, read(bundle, data), on, part, on_progress, board)


def read(bundle: Bundle, data: Path) -> Dataset:
    """Return the recordings in `data` as the task of `bundle` reads them.

    Raises ConfigError for a bundle without a task, DataError for unusable data or labels that the
    model does not know.
    """
    if not bundle.task:
        raise ConfigError(
            f"{bundle.name} does not say what it was trained for",
            "evaluate a bundle that `tinyml train` wrote",
        )
    dataset = tasks.load(bundle.task).read(data)
    if strange := sorted({one.label for one in dataset.recordings} - set(bundle.labels)):
        raise DataError(
            f"{data} has recordings of {', '.join(strange)}; "
            f"{bundle.name} knows {', '.join(bundle.labels)}",
            f"train a model on it: tinyml train {bundle.task} --data {data}",
        )
    return dataset


def evaluate_dataset(
    bundle: Bundle,
    dataset: Dataset,
    on: str | Device = ORACLE,
    part: str = TEST,
    on_progress: OnProgress | None = None,
    board: Board | None = None,
) -> EvaluationReport:
    """As `evaluate`, for recordings that `read` has found, or training."""
    task = tasks.load(bundle.task)
    examples = task.examples(_recordings(dataset, part), bundle.labels)
    if not len(examples.targets):
        raise DataError(
            f"{dataset.source} has no {part} recordings to measure on",
            "add recordings of more speakers, or take all of them: --part all",
        )
    run, name = _runner(bundle, on, board)
    began = time.monotonic()
    answers = np.empty(len(examples.targets), np.int64)
    for number, one in enumerate(examples.inputs):
        answers[number] = int(np.argmax(run([one[np.newaxis]])[0]))
        if on_progress is not None:
            on_progress(number + 1, len(answers))
    seconds = time.monotonic() - began
    float_accuracy, note = _float_accuracy(bundle, task, examples)
    table = confusion(examples.targets, answers, len(bundle.labels))
    return EvaluationReport(
        model=bundle.name,
        sha256=bundle.sha256,
        data=dataset.source,
        part=part,
        on=name,
        clips=len(answers),
        accuracy=float(np.mean(answers == examples.targets)),
        float_accuracy=float_accuracy,
        note=note,
        classes=_classes(bundle.labels, table),
        confusion=_named(bundle.labels, table),
        skipped=dataset.skipped,
        clips_per_second=len(answers) / max(seconds, 1e-9),
    )


def confusion(targets: Array, answers: Array, labels: int) -> npt.NDArray[np.int64]:
    """Return counts [said, recognised]."""
    table = np.zeros((labels, labels), np.int64)
    np.add.at(table, (targets, answers), 1)
    return table


def _recordings(dataset: Dataset, part: str) -> Sequence[Recording]:
    if part == "all":
        return dataset.recordings
    if part not in PARTS:
        raise ConfigError(f"there is no part {part!r}", nearest(part, [*PARTS, "all"]))
    return split(dataset).parts[part]


def _runner(bundle: Bundle, on: str | Device, board: Board | None) -> tuple[Run, str]:
    if not isinstance(on, str):
        return (lambda inputs: on.infer(inputs).outputs), "device"
    if on == ORACLE:
        return Oracle(bundle.model, bundle.name).run, ORACLE
    if on == HOST and board is not None:
        source = runtimes.load("compiled").generate(bundle, board)
        return hostlib.HostModel(source).run, HOST
    raise ConfigError(f"a model cannot be evaluated on {on!r}", nearest(on, [ORACLE, HOST]))


def _float_accuracy(
    bundle: Bundle, task: tasks.Task, examples: tasks.Examples
) -> tuple[float | None, str]:
    weights = bundle.path / bundles.WEIGHTS
    if not weights.is_file():
        return None, "the bundle has no float weights"
    from tinyml.training import restore

    try:
        model = restore.model(task, bundle, weights.read_bytes())
        return restore.accuracy(task, model, examples), ""
    except ToolError as error:
        return None, f"the float weights were not run: {error.message}"


def _classes(labels: Sequence[str], table: npt.NDArray[np.int64]) -> tuple[ClassResult, ...]:
    right, said, recognised = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return tuple(
        ClassResult(
            label,
            int(said[i]),
            float(right[i] / recognised[i]) if recognised[i] else None,
            float(right[i] / said[i]) if said[i] else None,
        )
        for i, label in enumerate(labels)
    )


def _named(labels: Sequence[str], table: npt.NDArray[np.int64]) -> dict[str, dict[str, int]]:
    return {
        said: {labels[i]: int(count) for i, count in enumerate(row) if count}
        for said, row in zip(labels, table, strict=True)
    }
