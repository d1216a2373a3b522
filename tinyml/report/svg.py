"""Charts as SVG: numbers in, shapes with coordinates out; a template only prints what is here.

Coordinates are in the units of the drawing's view box, y downwards. What a shape looks like is a
CSS class of the page.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinyml.model.tensor_diff import Bin
from tinyml.report.page import ArenaMap, Chart, Curves, Histogram, Series

WIDTH, HEIGHT = 640.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 86.0, 14.0, 30.0, 54.0
_TICKS = 5
_SERIES = 6  # colours
_LETTER = 6.2  # width of a letter of the small font
_WIDE_LETTER = 9.5  # width of one where the drawing is small and its letters are larger


@dataclass(frozen=True)
class BoxShape:
    """A box; `title` is shown under the pointer."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str = ""


@dataclass(frozen=True)
class TextShape:
    """A line of text at its `anchor`: start, middle or end; `turned` reads upwards."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    style: str = "tick"
    turned: bool = False


@dataclass(frozen=True)
class LineShape:
    """A polyline; `points` as SVG has them."""

    points: str
    style: str
    title: str = ""


@dataclass(frozen=True)
class Drawing:
    """Shapes in a view box; `label` says in words what is drawn."""

    label: str
    width: float
    height: float
    boxes: tuple[BoxShape, ...]
    lines: tuple[LineShape, ...]
    texts: tuple[TextShape, ...]


def draw(chart: Chart) -> Drawing:
    """Return the shapes of a chart."""
    if isinstance(chart, Histogram):
        return _histogram(chart)
    return _curves(chart) if isinstance(chart, Curves) else _arena_map(chart)


@dataclass(frozen=True)
class _Axes:
    """Maps values to coordinates; `whole`: only whole numbers stand at axes."""

    x_most: float
    y_most: float
    x_least: float = 0.0
    height: float = HEIGHT
    whole: bool = False

    def x(self, value: float) -> float:
        span = (self.x_most - self.x_least) or 1.0
        return round(_LEFT + (value - self.x_least) / span * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        share = min(1.0, value / (self.y_most or 1.0))
        return round(self.height - _BOTTOM - share * (self.height - _TOP - _BOTTOM), 1)

    def frame(self, x_name: str, y_name: str) -> tuple[list[LineShape], list[TextShape]]:
        """Grid lines, their values, and the names of both axes."""
        lines, texts = [], []
        for value in self._y_ticks():
            y = self.y(value)
            lines.append(LineShape(f"{_LEFT},{y} {WIDTH - _RIGHT},{y}", "grid"))
            texts.append(TextShape(_LEFT - 6, y + 4, digits(value), "end"))
        below = self.height - _BOTTOM + 24
        for value in self._x_ticks():
            texts.append(_below(self.x(value), below, digits(value)))
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        texts.append(TextShape(middle, self.height - 8, x_name, "middle", "axis"))
        middle = (self.height - _BOTTOM + _TOP) / 2
        texts.append(TextShape(18, middle, y_name, "middle", "axis", turned=True))
        return lines, texts

    def _y_ticks(self) -> list[float]:
        values = ticks(0.0, self.y_most)
        return [value for value in values if value == int(value)] if self.whole else values

    def _x_ticks(self) -> list[float]:
        """The values that stand below the axis: as many as there is room for."""
        values = ticks(self.x_least, self.x_most)
        if self.whole:
            values = sorted({float(round(value)) for value in values})
            values = [value for value in values if self.x_least <= value <= self.x_most]
        widest = max((len(digits(value)) for value in values), default=1)
        room = (WIDTH - _LEFT - _RIGHT) / (_WIDE_LETTER * (widest + 2))
        return values[:: max(1, math.ceil(len(values) / max(room, 1.0)))]


def _below(x: float, y: float, text: str) -> TextShape:
    """Return the value of a tick at `x`, in the middle below it unless the drawing ends there."""
    half = _WIDE_LETTER * len(text) / 2
    if x + half > WIDTH:
        return TextShape(WIDTH - 1, y, text, "end")
    return TextShape(x, y, text, "middle")


def ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers from `low` to `high`; `low` where these are all but equal."""
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high), 1.0):
        return [low]
    rough = span / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _curves(chart: Curves) -> Drawing:
    """Draw curves over one another with a legend."""
    highest = max((y for series in chart.series for _, y in series.points), default=0.0)
    axes = _Axes(chart.x_range[1], chart.y_most or highest or 1.0, chart.x_range[0])
    lines, texts = axes.frame(chart.x_name, chart.y_name)
    if chart.mark is not None:
        at, name = chart.mark
        x = axes.x(at)
        lines.append(LineShape(f"{x},{_TOP} {x},{HEIGHT - _BOTTOM}", "mark"))
        texts.append(_beside(x, name))
    for number, series in enumerate(chart.series):
        points = " ".join(f"{axes.x(x)},{axes.y(y)}" for x, y in series.points)
        lines.append(LineShape(points, f"curve s{number % _SERIES}", series.name))
    texts += _legend(chart.series)
    return Drawing(chart.label, WIDTH, HEIGHT, (), tuple(lines), tuple(texts))


