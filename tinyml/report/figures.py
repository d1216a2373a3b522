"""Figures: numbers in, shapes with coordinates out. A template only prints what is computed here.

Coordinates are in the units of the drawing's view box, y downwards. What a shape looks like is a
CSS class of the page.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyml.model.tensor_diff import Bin
from tinyml.records import Placement

WIDTH, HEIGHT = 640.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 82.0, 14.0, 24.0, 44.0
_TICKS = 5
_SERIES = 6  # colours
_LETTER = 6.2  # width of a letter of the small font


@dataclass(frozen=True)
class Rect:
    """A box; `title` is shown under the pointer."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str = ""


@dataclass(frozen=True)
class Text:
    """A line of text at its `anchor`: start, middle or end; `turned` reads upwards."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    style: str = "tick"
    turned: bool = False


@dataclass(frozen=True)
class Line:
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
    rects: tuple[Rect, ...]
    lines: tuple[Line, ...]
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Series:
    """A named curve through `points`; a stepped one keeps its height until the next point."""

    name: str
    points: tuple[tuple[float, float], ...]
    stepped: bool = False


@dataclass(frozen=True)
class _Axes:
    """Maps values to coordinates."""

    x_most: float
    y_most: float
    x_least: float = 0.0
    height: float = HEIGHT

    def x(self, value: float) -> float:
        span = (self.x_most - self.x_least) or 1.0
        return round(_LEFT + (value - self.x_least) / span * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        share = min(1.0, value / (self.y_most or 1.0))
        return round(self.height - _BOTTOM - share * (self.height - _TOP - _BOTTOM), 1)

    def frame(
        self,
        x_name: str,
        y_name: str,
        x_text: Callable[[float], str],
        y_text: Callable[[float], str],
    ) -> tuple[list[Line], list[Text]]:
        """Grid lines, their values, and the names of both axes."""
        lines, texts = [], []
        for value in ticks(0.0, self.y_most):
            y = self.y(value)
            lines.append(Line(f"{_LEFT},{y} {WIDTH - _RIGHT},{y}", "grid"))
            texts.append(Text(_LEFT - 6, y + 4, y_text(value), "end"))
        for value in ticks(self.x_least, self.x_most):
            texts.append(Text(self.x(value), self.height - _BOTTOM + 16, x_text(value), "middle"))
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        texts.append(Text(middle, self.height - 8, x_name, "middle", "axis"))
        texts.append(Text(13, (self.height - _BOTTOM + _TOP) / 2, y_name, "middle", "axis", True))
        return lines, texts


def ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers from `low` to `high`; `low` where these are all but equal."""
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high), 1.0):
        return [low]
    rough = span / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def curves(
    series: Sequence[Series],
    label: str,
    x_name: str,
    y_name: str,
    *,
    y_most: float | None = None,
    x_range: tuple[float, float] = (0.0, 1.0),
    mark: tuple[float, str] | None = None,
) -> Drawing:
    """Draw curves over one another with a legend; `mark` is a vertical line with its name."""
    highest = max((y for one in series for _, y in one.points), default=0.0)
    axes = _Axes(x_range[1], y_most or highest or 1.0, x_range[0])
    lines, texts = axes.frame(x_name, y_name, _short, _short)
    if mark is not None:
        x = axes.x(mark[0])
        lines.append(Line(f"{x},{_TOP} {x},{HEIGHT - _BOTTOM}", "mark"))
        texts.append(Text(x + 4, _TOP + 10, mark[1], "start", "tick"))
    for number, one in enumerate(series):
        style = f"curve s{number % _SERIES}"
        lines.append(Line(_polyline(axes, one), style, one.name))
    texts += _legend([one.name for one in series])
    return Drawing(label, WIDTH, HEIGHT, (), tuple(lines), tuple(texts))


def _polyline(axes: _Axes, one: Series) -> str:
    points: list[tuple[float, float]] = []
    for x, y in one.points:
        if one.stepped and points:
            points.append((axes.x(x), points[-1][1]))
        points.append((axes.x(x), axes.y(y)))
    return " ".join(f"{x},{y}" for x, y in points)


