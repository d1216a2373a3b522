"""Recordings to play: files and folders in, labelled clips out, and clips as one stream."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml.datasets import check
from tinyml.errors import DataError
from tinyml.features import FrontEnd

Samples = NDArray[np.int16]
LABELS = "examples.json"
_AXES = 3  # of an accelerometer


@dataclass(frozen=True)
class Clip:
    """A recording: `samples` as its front end takes them; `said` is its label, None if unknown."""

    name: str
    said: str | None
    samples: Samples


def load(paths: Sequence[Path], front_end: FrontEnd, known: Collection[str] = ()) -> list[Clip]:
    """Return the recordings named: files, folders of them, or folders with one per label.

    They are of the kind that `front_end` takes, by the ending of their names. A clip's label comes
    from examples.json beside it ({file name: label}), else from the name of its folder when that is
    a folder of labels: one inside a folder that was named, or one called as a label that is
    `known`. Raises DataError naming the path of what is unusable.
    """
    suffixes = front_end.suffixes
    files = [file for path in paths for file in _files(path, suffixes, known)]
    if not files:
        raise DataError(
            f"no {' or '.join(suffixes)} files in {', '.join(map(str, paths))}",
            "name files or folders",
        )
    clips = [Clip(file.name, label, front_end.read(file)) for file, label in files]
    if front_end.channels >= _AXES:
        timed = [(clip.samples, front_end.rate_hz) for clip in clips]
        check.Findings().require_gravity(Path(*paths) if len(paths) == 1 else Path(), {"": timed})
    return clips


def _files(
    path: Path, suffixes: tuple[str, ...], known: Collection[str]
) -> Iterator[tuple[Path, str | None]]:
    around = path.parent if path.is_file() else path
    name = around.resolve().name
    own = name if name in known else None
    if path.is_file():
        yield path, _labels(path.parent).get(path.name, own)
        return
    if not path.is_dir():
        raise DataError(
            f"{path} does not exist", f"name {' or '.join(suffixes)} files or folders of them"
        )
    labels = _labels(path)
    for file in check.recordings_in(path, suffixes):
        folder = file.parent.name if file.parent != path else own
        yield file, labels.get(file.name, folder)


def _labels(folder: Path) -> dict[str, str]:
    file = folder / LABELS
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): str(label) for name, label in content.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(
            f"{file} is no JSON object of file names and labels: {error}",
            'write {"yes_1.wav": "yes", ...}, or remove it',
        ) from error


def joined(clips: Sequence[Clip], gap: int, front_end: FrontEnd) -> tuple[Samples, list[int]]:
    """Return `clips` as one stream, with a pause after each, and where each starts.

    A pause is as many whole rows as `gap` samples need.
    """
    gap = whole_rows(gap, front_end)
    parts = [part for clip in clips for part in (clip.samples, front_end.pause(gap, clip.samples))]
    lengths = [len(clip.samples) + gap for clip in clips]
    starts = [sum(lengths[:number]) for number in range(len(clips))]
    return np.concatenate(parts), starts


def whole_rows(count: int, front_end: FrontEnd) -> int:
    """Return the samples of as many rows as `count` samples need, so that what follows is whole.

    A picture begins where another ended; where only samples tell how long a row is, as with
    strokes, any count will do.
    """
    row = max(1, front_end.samples_for(2) - front_end.samples_for(1))
    return -(-count // row) * row