def _beside(x: float, name: str) -> TextShape:
    """Return the name of a vertical line at `x`, on the side where there is room for it."""
    fits = x + 4 + _WIDE_LETTER * len(name) <= WIDTH - _RIGHT
    return TextShape(x + 4 if fits else x - 4, _TOP + 10, name, "start" if fits else "end")


def _legend(curves: Sequence[Series]) -> list[TextShape]:
    """Names in their curves' colours, above the plot; none for one curve, or too many to tell."""
    if len(curves) < 2 or len(curves) > _SERIES:
        return []
    texts, right = [], WIDTH - _RIGHT
    for number, series in reversed(list(enumerate(curves))):
        texts.append(TextShape(round(right, 1), 17, series.name, "end", f"legend s{number}"))
        right -= _WIDE_LETTER * len(series.name) + 16
    return texts


def _histogram(chart: Histogram) -> Drawing:
    """Draw bins that follow one another as columns."""
    bins = chart.bins
    low, high = bins[0].low, bins[-1].high
    width = (bins[1].low - bins[0].low) if len(bins) > 1 else (high - low) or 1.0
    # A bin of whole numbers reaches half a number beyond its ends.
    ragged = all(left.high < right.low for left, right in itertools.pairwise(bins))
    edge = 0.5 if ragged else 0.0
    axes = _Axes(high + edge, float(max(each.count for each in bins)), low - edge, whole=True)
    lines, texts = axes.frame(chart.x_name, chart.y_name)
    boxes = []
    for each in bins:
        left, right = axes.x(each.low - edge), axes.x(min(each.low - edge + width, high + edge))
        top = axes.y(each.count)
        values = digits(each.low)
        if each.low != each.high:
            values += f" to {digits(each.high)}"
        boxes.append(
            BoxShape(
                left,
                top,
                round(max(right - left - 1, 0.5), 1),
                round(HEIGHT - _BOTTOM - top, 1),
                "bad" if chart.bad else "column",
                f"{values}: {each.count:,}",
            )
        )
    label = f"histogram of {chart.x_name}"
    return Drawing(label, WIDTH, HEIGHT, tuple(boxes), tuple(lines), tuple(texts))


def _arena_map(chart: ArenaMap) -> Drawing:
    """Draw what lies where in an arena, from step -1 (inputs) to the end.

    A buffer's bytes stand in its box where there is room; its name is under the pointer.
    """
    height = HEIGHT + 60
    axes = _Axes(float(chart.steps + 1), float(chart.arena_bytes), -1.0, height)
    lines, texts = axes.frame("step", "bytes from the start of the arena")
    top = axes.y(chart.arena_bytes)
    lines.append(LineShape(f"{_LEFT},{top} {WIDTH - _RIGHT},{top}", "mark"))
    boxes, labelled = [], set()
    for number, placement in enumerate(chart.placements):
        x, right = axes.x(placement.first), axes.x(min(placement.last, chart.steps) + 1)
        y = axes.y(placement.offset + placement.bytes)
        box_height = round(axes.y(placement.offset) - y, 1)
        scratch = placement.name.startswith("scratch of ")
        style = "scratch" if scratch else f"block b{number % 4}"
        title = (
            f"{placement.name}: {placement.bytes:,} bytes at {placement.offset:,}, "
            f"steps {placement.first} to {placement.last}"
        )
        boxes.append(BoxShape(x, y, round(right - x, 1), box_height, style, title))
        text = f"{placement.bytes:,}"
        where = (placement.offset, placement.bytes)  # neighbours of a size are labelled once
        fits = box_height >= 13 and right - x >= _LETTER * len(text) + 4
        if not scratch and fits and where not in labelled:
            labelled.add(where)
            middle = round((x + right) / 2, 1)
            texts.append(
                TextShape(middle, round(y + box_height / 2 + 4, 1), text, "middle", "inside")
            )
    return Drawing(arena_label(chart), WIDTH, height, tuple(boxes), tuple(lines), tuple(texts))


def arena_label(chart: ArenaMap) -> str:
    """Say in words what a map of an arena draws."""
    return (
        f"{len(chart.placements)} buffers in an arena of {chart.arena_bytes:,} bytes "
        f"over {chart.steps} steps"
    )


def bins_of(values: Sequence[float], most: int = 24) -> tuple[Bin, ...]:
    """Return at most about `most` bins of equal width over whole numbers."""
    if not values:
        return ()
    low, high = math.floor(min(values)), math.floor(max(values))
    width = (high - low) // most + 1
    count = (high - low) // width + 1
    counts = [0] * count
    for value in values:
        counts[int((math.floor(value) - low) // width)] += 1
    return tuple(Bin(low + i * width, low + (i + 1) * width - 1, n) for i, n in enumerate(counts))


def digits(value: float) -> str:
    """Return a number with all its digits before the point: no power of ten."""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:g}"
