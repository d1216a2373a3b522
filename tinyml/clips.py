"""Recordings to play: files and folders in, labelled clips out, and clips as one stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml import wav
from tinyml.errors import DataError

Samples = NDArray[np.int16]
LABELS = "examples.json"


@dataclass(frozen=True)
class Clip:
    """A recording: `samples` int16 [n]; `said` is its label, None where it is not known."""

    name: str
    said: str | None
    samples: Samples


def load(paths: Sequence[Path]) -> list[Clip]:
    """Return the recordings named: WAV files, folders of them, or folders with one per word.

    A clip's label comes from examples.json beside it ({file name: label}), else from the name of
    its folder when that is a folder of words. Raises DataError naming the path of what is unusable.
    """
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise DataError(f"no .wav files in {', '.join(map(str, paths))}", "name files or folders")
    return [Clip(file.name, said, wav.read(file)) for file, said in files]


def _files(path: Path) -> Iterator[tuple[Path, str | None]]:
    if path.is_file():
        yield path, _labels(path.parent).get(path.name)
        return
    if not path.is_dir():
        raise DataError(f"{path} does not exist", "name WAV files or folders of them")
    labels = _labels(path)
    for file in sorted(path.rglob("*.wav")):
        folder = file.parent.name if file.parent != path else None
        yield file, labels.get(file.name, folder)


def _labels(folder: Path) -> dict[str, str]:
    file = folder / LABELS
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): str(label) for name, label in content.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{file} is no JSON object of file names and labels: {error}") from error


def joined(clips: Sequence[Clip], gap: int) -> tuple[Samples, list[int]]:
    """Return `clips` as one stream, silence of `gap` samples after each, and where each starts."""
    silence = np.zeros(gap, np.int16)
    parts = [part for clip in clips for part in (clip.samples, silence)]
    lengths = [len(clip.samples) + gap for clip in clips]
    starts = [sum(lengths[:number]) for number in range(len(clips))]
    return np.concatenate(parts), starts
