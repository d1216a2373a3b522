"""The page of `tinyml compare`: two models side by side, what flipped, and which limits hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyml.report.page import Cell, Facts, Note, Page, Section, Table, TestCase, table

if TYPE_CHECKING:
    from tinyml.measure.bench import BenchRow
    from tinyml.measure.comparison import ComparedFigure, ComparisonReport, PairedAccuracy

_SHOWN = 20  # recordings that flipped


def page(result: ComparisonReport) -> Page:
    """Return the page of two models."""
    before, after = result.before, result.after
    sections = [Section("Figures", (_figures(result),), wide=True)]
    if result.accuracy is not None:
        sections += _flipped(result.accuracy)
    if before.layers or after.layers:
        sections.append(_layers(before, after))
    return Page(
        name="compare",
        title=f"{before.model} and {after.model} on {after.board}",
        identity=Facts(
            (
                ("before", f"{before.model} (sha256 {before.sha256[:16]})"),
                ("after", f"{after.model} (sha256 {after.sha256[:16]})"),
                ("device", f"{after.board}, runtime {after.runtime}"),
            )
        ),
        sections=tuple(sections),
        record=result,
        verdict=_verdict(result),
        headline=_significance(result.accuracy) if result.accuracy is not None else "",
        passed=result.passed if result.limits else None,
        cases=tuple(
            TestCase("limits", text, f"{text} holds of {_named(result)}" if exceeded else "")
            for text in result.limits
            for exceeded in (text in result.exceeded,)
        ),
        properties={"before": before.sha256, "after": after.sha256, "board": after.board},
    )


def _named(result: ComparisonReport) -> str:
    return f"{result.after.model} against {result.before.model}"


def _verdict(result: ComparisonReport) -> str:
    if not result.limits:
        return ""
    if result.passed:
        return f"PASSED: none of {len(result.limits)} limits is exceeded"
    return f"FAILED: {' and '.join(result.exceeded)}"


def _figures(result: ComparisonReport) -> Table:
    rows = [
        (
            "RAM" if figure.name == "ram" else figure.name,
            _value(figure, figure.before),
            _value(figure, figure.after),
            _change(figure),
            "" if figure.percent is None or _is_share(figure) else f"{figure.percent:+.1f}%",
        )
        for figure in result.figures
    ]
    right = ("before", "after", "change", "in percent")
    return table(("figure", *right), rows, right=right)


def _is_share(figure: ComparedFigure) -> bool:
    return figure.name == "accuracy"


def _value(figure: ComparedFigure, value: float) -> str:
    return f"{value:.2f}%" if _is_share(figure) else f"{value:,.0f}"


def _change(figure: ComparedFigure) -> str:
    return f"{figure.change:+.2f} points" if _is_share(figure) else f"{figure.change:+,.0f}"


def _significance(accuracy: PairedAccuracy) -> str:
    if not accuracy.flipped:
        return f"Both recognise the same of {accuracy.recordings:,} recordings"
    verdict = "is significant" if accuracy.is_significant else "may be chance"
    return (
        f"Of {accuracy.recordings:,} recordings {accuracy.lost} are lost and {accuracy.gained} "
        f"gained: the difference {verdict} (McNemar's exact test: p = {accuracy.p_value:.3g})"
    )


def _flipped(accuracy: PairedAccuracy) -> list[Section]:
    rows = [
        (
            clip.name,
            clip.label,
            Cell(clip.before, bad=clip.before != clip.label),
            Cell(clip.after, bad=clip.after != clip.label),
        )
        for clip in accuracy.flipped[:_SHOWN]
    ]
    notes = [Note(_significance(accuracy))]
    if (more := len(accuracy.flipped) - _SHOWN) > 0:
        notes.insert(0, Note(f"... and {more} more"))
    blocks = (table(("flipped", "said", "before", "after"), rows),) if rows else ()
    return [Section("Recordings that flipped", (*blocks, *notes), wide=True)]


def _layers(before: BenchRow, after: BenchRow) -> Section:
    """The cost of layers side by side, by their place: models of one structure have the same."""
    unit = after.counter_unit
    rows = []
    for number in range(max(len(before.layers), len(after.layers))):
        first = before.layers[number] if number < len(before.layers) else None
        second = after.layers[number] if number < len(after.layers) else None
        named = second or first
        assert named is not None
        change = (
            second.counter - first.counter if first is not None and second is not None else None
        )
        rows.append(
            (
                named.op_index,
                named.op_name
                if first is None or second is None or first.op_name == second.op_name
                else f"{first.op_name} -> {second.op_name}",
                f"{first.counter:,}" if first is not None else "-",
                f"{second.counter:,}" if second is not None else "-",
                f"{change:+,}" if change is not None else "-",
            )
        )
    right = ("op", f"{unit} before", "after", "change")
    return Section("Layers", (table(("op", "operator", *right[1:]), rows, right=right),), wide=True)
