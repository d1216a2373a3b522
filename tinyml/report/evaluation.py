"""The report of `tinyml evaluate`, for clips and for streams: accuracy, confusion, thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyml.records import Bundle
from tinyml.report import Report, figures, parts, words
from tinyml.report.figures import Series
from tinyml.report.junit import Case, Suite
from tinyml.report.page import Block, Cell, Facts, Figure, Note, Page, Section, table
from tinyml.report.validation import confusion

if TYPE_CHECKING:
    from tinyml.measure.evaluate import EvaluationReport
    from tinyml.measure.spotting import SpottingReport
    from tinyml.model.metrics import OperatingPoint


def report(result: EvaluationReport, bundle: Bundle) -> Report:
    """Return the report of clips; the card of `bundle` tells what int8 loses."""
    sections = [Section("Accuracy", (_accuracy(result), *_sources(result)))]
    sections.append(Section("Where it ran", (_places(result), *_agreement(result))))
    labels = tuple(one.label for one in result.classes)
    sections.append(
        Section(
            "Confusion",
            (
                confusion(labels, result.confusion),
                Note("Rows: what was said; columns: what was recognised; clips."),
            ),
            wide=True,
        )
    )
    sections.append(Section("Labels", (_classes(result),), wide=len(result.rocs) < 1))
    sections += _rocs(result)
    if result.points:
        sections += thresholds(result.points, result.threshold)
        sections.append(_advice(result, CLIPS))
    sections += parts.noise(bundle.card)
    if result.skipped:
        blocks = tuple(Note(one) for one in result.skipped)
        sections.append(Section("Recordings left out", blocks, wide=True))
    found = (
        f"{result.accuracy:.2%} of {result.clips:,} clips recognised, 95 % confidence interval "
        f"{result.low:.2%} to {result.high:.2%}"
    )
    return Report(
        Page(
            f"{result.model} on {result.data}",
            result.passed if len(result.places) > 1 else None,
            _verdict(found, result),
            parts.identity(result.model, result.sha256, _where(result)),
            tuple(sections),
        ),
        _suite("tinyml.evaluate", result, {"accuracy": f"{result.accuracy:.4f}"}),
    )


CLIPS = (
    "Each clip was taken for itself, without the averaging of a stream; tinyml evaluate --stream "
    "measures what a listening device does."
)
STREAM = (
    "False accepts are events where there was nothing to recognise, and second events for the same "
    "clip; the stream holds the data's clips of other words or motions as well."
)


def stream_report(result: SpottingReport) -> Report:
    """Return the report of a stream."""
    card = result.card
    background = (
        f"{result.background_s:.0f} s, repeated" if result.background_s else "pauses between clips"
    )
    facts = Facts(
        (
            ("stream", f"{result.stream_s / 60:.1f} minutes, seed {result.seed}"),
            ("background", background),
            ("to recognise", f"{card.spoken:,} clips, of which {card.rejected:,} missed"),
            ("threshold", f"{card.threshold:.2f}, of the card"),
            ("false accepts", f"{card.accepted} in {card.hours:.2f} hours without any"),
        )
    )
    most = max((one.spoken for one in result.words), default=1)
    spoken = table(
        ("label", "clips", "missed", "taken for another"),
        [
            (
                one.label,
                Cell(str(one.spoken), bar=one.spoken / most),
                Cell(str(one.missed), bad=one.missed > 0),
                str(one.confused),
            )
            for one in result.words
        ],
        right=("missed", "taken for another"),
    )
    sections = [
        Section("Stream", (facts,)),
        Section("Where it ran", (_streamed(result), *_agreement(result))),
        *thresholds(result.points, card.threshold),
        _advice(result, STREAM),
        Section("Labels", (spoken,)),
    ]
    if result.latency_ms:
        drawing = figures.columns(
            figures.bins_of(result.latency_ms), "histogram of latency", "ms", "clips"
        )
        caption = "From the end of each clip to its event; clips end in silence."
        sections.append(Section("Latency", (Figure(drawing, caption),)))
    missed = words.percent(card.reject_rate)
    found = (
        f"{missed} of {card.spoken:,} clips missed, "
        f"{words.number(card.accepts_per_hour)} false accepts per hour"
    )
    page = Page(
        f"{result.model} listening to {result.data}",
        result.passed if len(result.places) > 1 else None,
        _verdict(found, result),
        parts.identity(result.model, result.sha256, _where(result)),
        tuple(sections),
    )
    return Report(page, _suite("tinyml.spotting", result, {"missed": missed}))


def thresholds(points: Sequence[OperatingPoint], card: float | None) -> tuple[Section, ...]:
    """Return what thresholds do: words missed, and false accepts per hour."""
    ends = (points[0].threshold, points[-1].threshold)
    mark = None if card is None else (card, f"card {card:.2f}")
    missed = Series("missed", tuple((one.threshold, one.reject_rate or 0.0) for one in points))
    accepted = Series(
        "measured", tuple((one.threshold, one.accepts_per_hour or 0.0) for one in points)
    )
    bound = Series(
        "95 % below", tuple((one.threshold, one.accepts_per_hour_most or 0.0) for one in points)
    )
    first = figures.curves(
        [missed], "share missed by threshold", "threshold", "share missed",
        y_most=1.0, x_range=ends, mark=mark,
    )  # fmt: skip
    second = figures.curves(
        [accepted, bound], "false accepts by threshold", "threshold", "false accepts per hour",
        x_range=ends, mark=mark,
    )  # fmt: skip
    hours = f"{points[0].hours:.2f} hours without any of them were heard."
    found = f"{points[0].spoken:,} clips were to be recognised."
    missed_section = Section("Missed", (Figure(first, found),))
    if not points[0].hours:
        return (missed_section,)
    return (missed_section, Section("False accepts", (Figure(second, hours),)))


def _verdict(found: str, result: EvaluationReport | SpottingReport) -> str:
    return "; ".join(filter(None, (words.agreement(result), found)))


def _advice(result: EvaluationReport | SpottingReport, how: str) -> Section:
    said = words.advice(result)
    return Section("Which threshold?", (Note(said), Note(how)))


def _where(result: EvaluationReport | SpottingReport) -> tuple[tuple[str, str], ...]:
    places = ", ".join(one.on for one in result.places)
    return (
        ("recordings", f"{result.data}, part {result.part}"),
        *words.learned(result),
        ("ran on", places),
    )


def _accuracy(result: EvaluationReport) -> Facts:
    floating = "-" if result.float_accuracy is None else f"{result.float_accuracy:.2%}"
    return Facts(
        (
            ("int8", f"{result.accuracy:.2%} of {result.clips:,} clips"),
            ("95 % interval", f"{result.low:.2%} to {result.high:.2%} (Wilson)"),
            ("float", f"{floating} {result.note}".rstrip()),
            ("macro F1", "-" if result.macro_f1 is None else f"{result.macro_f1:.3f}"),
        )
    )


def _sources(result: EvaluationReport) -> tuple[Block, ...]:
    if not result.sources:
        return ()
    rows = [
        (one.source or "-", f"{one.clips:,}", Cell(f"{one.accuracy:.1%}", bar=one.accuracy),
         f"{one.low:.1%} to {one.high:.1%}")
        for one in result.sources
    ]  # fmt: skip
    return (table(("source", "clips", "accuracy", "95 % interval"), rows, right=("clips",)),)


def _places(result: EvaluationReport) -> Block:
    columns = ("on", "accuracy", "clips per second", "other scores")
    rows = [
        (one.on, f"{one.accuracy:.2%}", f"{one.clips_per_second:,.0f}",
         Cell(str(one.different), bad=one.different > 0))
        for one in result.places
    ]  # fmt: skip
    return table(columns, rows, right=columns[1:])


def _streamed(result: SpottingReport) -> Block:
    columns = ("on", "inferences", "times real time", "other scores")
    rows = [
        (one.on, f"{one.inferences:,}", f"{one.real_time_factor:.2f}",
         Cell(str(one.different), bad=one.different > 0))
        for one in result.places
    ]  # fmt: skip
    return table(columns, rows, right=columns[1:])


def _agreement(result: EvaluationReport | SpottingReport) -> tuple[Block, ...]:
    said = words.agreement(result)
    return (Note(said),) if said else ()


def _classes(result: EvaluationReport) -> Block:
    def share(value: float | None) -> Cell:
        return Cell(words.percent(value), bar=value)

    columns = ("label", "clips", "precision", "recall", "F1", "ROC area")
    rows = [
        (
            one.label,
            f"{one.clips:,}",
            share(one.precision),
            share(one.recall),
            "-" if one.f1 is None else f"{one.f1:.3f}",
            "-" if one.auc is None else f"{one.auc:.3f}",
        )
        for one in result.classes
    ]
    return table(columns, rows, right=("clips", "F1", "ROC area"))


def _rocs(result: EvaluationReport) -> list[Section]:
    if not result.rocs:
        return []
    series = [
        Series(label, tuple(zip(one.false_positive_rate, one.true_positive_rate, strict=True)))
        for label, one in result.rocs.items()
    ]
    drawing = figures.curves(
        series, f"ROC of {len(series)} labels", "false positive rate", "true positive rate",
        y_most=1.0,
    )  # fmt: skip
    caption = (
        "Each label's score against all other clips. Point at a curve for its label; the area "
        "under it stands with the labels."
    )
    return [Section("Receiver operating characteristic", (Figure(drawing, caption),))]


def _suite(
    name: str, result: EvaluationReport | SpottingReport, properties: dict[str, str]
) -> Suite:
    first = result.places[0].on
    cases = tuple(
        Case(
            "places",
            f"{one.on} gives the scores of {first}" if one.on != first else f"{one.on} ran",
            f"{one.different:,} have other scores than on {first}" if one.different else "",
        )
        for one in result.places
    )
    known = {"model": result.model, "sha256": result.sha256, "data": result.data, **properties}
    return Suite(name, known, cases)