def _legend(names: Sequence[str]) -> list[Text]:
    """Names in their curves' colours, above the plot; none for one curve, or too many to tell."""
    if len(names) < 2 or len(names) > _SERIES:
        return []
    texts, right = [], WIDTH - _RIGHT
    for number, name in reversed(list(enumerate(names))):
        texts.append(Text(round(right, 1), 12, name, "end", f"legend s{number}"))
        right -= 1.6 * _LETTER * len(name) + 16  # letters are larger on a phone
    return texts


def columns(
    bins: Sequence[Bin], label: str, x_name: str, y_name: str, bad: bool = False
) -> Drawing:
    """Draw a histogram of `bins` that follow one another."""
    low, high = bins[0].low, bins[-1].high
    width = (bins[1].low - bins[0].low) if len(bins) > 1 else (high - low) or 1.0
    # A bin of whole numbers reaches half a number beyond its ends.
    ragged = all(one.high < two.low for one, two in itertools.pairwise(bins))
    edge = 0.5 if ragged else 0.0
    axes = _Axes(high + edge, float(max(one.count for one in bins)), low - edge)
    lines, texts = axes.frame(x_name, y_name, _short, _short)
    rects = []
    for one in bins:
        left, right = axes.x(one.low - edge), axes.x(min(one.low - edge + width, high + edge))
        top = axes.y(one.count)
        said = f"{one.low:g}" if one.low == one.high else f"{one.low:g} to {one.high:g}"
        rects.append(
            Rect(
                left,
                top,
                round(max(right - left - 1, 0.5), 1),
                round(HEIGHT - _BOTTOM - top, 1),
                "bad" if bad else "column",
                f"{said}: {one.count:,}",
            )
        )
    return Drawing(label, WIDTH, HEIGHT, tuple(rects), tuple(lines), tuple(texts))


def memory(placements: Sequence[Placement], arena_bytes: int, steps: int) -> Drawing:
    """Draw what lies where in an arena, over the steps of an inference, from -1 (inputs) to the
    end.
    """
    height = HEIGHT + 60
    axes = _Axes(float(steps + 1), float(arena_bytes), -1.0, height)
    lines, texts = axes.frame("step", "bytes from the start of the arena", _short, _short)
    top = axes.y(arena_bytes)
    lines.append(Line(f"{_LEFT},{top} {WIDTH - _RIGHT},{top}", "mark"))
    rects = []
    for number, one in enumerate(placements):
        x, right = axes.x(one.first), axes.x(min(one.last, steps) + 1)
        y = axes.y(one.offset + one.bytes)
        box_height = round(axes.y(one.offset) - y, 1)
        scratch = one.name.startswith("scratch of ")
        style = "scratch" if scratch else f"block b{number % 4}"
        said = f"{one.name}: {one.bytes:,} bytes at {one.offset:,}, steps {one.first} to {one.last}"
        rects.append(Rect(x, y, round(right - x, 1), box_height, style, said))
        text = f"{one.bytes:,}"
        if not scratch and box_height >= 13 and right - x >= _LETTER * len(text) + 4:
            texts.append(
                Text(
                    round((x + right) / 2, 1),
                    round(y + box_height / 2 + 4, 1),
                    text,
                    "middle",
                    "inside",
                )
            )
    label = f"{len(rects)} buffers in an arena of {arena_bytes:,} bytes over {steps} steps"
    return Drawing(label, WIDTH, height, tuple(rects), tuple(lines), tuple(texts))


def bins_of(values: Sequence[float], most: int = 24) -> tuple[Bin, ...]:
    """Return bins of equal width over whole numbers, for `columns`."""
    if not values:
        return ()
    low, high = math.floor(min(values)), math.floor(max(values))
    width = (high - low) // most + 1
    count = (high - low) // width + 1
    counts = [0] * count
    for value in values:
        counts[int((math.floor(value) - low) // width)] += 1
    return tuple(Bin(low + i * width, low + (i + 1) * width - 1, n) for i, n in enumerate(counts))


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:g}"
