"""Rendered pictures: rooms, streets and clutter, with people in half of them that nobody is.

Drawn with Pillow at twice the size that is kept. They stand in for photographs where there are
none; a model that has seen nothing else knows little of the world.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tinyml import paths
from tinyml.datasets import Dataset, Recording
from tinyml.datasets._figures import Canvas, Colour, Figure, Point, any_colour, shade
from tinyml.datasets.coco import NOT_PERSON, PERSON
from tinyml.errors import ConfigError
from tinyml.media import photo
from tinyml.media.photo import Pixels

LICENCE = "rendered by tinyml"
SOURCE = "rendered"  # of its recordings
SIDE = 128  # pixels of a picture
_DRAWN = 2 * SIDE
_VERSION = 1  # of what is drawn for a seed: part of the cache's path


def generate(
    per_label: int = 600,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    classes: Sequence[str] = (PERSON,),
) -> Dataset:
    """Render `per_label` pictures with people and as many without.

    The n-th pictures of both labels show the same scene, with and without. Equal arguments give
    equal pictures for one version of Pillow. Files are kept under `paths.cache()` and made once.
    Raises ConfigError for classes that are not rendered.
    """
    if unknown := sorted(set(classes) - {PERSON}):
        raise ConfigError(
            f"there are no rendered pictures of {', '.join(unknown)}, only of {PERSON}",
            "train without --synthetic",
        )
    folder = paths.cache() / "rendered" / str(_VERSION)
    recordings = []
    for number in range(per_label):
        for at, label in enumerate((NOT_PERSON, PERSON)):
            file = _cached(folder, label, seed, number)
            recordings.append(Recording(file, label, f"rendered {seed} {number}", source=SOURCE))
            if on_progress is not None:
                on_progress(2 * number + at + 1, 2 * per_label)
    return Dataset(
        "rendered pictures",
        LICENCE,
        tuple(recordings),
        stand_in=True,
        background=(NOT_PERSON,),
        by="scene",
    )


def rendered(label: str, seed: int, number: int) -> Pixels:
    """Return one picture, uint8 [SIDE, SIDE, 3]."""
    random = np.random.default_rng([seed, number])
    image = Image.new("RGB", (_DRAWN, _DRAWN))
    canvas = Canvas(ImageDraw.Draw(image), _DRAWN)
    scene = (_room, _room, _street, _street, _wall)[int(random.integers(5))]
    horizon = scene(random, canvas)
    for _ in range(int(random.integers(0, 6))):
        _thing(random, canvas, horizon)
    people = np.random.default_rng([seed, number, 1])
    if label == PERSON:
        _people(people, canvas)
    else:  # something else where they would stand
        for _ in range(int(people.integers(0, 3))):
            _thing(people, canvas, horizon)
    for _ in range(int(random.integers(0, 3))):
        _foreground(random, canvas)
    return _photographed(random, image)


def _people(random: np.random.Generator, canvas: Canvas) -> None:
    """Draw one to three people, the far ones first: from head and shoulders to small and whole."""
    heads = random.uniform(0.055, 0.14, int(random.choice([1, 2, 3], p=[0.7, 0.2, 0.1])))
    if random.random() < 0.35:
        heads[-1] = random.uniform(0.2, 0.5)
    for share in np.sort(heads):
        head = float(share) * canvas.size
        x = float(random.uniform(0.15, 0.85)) * canvas.size
        top = float(random.uniform(0.05, 0.35)) * canvas.size
        hips = top + 4.2 * head if share > 0.14 else float(random.uniform(0.4, 0.7)) * canvas.size
        Figure(random).draw(canvas, (x, hips), head)


def _room(random: np.random.Generator, canvas: Canvas) -> float:
    """Draw walls, a floor, and what hangs on walls; return where the floor begins."""
    size, draw = canvas.size, canvas.draw
    wall, floor = any_colour(random, 0.8), any_colour(random, 0.6)
    edge = float(random.uniform(0.5, 0.85)) * size
    corner = float(random.uniform(-0.2, 1.2)) * size
    _gradient(canvas, (0, 0, size, edge), shade(wall, 1.1), shade(wall, 0.85))
    slope = float(random.uniform(-0.2, 0.2)) * size
    side = [(corner, 0), (size * 1.5, 0), (size * 1.5, edge + slope), (corner, edge)]
    draw.polygon(side, fill=shade(wall, float(random.uniform(0.7, 1.2))))
    _gradient(canvas, (0, edge, size, size), shade(floor, 0.8), floor)
    for _ in range(int(random.integers(0, 9))):  # boards or tiles
        x = float(random.uniform(-0.5, 1.5)) * size
        end = (corner + (x - corner) * 3, size)
        draw.line([(x, edge), end], fill=shade(floor, 0.7), width=int(random.integers(1, 3)))
    for _ in range(int(random.integers(0, 4))):  # windows, doors, frames
        x, y = (float(fraction) * size for fraction in random.uniform((0, 0), (0.9, 0.5)))
        box = (x, y, x + random.uniform(0.1, 0.35) * size, y + random.uniform(0.1, 0.4) * size)
        draw.rectangle(box, fill=any_colour(random), outline=any_colour(random, 0.9), width=4)
        if random.random() < 0.5:
            middle = (box[0] + box[2]) / 2
            draw.line([(middle, box[1]), (middle, box[3])], fill=any_colour(random, 0.9), width=3)
    return edge


def _street(random: np.random.Generator, canvas: Canvas) -> float:
    """Draw sky, ground, houses, trees and a road; return where the ground begins."""
    size, draw = canvas.size, canvas.draw
    edge = float(random.uniform(0.35, 0.75)) * size
    sky = shade((150, 190, 235), random.uniform(0.4, 1.1))
    _gradient(canvas, (0, 0, size, edge), sky, shade(sky, random.uniform(0.9, 1.3)))
    ground = ((90, 130, 60), (130, 120, 100), (110, 110, 115), (200, 190, 150), (225, 228, 235))
    soil = shade(ground[int(random.integers(len(ground)))], random.uniform(0.6, 1.2))
    _gradient(canvas, (0, edge, size, size), shade(soil, 0.85), soil)
    for _ in range(int(random.integers(0, 5))):
        x, width, high = (
            float(fraction) * size for fraction in random.uniform((-0.1, 0.1, 0.1), (1, 0.4, 0.6))
        )
        house = any_colour(random, 0.6)
        draw.rectangle((x, edge - high, x + width, edge), fill=house)
        across, up = int(random.integers(1, 6)), int(random.integers(1, 6))
        for window in range(across * up):
            left = x + width * (window % across + 0.25) / across
            top = edge - high * (window // across + 0.8) / up
            box = (left, top, left + width * 0.5 / across, top + high * 0.5 / up)
            draw.rectangle(box, fill=shade(house, 0.5))
    for _ in range(int(random.integers(0, 4))):
        _tree(random, canvas, edge)
    if random.random() < 0.4:
        x = float(random.uniform(0.2, 0.8)) * size
        wide = float(random.uniform(0.3, 1)) * size
        draw.polygon([(x, edge), (x + wide, size), (x - wide, size)], fill=any_colour(random, 0.95))
    return edge


def _tree(random: np.random.Generator, canvas: Canvas, edge: float) -> None:
    size, draw = canvas.size, canvas.draw
    x, base = float(random.uniform(0, 1)) * size, edge + float(random.uniform(0, 0.15)) * size
    high, thick = float(random.uniform(0.25, 0.7)) * size, float(random.uniform(0.01, 0.05)) * size
    draw.line([(x, base), (x, base - high)], fill=(70, 50, 35), width=max(1, int(thick)))
    leaf = shade((60, 110, 45), random.uniform(0.5, 1.5))
    for _ in range(int(random.integers(5, 14))):
        cx, cy = x + random.normal(0, 0.08) * size, base - high + random.normal(0, 0.07) * size
        r = random.uniform(0.03, 0.09) * size
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=shade(leaf, random.uniform(0.7, 1.2)))


def _wall(random: np.random.Generator, canvas: Canvas) -> float:
    """Draw a plain or textured surface, as behind things seen from near; all of it is ground."""
    size, draw = canvas.size, canvas.draw
    colour = any_colour(random, 0.7)
    _gradient(canvas, (0, 0, size, size), colour, shade(colour, random.uniform(0.6, 1.3)))
    for _ in range(int(random.integers(0, 40))):
        x, y, r = (
            float(fraction) * size for fraction in random.uniform((0, 0, 0.01), (1, 1, 0.15))
        )
        draw.ellipse((x - r, y - r, x + r, y + r), fill=shade(colour, random.uniform(0.6, 1.4)))
    return float(random.uniform(0.2, 0.6)) * size


def _thing(random: np.random.Generator, canvas: Canvas, ground: float) -> None:
    """Draw furniture, a lamp, a bottle, an animal, a vehicle, or a shape of no meaning."""
    size = canvas.size
    base = float(random.uniform(min(ground, 0.8 * size), size))
    x, large = float(random.uniform(0, 1)) * size, float(random.uniform(0.08, 0.5)) * size
    kinds = (_table, _lamp, _animal, _vehicle, _shape, _bottle)
    kinds[int(random.integers(len(kinds)))](random, canvas, (x, base), large)


def _table(random: np.random.Generator, canvas: Canvas, at: Point, large: float) -> None:
    """Draw a table, chair, shelf or bench: legs, a top, perhaps a back."""
    (x, y), colour = at, any_colour(random, 0.5)
    high, thick = large * float(random.uniform(0.4, 1.2)), max(2, int(large * 0.08))
    for leg in (x, x + large * 0.3, x + large * 0.9):
        canvas.draw.line([(leg, y), (leg, y - high)], fill=shade(colour, 0.7), width=thick)
    canvas.draw.rectangle((x - thick, y - high - thick, x + large, y - high + thick), fill=colour)
    if random.random() < 0.5:
        canvas.draw.rectangle(
            (x, y - 2 * high, x + large * 0.25, y - high), fill=shade(colour, 0.9)
        )


def _lamp(random: np.random.Generator, canvas: Canvas, at: Point, large: float) -> None:
    """Draw a pole with something round or angular on top, or a coat on a stand."""
    (x, y), colour = at, any_colour(random, 0.5)
    high, r = large * float(random.uniform(1, 2)), large * float(random.uniform(0.1, 0.3))
    canvas.draw.line(
        [(x, y), (x, y - high)], fill=shade(colour, 0.6), width=max(2, int(large / 20))
    )
    box = (x - r, y - high - r, x + r, y - high + r)
    if random.random() < 0.5:
        canvas.draw.ellipse(box, fill=colour)
    else:
        canvas.draw.polygon([(x - r / 2, box[1]), (x + r / 2, box[1]), (x + r, y - high + 2 * r),
                             (x - r, y - high + 2 * r)], fill=colour)  # fmt: skip


def _animal(random: np.random.Generator, canvas: Canvas, at: Point, large: float) -> None:
    """Draw a body on four legs, with a head at one end."""
    (x, y), colour = at, any_colour(random, 0.7)
    high, side = large * float(random.uniform(0.4, 0.8)), int(random.choice([-1, 1]))
    for leg in (-0.4, -0.3, 0.3, 0.4):
        start = (x + leg * large, y - high * 0.6)
        end = (start[0] + large * float(random.normal(0, 0.06)), y)
        canvas.draw.line([start, end], fill=shade(colour, 0.8), width=max(2, int(large * 0.08)))
    canvas.draw.ellipse((x - large / 2, y - high, x + large / 2, y - high * 0.4), fill=colour)
    head = (x + side * large * 0.55, y - high * float(random.uniform(0.8, 1.3)))
    r = large * 0.15
    canvas.draw.line(
        [(x + side * large * 0.4, y - high * 0.8), head], fill=colour, width=int(r) + 1
    )
    canvas.draw.ellipse(
        (head[0] - r * 1.3, head[1] - r, head[0] + r * 1.3, head[1] + r), fill=colour
    )


def _vehicle(random: np.random.Generator, canvas: Canvas, at: Point, large: float) -> None:
    (x, y), colour = at, any_colour(random, 0.4)
    high = large * float(random.uniform(0.25, 0.5))
    canvas.draw.rounded_rectangle((x - large, y - high, x + large, y), high * 0.3, fill=colour)
    canvas.draw.polygon([(x - large * 0.7, y - high), (x - large * 0.4, y - high * 1.8),
                         (x + large * 0.4, y - high * 1.8), (x + large * 0.7, y - high)],
                        fill=shade(colour, 0.6))  # fmt: skip
    for wheel in (x - large * 0.6, x + large * 0.6):
        r = high * 0.35
        canvas.draw.ellipse((wheel - r, y - r, wheel + r, y + r), fill=(25, 25, 25))


def _bottle(random: np.random.Generator, canvas: Canvas, at: Point, large: float) -> None:
    (x, y), colour = at, any_colour(random, 0.4)
    wide = large * float(random.uniform(0.15, 0.4))
    canvas.draw.rounded_rectangle((x - wide, y - large, x + wide, y), wide / 2, fill=colour)
    neck = wide * float(random.uniform(0.2, 0.6))
    canvas.draw.rectangle((x - neck, y - large * 1.4, x + neck, y - large), fill=shade(colour, 0.8))


def _shape(random: np.random.Generator, canvas: Canvas, at: Point, large: float) -> None:
    corners = int(random.integers(3, 9))
    angles = np.sort(random.uniform(0, 2 * math.pi, corners))
    radii = large * random.uniform(0.3, 1, corners)
    points = [
        (at[0] + float(r * math.cos(a)), at[1] - large / 2 + float(r * math.sin(a)))
        for a, r in zip(angles, radii, strict=True)
    ]
    canvas.draw.polygon(points, fill=any_colour(random, 0.4))


def _foreground(random: np.random.Generator, canvas: Canvas) -> None:
    """Draw something near that hides part of what is behind it."""
    size = canvas.size
    colour = any_colour(random, 0.7)
    if random.random() < 0.5:  # a table's edge or a wall
        top = float(random.uniform(0.75, 1)) * size
        canvas.draw.rectangle((0, top, size, size), fill=colour)
    else:  # a post or a plant
        x = float(random.uniform(-0.05, 1)) * size
        wide = float(random.uniform(0.01, 0.08)) * size
        canvas.draw.rectangle(
            (x, float(random.uniform(0, 0.6)) * size, x + wide, size), fill=colour
        )


def _gradient(
    canvas: Canvas, box: tuple[float, float, float, float], first: Colour, last: Colour
) -> None:
    """Fill `box` with bands from one colour to another, top to bottom."""
    left, top, right, bottom = box
    bands = 24
    for band in range(bands):
        share = band / (bands - 1)
        red, green, blue = (int(a + (b - a) * share) for a, b in zip(first, last, strict=True))
        y = top + (bottom - top) * band / bands
        end = top + (bottom - top) * (band + 1) / bands
        canvas.draw.rectangle((left, y, right, end), fill=(red, green, blue))


def _photographed(random: np.random.Generator, image: Image.Image) -> Pixels:
    """Return the scene as a camera sees it: tilted, textured, lit from a side, blurred, noisy."""
    if random.random() < 0.5:
        turned = float(random.normal(0, 4))
        image = image.rotate(turned, Image.Resampling.BILINEAR, fillcolor=any_colour(random, 0.9))
    image = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    if random.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(float(random.uniform(0.3, 1.2))))
    pixels = np.asarray(image).astype(np.float32)
    texture = np.zeros((SIDE, SIDE), np.float32)
    for cells in (4, 12, 40):  # light and dirt at three scales
        coarse = random.normal(0, 255, (cells, cells)).clip(-600, 600).astype(np.float32)
        fine = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        texture += np.asarray(fine) * float(random.uniform(0, 0.06))
    slope = np.linspace(-1, 1, SIDE, dtype=np.float32) * float(random.normal(0, 25))
    pixels += (texture + (slope if random.random() < 0.5 else slope[:, np.newaxis]))[
        ..., np.newaxis
    ]
    pixels += random.normal(0, float(random.uniform(0, 8)), pixels.shape).astype(np.float32)
    photograph: Pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    return photograph


def _cached(folder: Path, label: str, seed: int, number: int) -> Path:
    path = folder / str(seed) / label / f"{number:05}.png"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        photo.write(path, rendered(label, seed, number))
    return path
