"""The page of `tinyml evaluate`: accuracy with its interval, confusion matrix, ROC, thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyml.records import Bundle
from tinyml.report import confusion, parts, thresholds, words
from tinyml.report.page import (
    Block,
    Cell,
    Curves,
    Facts,
    Note,
    Page,
    Section,
    Series,
    Table,
    TestCase,
    table,
)

if TYPE_CHECKING:
    from tinyml.measure.evaluate import EvaluationReport
    from tinyml.measure.spotting import SpottingReport

HOW = (
    "Each clip was taken for itself, without the averaging of a stream; tinyml evaluate --stream "
    "measures what a listening device does."
)


def page(result: EvaluationReport, bundle: Bundle) -> Page:
    """Return the page; the card of `bundle` tells what int8 loses."""
    sections = [
        Section("Accuracy", (_accuracy(result),)),
        Section("Where it ran", (_executors(result),)),
        Section("Labels", (_classes(result),), wide=True),
    ]
    if result.sources:
        sections.append(Section("Sources", (_sources(result),)))
    if result.points:
        sections += thresholds.sections(result.points, result.threshold, words.advice(result), HOW)
    sections += [_confusion(result), *_rocs(result), *parts.noise(bundle.card.noise or ())]
    if result.skipped:
        notes = tuple(Note(skipped, detail=True) for skipped in result.skipped)
        sections.append(Section("Recordings left out", notes, wide=True))
    recordings = f"{result.data}, part {result.part}: {result.clips:,} clips"
    return Page(
        name="evaluate",
        title=f"{result.model} on {result.data}",
        verdict=words.agreement(result),
        headline=f"{result.accuracy:.2%} of {result.clips:,} clips recognised, 95 % confidence "
        f"interval {result.low:.2%} to {result.high:.2%}",
        identity=parts.identity(
            result.model, result.sha256, (("recordings", recordings), *words.learned(result))
        ),
        sections=tuple(sections),
        record=result,
        passed=passed(result),
        details=parts.details(result.sha256),
        cases=cases(result),
        properties=properties(result, {"accuracy": f"{result.accuracy:.4f}"}),
    )


def passed(result: EvaluationReport | SpottingReport) -> bool | None:
    """Return whether several executors gave the same scores; None for one, which proves nothing."""
    return result.passed if len(result.places) > 1 else None


def cases(result: EvaluationReport | SpottingReport) -> tuple[TestCase, ...]:
    """Return a test case for each executor: whether it gave the scores of the first."""
    first = result.places[0].on
    return tuple(
        TestCase(
            "places",
            f"{place.on} gives the scores of {first}" if place.on != first else f"{place.on} ran",
            f"{place.different:,} have other scores than on {first}" if place.different else "",
        )
        for place in result.places
    )


def properties(
    result: EvaluationReport | SpottingReport, figures: dict[str, str]
) -> dict[str, str]:
    """Return what a CI system keeps of the run, with `figures`."""
    return {"model": result.model, "sha256": result.sha256, "data": result.data, **figures}


def _accuracy(result: EvaluationReport) -> Facts:
    floating = "-" if result.float_accuracy is None else f"{result.float_accuracy:.2%}"
    interval = f"95 % interval {result.low:.2%} to {result.high:.2%}"
    return Facts(
        (
            ("int8", f"{result.accuracy:.2%}, {interval}"),
            ("float", f"{floating} {result.note}".rstrip()),
            ("macro F1", _decimals(result.macro_f1)),
        )
    )


def _executors(result: EvaluationReport) -> Table:
    columns = ("accuracy", "clips per second", "clips with other scores")
    rows = [
        (
            place.on,
            f"{place.accuracy:.2%}",
            f"{place.clips_per_second:,.0f}",
            Cell(str(place.different), bad=place.different > 0),
        )
        for place in result.places
    ]
    return table(("on", *columns), rows, right=columns)


def _classes(result: EvaluationReport) -> Table:
    rows = [
        (
            each.label,
            f"{each.clips:,}",
            Cell(words.percent(each.precision), bar=each.precision),
            Cell(words.percent(each.recall), bar=each.recall),
            _decimals(each.f1),
            _decimals(each.auc),
            confusion.mistakes(each.label, result.confusion.get(each.label, {})),
        )
        for each in result.classes
    ]
    columns = ("clips", "precision", "recall", "F1", "ROC area")
    return table(("label", *columns, "taken for"), rows, right=columns)


def _sources(result: EvaluationReport) -> Table:
    rows = [
        (
            each.source or "-",
            f"{each.clips:,}",
            Cell(f"{each.accuracy:.1%}", bar=each.accuracy),
            f"{each.low:.1%} to {each.high:.1%}",
        )
        for each in result.sources
    ]
    columns = ("source", "clips", "accuracy", "95 % interval")
    return table(columns, rows, right=("clips", "accuracy"))


def _confusion(result: EvaluationReport) -> Section:
    labels = tuple(each.label for each in result.classes)
    note = Note("Rows: what was said; columns: what was recognised; clips.", detail=True)
    return Section("Confusion", (confusion.matrix(labels, result.confusion), note))


def _rocs(result: EvaluationReport) -> list[Section]:
    if not result.rocs:
        return []
    series = tuple(
        Series(label, tuple(zip(roc.false_positive_rate, roc.true_positive_rate, strict=True)))
        for label, roc in result.rocs.items()
    )
    chart: Block = Curves(
        series,
        f"ROC of {len(series)} labels",
        "false positive rate",
        "true positive rate",
        "Each label's score against all other clips. Point at a curve for its label; the area "
        "under it stands with the labels.",
        y_most=1.0,
    )
    return [Section("Receiver operating characteristic", (chart,))]


def _decimals(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"
