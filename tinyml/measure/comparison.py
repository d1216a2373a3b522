"""Two models side by side: paired accuracy with McNemar's test, costs, and limits for CI.

What was measured of each comes in, a `ComparisonReport` out. A limit that is exceeded is a report
with `passed=False`, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml import tasks
from tinyml.datasets import TEST, Dataset, Recording
from tinyml.errors import ConfigError, DataError, nearest
from tinyml.measure.bench import BenchRow
from tinyml.measure.evaluate import Executor
from tinyml.model import leakage, metrics
from tinyml.records import Bundle

ACCURACY = "accuracy"
SIGNIFICANT = 0.05  # a difference that chance makes less often is one

_LIMIT = re.compile(r"\s*([A-Za-z]+)\s*([<>])\s*([+-]?)\s*(\d+(?:\.\d+)?)\s*(%?)\s*")

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class FlippedClip:
    """A recording on which one of the models is right and the other is not."""

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class PairedAccuracy:
    """How two models do on the same recordings, in percent.

    `lost`: recordings that only the first recognises, `gained`: only the second; `flipped` has both
    kinds. `p_value`: how often chance alone makes such a difference, by McNemar's exact test.
    """

    recordings: int
    before: float
    after: float
    lost: int
    gained: int
    p_value: float
    flipped: tuple[FlippedClip, ...]

    @property
    def is_significant(self) -> bool:
        """Whether the difference is more than chance makes in one of 20 cases."""
        return self.p_value < SIGNIFICANT


@dataclass(frozen=True)
class ComparedFigure:
    """One figure of both models: accuracy in percent, memory in bytes, or a counter."""

    name: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """The second less the first."""
        return self.after - self.before

    @property
    def percent(self) -> float | None:
        """The change in percent of the first, None where that is 0."""
        return 100 * self.change / self.before if self.before else None


@dataclass(frozen=True)
class Limit:
    """What a figure must not do: "flash>+2%" (its change), "accuracy<90" (the second's own)."""

    text: str
    name: str
    above: bool
    bound: float
    of_change: bool
    in_percent: bool

    def exceeded_by(self, figure: ComparedFigure) -> bool:
        """Whether `figure` is beyond the limit."""
        value: float | None = figure.after
        if self.of_change:
            value = figure.percent if self.in_percent else figure.change
        if value is None:  # from nothing to something
            value = np.inf if figure.change > 0 else 0.0
        return value > self.bound if self.above else value < self.bound


@dataclass(frozen=True)
class ComparisonReport:
    """Two models side by side. JSON document `tinyml.compare/1` has exactly these fields.

    `figures`: of both, in order; `accuracy`: None where no recordings were given. `exceeded`: the
    limits that are, as they were given; `passed`: none is.
    """

    passed: bool
    before: BenchRow
    after: BenchRow
    figures: tuple[ComparedFigure, ...]
    accuracy: PairedAccuracy | None
    limits: tuple[str, ...]
    exceeded: tuple[str, ...]


def limit(text: str) -> Limit:
    """Return the limit that `text` states; raises ConfigError for what is none.

    NAME, < or >, a number. With a sign it is about the change, in percent of the first model where
    % follows; without one about the second model's own figure. Accuracy is in percent.
    """
    match = _LIMIT.fullmatch(text)
    if match is None or (match[5] and not match[3]):
        raise ConfigError(
            f"{text!r} is no limit",
            'write NAME>+N%, NAME>+N, NAME<-N or NAME>N, as in "flash>+2%" "accuracy<-1"',
        )
    bound = float(match[4]) * (-1 if match[3] == "-" else 1)
    return Limit(text, match[1].lower(), match[2] == ">", bound, bool(match[3]), bool(match[5]))


def compare(
    before: BenchRow,
    after: BenchRow,
    accuracy: PairedAccuracy | None,
    limits: Sequence[Limit] = (),
) -> ComparisonReport:
    """Put two models side by side and hold them to `limits`.

    Raises ConfigError for a limit on what was not measured.
    """
    figures = (
        *(
            (ComparedFigure(ACCURACY, accuracy.before, accuracy.after),)
            if accuracy is not None
            else ()
        ),
        ComparedFigure("flash", before.flash_bytes, after.flash_bytes),
        ComparedFigure("ram", before.ram_bytes, after.ram_bytes),
        ComparedFigure("arena", before.arena_bytes, after.arena_bytes),
        ComparedFigure("constants", before.constant_bytes, after.constant_bytes),
        ComparedFigure(before.counter_unit, before.counter_median, after.counter_median),
    )
    by_name = {figure.name: figure for figure in figures}
    exceeded = []
    for each in limits:
        if each.name not in by_name:
            known = nearest(each.name, by_name)
            hint = "add --data DIR, which measures it" if each.name == ACCURACY else known
            raise ConfigError(f"{each.text!r} is about {each.name!r}, which is not measured", hint)
        if each.exceeded_by(by_name[each.name]):
            exceeded.append(each.text)
    return ComparisonReport(
        not exceeded,
        before,
        after,
        figures,
        accuracy,
        tuple(each.text for each in limits),
        tuple(exceeded),
    )


def paired_accuracy(
    dataset: Dataset,
    models: tuple[tuple[Bundle, Executor], tuple[Bundle, Executor]],
    part: str = TEST,
    on_progress: OnProgress | None = None,
) -> PairedAccuracy:
    """Ask two models about the same recordings of a part: those that neither learned from.

    A recording is recognised where every example of it is. Raises ConfigError for models of
    different labels, DataError where no recordings are left.
    """
    (first, _), (second, _) = models
    if set(first.labels) != set(second.labels):
        raise ConfigError(
            f"{first.name} knows {', '.join(first.labels)}; "
            f"{second.name} knows {', '.join(second.labels)}",
            "compare models of the same labels, or leave --data away",
        )
    recordings = _common(dataset, first, second, part)
    answers: list[list[str]] = []
    for number, (bundle, executor) in enumerate(models):
        task = tasks.load(bundle.task)
        answers.append([])
        for done, recording in enumerate(recordings):
            answers[-1].append(_answer(task, bundle, executor, recording))
            if on_progress is not None:
                on_progress(number * len(recordings) + done + 1, 2 * len(recordings))
    return paired(recordings, *answers)


def paired(
    recordings: Sequence[Recording], before: Sequence[str], after: Sequence[str]
) -> PairedAccuracy:
    """Compare what two models took the same recordings for, label by label."""
    asked = list(zip(recordings, before, after, strict=True))
    flipped = tuple(
        FlippedClip(f"{clip.path.parent.name}/{clip.path.name}", clip.label, first, second)
        for clip, first, second in asked
        if (first == clip.label) != (second == clip.label)
    )
    lost = sum(clip.before == clip.label for clip in flipped)
    gained = len(flipped) - lost
    right = sum(first == clip.label for clip, first, _ in asked)
    return PairedAccuracy(
        recordings=len(asked),
        before=100 * right / len(asked),
        after=100 * (right - lost + gained) / len(asked),
        lost=lost,
        gained=gained,
        p_value=metrics.mcnemar(lost, gained),
        flipped=flipped,
    )


def _common(dataset: Dataset, first: Bundle, second: Bundle, part: str) -> list[Recording]:
    """Return the recordings of the part that neither model learned from, each once."""
    others = set(leakage.evaluation_set(second, dataset, part).recordings)
    ours = leakage.evaluation_set(first, dataset, part).recordings
    common = [recording for recording in ours if recording in others and not recording.long]
    if not common:
        raise DataError(
            f"{dataset.source} has no {part} recordings that neither model learned from",
            "add recordings, or take all of them: --part all",
        )
    return common


def _answer(task: tasks.Task, bundle: Bundle, executor: Executor, recording: Recording) -> str:
    """Return the label that a recording is recognised as: the first wrong one, or its own."""
    examples = task.examples([recording], bundle.labels)
    for inputs, target in zip(examples.inputs, examples.targets, strict=True):
        best = int(np.asarray(executor.run([inputs[np.newaxis]])[0]).reshape(-1).argmax())
        if best != int(target):
            return bundle.labels[best]
    return recording.label
