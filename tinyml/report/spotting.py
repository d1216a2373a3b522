"""The page of `tinyml evaluate --stream`: misses and false accepts of keyword spotting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyml.report import parts, svg, thresholds, words
from tinyml.report.evaluation import cases, passed, properties
from tinyml.report.page import Cell, Facts, Histogram, Page, Section, Table, table

if TYPE_CHECKING:
    from tinyml.measure.spotting import SpottingReport

HOW = (
    "False accepts are events where there was nothing to recognise, and second events for the same "
    "clip; the stream holds the data's clips of other words or motions as well."
)


def page(result: SpottingReport) -> Page:
    """Return the page of a stream of recordings."""
    card = result.card
    missed = words.percent(card.reject_rate)
    sections = [
        Section("Stream", (_figures(result),)),
        Section("Where it ran", (_sources(result),)),
        Section("Labels", (_labels(result),)),
        *thresholds.sections(result.points, card, words.advice(result), HOW),
    ]
    if result.latency_ms:
        caption = "From the end of each clip to its event; clips end in silence."
        chart = Histogram(svg.bins_of(result.latency_ms), "ms", "clips", caption)
        sections.append(Section("Latency", (chart,)))
    return Page(
        name="spotting",
        title=f"{result.model} listening to {result.data}",
        verdict=words.agreement(result),
        headline=f"{missed} of {card.spoken:,} clips missed, "
        f"{words.number(card.accepts_per_hour)} false accepts per hour",
        identity=parts.identity(
            result.model, result.sha256, (("stream", _stream(result)), *words.learned(result))
        ),
        sections=tuple(sections),
        record=result,
        passed=passed(result),
        details=parts.details(result.sha256),
        cases=cases(result),
        properties=properties(result, {"missed": missed}),
    )


def _stream(result: SpottingReport) -> str:
    background = ", clips parted by pauses"
    if result.background_s:
        background = f", over {result.background_s:.0f} s of background, repeated"
    minutes = f"{result.stream_s / 60:.1f} minutes"
    return f"{result.data}, part {result.part}: {minutes}{background}"


def _figures(result: SpottingReport) -> Facts:
    card = result.card
    return Facts(
        (
            ("to recognise", f"{card.spoken:,} clips, of which {card.rejected:,} missed"),
            ("latency", f"{_median(result.latency_ms)} ms after the clip ends, median"),
        )
    )


def _sources(result: SpottingReport) -> Table:
    columns = ("inferences", "with other scores", "times real time")
    rows = [
        (
            place.on,
            f"{place.inferences:,}",
            Cell(str(place.different), bad=place.different > 0),
            f"{place.real_time_factor:.2f}",
        )
        for place in result.places
    ]
    return table(("on", *columns), rows, right=columns)


def _labels(result: SpottingReport) -> Table:
    most = max((word.spoken for word in result.words), default=0) or 1
    rows = [
        (
            word.label,
            Cell(str(word.spoken), bar=word.spoken / most),
            Cell(str(word.missed), bad=word.missed > 0),
            word.confused,
        )
        for word in result.words
    ]
    columns = ("clips", "missed", "taken for another")
    return table(("label", *columns), rows, right=columns)


def _median(values: Sequence[int]) -> str:
    return f"{sorted(values)[len(values) // 2]:,}" if values else "-"
