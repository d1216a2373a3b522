"""Human figures and things, drawn: a generator of random numbers and a canvas in, shapes on it out.

Lengths are in heads, about an eighth of a person's height (artists' canon), until they are drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

SKINS = ((255, 219, 190), (234, 192, 160), (206, 155, 119), (160, 110, 78), (112, 74, 52),
         (74, 48, 36))  # fmt: skip
HAIRS = ((20, 16, 14), (60, 40, 26), (110, 76, 40), (190, 150, 90), (130, 130, 130), (150, 60, 30))
# Angles of a pose in degrees from straight down, and how far they vary: hip, knee, shoulder, elbow.
_POSES = {
    "stand": ((0, 6), (0, 6), (8, 14), (0, 25)),
    "walk": ((0, 28), (0, 24), (0, 30), (10, 25)),
    "sit": ((80, 14), (-80, 14), (20, 25), (40, 35)),
    "reach": ((0, 14), (0, 12), (120, 45), (10, 30)),
    "crouch": ((95, 20), (-125, 15), (35, 30), (30, 40)),
    "lean": ((10, 20), (-10, 15), (45, 35), (50, 40)),
}


@dataclass(frozen=True)
class Canvas:
    """Where to draw: `size` pixels a side."""

    draw: ImageDraw.ImageDraw
    size: int


def shade(colour: Colour, factor: float) -> Colour:
    """Return `colour` lighter or darker."""
    red, green, blue = (int(np.clip(channel * factor, 0, 255)) for channel in colour)
    return red, green, blue


def any_colour(random: np.random.Generator, grayness: float = 0.5) -> Colour:
    """Return a colour; the grayer, the nearer `grayness` is to 1."""
    drawn = random.uniform(15, 245, 3)
    red, green, blue = (drawn * (1 - grayness) + drawn.mean() * grayness).astype(int).tolist()
    return red, green, blue


class Figure:
    """One person with clothes, build and pose, drawn by `draw`, feet (or seat) at a point."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._skin = shade(SKINS[random.integers(len(SKINS))], random.uniform(0.85, 1.1))
        self._hair = HAIRS[random.integers(len(HAIRS))]
        self._top, self._bottom, self._shoes = (any_colour(random, g) for g in (0.4, 0.7, 0.8))
        self._bare_arms = random.random() < 0.5
        self._bare_legs = random.random() < 0.25
        self._skirt = random.random() < 0.15
        self._hat = random.random() < 0.15
        self._long_hair = random.random() < 0.35
        self._facing = random.choice(
            ["front", "back", "left", "right"], p=[0.5, 0.15, 0.175, 0.175]
        )
        self._width = random.uniform(0.85, 1.3)
        self._tall = random.uniform(0.9, 1.1)
        self._pose = _POSES[str(random.choice(list(_POSES), p=[0.3, 0.22, 0.2, 0.1, 0.06, 0.12]))]
        self._tilt = float(random.normal(0, 5))

    def draw(self, canvas: Canvas, at: Point, head: float) -> None:
        """Draw the figure with its hips at `at`, a head being `head` pixels high."""
        half = 0.5 if self._facing in ("left", "right") else 1.0  # a side is narrower than a front
        hips, up = at, -3.0 * head * self._tall
        lean = math.radians(self._tilt)
        neck = hips[0] - up * math.sin(lean), hips[1] + up * math.cos(lean)
        shoulder, hip = (reach * head * self._width * half for reach in (0.95, 0.62))
        far, near = (-1, 1) if self._random.random() < 0.5 else (1, -1)
        self._limb(canvas, (neck[0] + far * shoulder, neck[1] + 0.35 * head), head, far, arm=True)
        for side in (far, near):
            self._limb(canvas, (hips[0] + side * hip * 0.6, hips[1]), head, side, arm=False)
        self._trunk(canvas, neck, hips, (shoulder, hip, head))
        self._limb(canvas, (neck[0] + near * shoulder, neck[1] + 0.35 * head), head, near, arm=True)
        self._head(canvas, (neck[0] + 0.3 * head * math.sin(lean), neck[1] - 0.55 * head), head)

    def _limb(self, canvas: Canvas, start: Point, head: float, side: int, arm: bool) -> None:
        """Draw an arm or a leg: two tapering segments, and a hand or a shoe."""
        angles = self._pose[2:] if arm else self._pose[:2]
        turn = {"left": -1, "right": 1}.get(str(self._facing), side)
        upper, lower = (float(self._random.normal(mean, spread)) for mean, spread in angles)
        length = (1.5 if arm else 2.0) * head * self._tall
        if not arm and self._facing in ("front", "back") and abs(upper) > 45:
            length *= 0.5  # a thigh that points at the viewer
        thick = (0.42 if arm else 0.62) * head * self._width
        bare = self._bare_arms if arm else self._bare_legs
        cloth = self._top if arm else self._bottom
        at, angle = start, 0.0
        for number, bend in enumerate((upper, lower)):
            angle += bend * turn
            end = (
                at[0] + length * math.sin(math.radians(angle)),
                at[1] + length * math.cos(math.radians(angle)),
            )
            colour = self._skin if bare and number == 1 else cloth
            _segment(canvas, at, end, (thick, thick * 0.8), shade(colour, 0.92 + 0.08 * side))
            at, thick = end, thick * 0.8
        tip = 0.22 * head if arm else 0.3 * head
        box = (at[0] - tip, at[1] - tip, at[0] + tip, at[1] + tip * (1 if arm else 0.6))
        canvas.draw.ellipse(box, fill=self._skin if arm else self._shoes)

    def _trunk(
        self, canvas: Canvas, neck: Point, hips: Point, sizes: tuple[float, float, float]
    ) -> None:
        shoulder, hip, head = sizes
        _segment(canvas, (neck[0], neck[1] - 0.35 * head), neck, (0.45 * head,) * 2, self._skin)
        low = hips[1] + 0.25 * head
        outline = [
            (neck[0] - shoulder, neck[1] + 0.3 * head), (neck[0] - 0.3 * head, neck[1]),
            (neck[0] + 0.3 * head, neck[1]), (neck[0] + shoulder, neck[1] + 0.3 * head),
            (hips[0] + hip, low), (hips[0] - hip, low),
        ]  # fmt: skip
        canvas.draw.polygon(outline, fill=self._top)
        right = [*outline[2:5], (hips[0], low)]
        canvas.draw.polygon(right, fill=shade(self._top, float(self._random.uniform(0.75, 1))))
        stripes = int(self._random.integers(0, 7)) if self._random.random() < 0.3 else 0
        for number in range(stripes):
            y = neck[1] + (low - neck[1]) * (number + 0.5) / stripes
            ends = [(neck[0] - shoulder * 0.8, y), (neck[0] + shoulder * 0.8, y)]
            canvas.draw.line(ends, fill=shade(self._top, 0.6), width=max(1, int(head * 0.15)))
        if self._skirt:
            hem = [(hips[0] - hip * 1.8, low + 1.4 * head), (hips[0] + hip * 1.8, low + 1.4 * head)]
            canvas.draw.polygon([outline[5], *hem, outline[4]], fill=self._bottom)

    def _head(self, canvas: Canvas, at: Point, head: float) -> None:
        x, y = at
        wide, high = 0.38 * head, 0.5 * head
        turn = {"left": -0.15, "right": 0.15}.get(str(self._facing), 0.0) * head
        if self._long_hair:
            canvas.draw.ellipse((x - wide * 1.3, y - high * 1.15, x + wide * 1.3, y + high * 1.5),
                                fill=self._hair)  # fmt: skip
        canvas.draw.ellipse((x - wide, y - high, x + wide, y + high), fill=self._skin)
        canvas.draw.chord((x - wide * 1.08 - turn / 2, y - high * 1.12, x + wide * 1.08 - turn / 2,
                           y + high * 0.8), 175, 365, fill=self._hair)  # fmt: skip
        if self._facing == "back":
            canvas.draw.ellipse((x - wide, y - high, x + wide, y + high * 0.8), fill=self._hair)
        elif head > 8:
            self._face(canvas, (x + turn, y), head)
        if self._hat:
            brim = y - high * 0.45
            top = (x - wide * 1.1, y - high * 1.4, x + wide * 1.1, brim)
            canvas.draw.rectangle(top, self._top)
            ends = [(x - wide * 1.6, brim), (x + wide * 1.6, brim)]
            canvas.draw.line(ends, shade(self._top, 0.7), max(1, int(head * 0.12)))

    def _face(self, canvas: Canvas, at: Point, head: float) -> None:
        x, y = at
        dark = shade(self._skin, 0.35)
        for side in (-1, 1):
            eye, brow = x + side * 0.15 * head, y - 0.05 * head
            canvas.draw.ellipse((eye - 0.06 * head, brow - 0.03 * head, eye + 0.06 * head,
                                 brow + 0.05 * head), fill=dark)  # fmt: skip
            canvas.draw.line([(eye - 0.1 * head, brow - 0.1 * head),
                              (eye + 0.1 * head, brow - 0.1 * head)], fill=self._hair,
                             width=max(1, int(0.04 * head)))  # fmt: skip
        canvas.draw.line([(x, y - 0.02 * head), (x + 0.04 * head, y + 0.12 * head)],
                         fill=shade(self._skin, 0.75), width=max(1, int(0.05 * head)))  # fmt: skip
        canvas.draw.line([(x - 0.12 * head, y + 0.25 * head), (x + 0.12 * head, y + 0.25 * head)],
                         fill=shade((170, 60, 60), self._random.uniform(0.6, 1.2)),
                         width=max(1, int(0.06 * head)))  # fmt: skip


def _segment(
    canvas: Canvas, start: Point, end: Point, widths: tuple[float, float], colour: Colour
) -> None:
    """Draw a limb: a tapering bar with round ends."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    nx, ny = -dy / length / 2, dx / length / 2
    canvas.draw.polygon(
        [
            (start[0] + nx * widths[0], start[1] + ny * widths[0]),
            (end[0] + nx * widths[1], end[1] + ny * widths[1]),
            (end[0] - nx * widths[1], end[1] - ny * widths[1]),
            (start[0] - nx * widths[0], start[1] - ny * widths[0]),
        ],
        fill=colour,
    )
    for (x, y), width in ((start, widths[0]), (end, widths[1])):
        r = width / 2
        canvas.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
