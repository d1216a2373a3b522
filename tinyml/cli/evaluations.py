"""How evaluations look on the screen; the same figures as their JSON documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tinyml.report import words

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.measure.evaluate import EvaluationReport
    from tinyml.measure.spotting import SpottingReport
    from tinyml.model.metrics import OperatingPoint

_ROWS = 10  # thresholds shown


def show(report: EvaluationReport, console: Console) -> None:
    """Print accuracy, figures per class, who was taken for whom, and what thresholds do."""
    floating = "-" if report.float_accuracy is None else f"{report.float_accuracy:.2%}"
    console.facts(
        (
            ("model", f"{report.model} (sha256 {report.sha256[:16]})"),
            ("recordings", f"{report.data}, part {report.part}: {report.clips:,} clips"),
            *words.learned(report),
            ("int8", f"{report.accuracy:.2%}, 95 % interval {report.low:.2%} to {report.high:.2%}"),
            ("float", f"{floating} {report.note}".rstrip()),
            ("macro F1", _share(report.macro_f1)),
        )
    )
    console.print()
    console.table(
        ("on", "accuracy", "clips per second", "clips with other scores"),
        [
            (one.on, f"{one.accuracy:.2%}", f"{one.clips_per_second:,.0f}", one.different)
            for one in report.places
        ],
        right=("accuracy", "clips per second", "clips with other scores"),
    )
    console.print()
    _show_classes(report, console)
    if report.sources:
        console.print()
        console.table(
            ("source", "clips", "accuracy", "95 % interval"),
            [
                (
                    one.source or "-",
                    one.clips,
                    f"{one.accuracy:.1%}",
                    f"{one.low:.1%} to {one.high:.1%}",
                )
                for one in report.sources
            ],
            right=("clips", "accuracy"),
        )
    if report.points:
        console.print()
        _show_points(report.points, report.threshold, console)
        console.print(words.advice(report))
    for skipped in report.skipped:
        console.note(f"skipped: {skipped}")
    _agree(report, console)


def show_spotting(report: SpottingReport, console: Console) -> None:
    """Print what was missed and falsely accepted in a stream, and what thresholds do."""
    card = report.card
    repeated = f", over {report.background_s:.0f} s of background, repeated"
    console.facts(
        (
            ("model", f"{report.model} (sha256 {report.sha256[:16]})"),
            (
                "stream",
                f"{report.data}, part {report.part}: {report.stream_s / 60:.1f} minutes"
                + (repeated if report.background_s else ", clips parted by pauses"),
            ),
            *words.learned(report),
            ("to recognise", f"{card.spoken:,} clips, of which {card.rejected:,} missed"),
            ("latency", f"{_median(report.latency_ms)} ms after the clip ends, median"),
        )
    )
    console.print()
    console.table(
        ("on", "inferences", "with other scores", "times real time"),
        [
            (one.on, f"{one.inferences:,}", one.different, f"{one.real_time_factor:.2f}")
            for one in report.places
        ],
        right=("inferences", "with other scores", "times real time"),
    )
    console.print()
    console.table(
        ("label", "clips", "missed", "taken for another"),
        [(one.label, one.spoken, one.missed, one.confused) for one in report.words],
        right=("clips", "missed", "taken for another"),
    )
    console.print()
    _show_points(report.points, card.threshold, console, card)
    console.print(words.advice(report))
    _agree(report, console)


def _agree(report: EvaluationReport | SpottingReport, console: Console) -> None:
    if said := words.agreement(report):
        console.print()
        console.print(said)


def _show_classes(report: EvaluationReport, console: Console) -> None:
    console.table(
        ("label", "clips", "precision", "recall", "F1", "ROC area", "taken for"),
        [
            (
                one.label,
                one.clips,
                words.percent(one.precision),
                words.percent(one.recall),
                _share(one.f1),
                _share(one.auc),
                _taken_for(report.confusion.get(one.label, {}), one.label),
            )
            for one in report.classes
        ],
        right=("clips", "precision", "recall", "F1", "ROC area"),
    )


def _show_points(
    points: Sequence[OperatingPoint],
    card_threshold: float | None,
    console: Console,
    card: OperatingPoint | None = None,
) -> None:
    step = max(1, len(points) // _ROWS)
    shown = {one.threshold: one for one in points[::step]}
    shown |= {one.threshold: one for one in points if one.threshold == card_threshold}
    if card is not None:
        shown[card.threshold] = card
    columns = ("missed", "of", "false accepts", "hours", "per hour", "95 % below")
    console.table(
        ("threshold", *columns, ""),
        [
            (
                f"{one.threshold:.2f}",
                one.rejected,
                one.spoken,
                one.accepted,
                f"{one.hours:.2f}",
                words.number(one.accepts_per_hour),
                words.number(one.accepts_per_hour_most),
                "the card's" if threshold == card_threshold else "",
            )
            for threshold, one in sorted(shown.items())
        ],
        right=("threshold", *columns),
    )


def _taken_for(answers: Mapping[str, int], label: str) -> str:
    wrong = sorted(
        ((count, name) for name, count in answers.items() if name != label), reverse=True
    )
    return ", ".join(f"{name} {count}" for count, name in wrong)


def _median(values: Sequence[int]) -> str:
    return f"{sorted(values)[len(values) // 2]:,}" if values else "-"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"
