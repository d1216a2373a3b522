"""Capture for training: what a sensor gave, trimmed and described, goes where `train` reads it.

Names come from the host alone: nothing that a device says chooses a path.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinyml import files, names
from tinyml.datasets import check
from tinyml.errors import ConfigError, DataError
from tinyml.features import FrontEnd
from tinyml.tasks import Capturing

if TYPE_CHECKING:
    from tinyml.device import SensorRecording

Samples = npt.NDArray[np.int16]
_SPEAKER = re.compile(r"[^\W_][\w .+-]{0,62}")
_FLAT_TOP = 3  # equal values in a row at the extreme that are no coincidence
_FASTER = 1.05  # how much faster than its sensor a line is, to be faster
_VALUE_BYTES = 2


@dataclass(frozen=True)
class Take:
    """A recording that may be kept: `samples` of the part that counts, and what to know about it.

    `start_s`: where they begin in all that was recorded. `refused`: why it is of no use, or "";
    `remark`: what is odd about it, or "". `clipped`: values at the end of the sensor's range.
    """

    samples: Samples
    seconds: float
    start_s: float
    level: float
    overruns: int
    lost: int
    clipped: int
    refused: str
    remark: str


@dataclass(frozen=True)
class RecordingNotes:
    """What is written beside a recording, as JSON."""

    task: str
    label: str
    speaker: str
    board: str
    sensor: str
    firmware: str
    model_sha256: str
    source: str
    rate_hz: int
    channels: int
    recorded: str


def judge(
    recording: SensorRecording,
    front_end: FrontEnd,
    capturing: Capturing,
    label: str,
    trim: bool = True,
) -> Take:
    """Cut away what comes before and after the part that counts, and say what is wrong with it.

    `capturing` has the task's rules. Labels in `capturing.still` are taken as they are.
    """
    samples = recording.samples
    rate_hz = recording.rate_hz
    start, end = 0, len(samples)
    problem = ""
    if recording.overruns or recording.lost:
        problem = _missing(recording)
    elif not len(samples):
        problem = "the sensor gave nothing"
    elif label not in capturing.still:
        active = capturing.active(samples, rate_hz)
        if active is None:
            problem = capturing.nothing
        elif trim:
            start, end = active
    kept = samples[start:end]
    remark = ""
    if not problem:
        problem, remark = capturing.check(kept, rate_hz, label in capturing.still)
        problem, remark = (f"it {text}" if text else "" for text in (problem, remark))
    clipped = _clipped(kept, capturing.full_scale)
    if clipped and not remark:
        remark = f"{clipped} values are beyond the sensor's range: {capturing.gentler}"
    return Take(
        samples=kept,
        seconds=len(kept) / rate_hz,
        start_s=start / rate_hz,
        level=capturing.level(kept) if len(kept) else 0.0,
        overruns=recording.overruns,
        lost=recording.lost,
        clipped=clipped,
        refused=problem,
        remark=remark,
    )


def _missing(recording: SensorRecording) -> str:
    parts = []
    if recording.overruns:
        parts.append(f"the device lost {recording.overruns:,} samples because the line is too slow")
    if recording.lost:
        parts.append(f"{recording.lost:,} samples were lost on the line")
    return " and ".join(parts)


def _clipped(samples: Samples, full_scale: int) -> int:
    """Count the values of flat tops: at a channel's extreme, beyond half of `full_scale`."""
    count = 0
    for channel in samples.reshape(len(samples), -1).T if len(samples) else ():
        for extreme in (int(channel.max()), int(channel.min())):
            if abs(extreme) * 2 < full_scale:
                continue
            flat = np.concatenate(([0], (channel == extreme).astype(np.int8), [0]))
            starts, ends = np.flatnonzero(np.diff(flat) == 1), np.flatnonzero(np.diff(flat) == -1)
            lengths = ends - starts
            count += int(lengths[lengths >= _FLAT_TOP].sum())
    return count


def longest_s(rate_hz: int, channels: int, room: int, line_bytes_per_s: float) -> float | None:
    """Return how long a recording may be on a line that fast; None where any length will do.

    Samples come faster than a slow line takes them; `room` of them wait in the device's memory.
    """
    needed = rate_hz * channels * _VALUE_BYTES
    if line_bytes_per_s >= needed * _FASTER:
        return None
    return room / (rate_hz * (1 - line_bytes_per_s / (needed * _FASTER)))


def require_name(kind: str, name: str) -> str:
    """Return `name` if a label or speaker may be called so; raises ConfigError.

    A label may be any that a model has (see `names.label`), if a folder can be called so; a speaker
    is a part of a file's name, and of less.
    """
    if kind == "label":
        try:
            name = names.label(name)
        except ConfigError as error:
            raise ConfigError(f"{name!r} cannot be a label: {error.message}", error.hint) from None
        if "/" in name or "\\" in name or name[0] in "._-":
            raise ConfigError(
                f"{name!r} cannot be a label of recordings: it is a folder's name",
                "leave out / and \\, and one of . _ - as the first character",
            )
    elif not _SPEAKER.fullmatch(name) or name != name.strip():
        raise ConfigError(
            f"{name!r} cannot be a {kind}",
            "use letters, digits, spaces and - + . _, with a letter or digit first",
        )
    return name


class Shelf:
    """The files of one label and speaker in a folder of recordings; numbers go up, none is reused.

    `capturing.place` says where they lie, with {number} in the name.
    """

    def __init__(self, folder: Path, capturing: Capturing, label: str, speaker: str) -> None:
        """Raises ConfigError for a label or speaker that cannot be part of a file's name."""
        label = require_name("label", label)
        require_name("speaker", speaker)
        self._pattern = folder / capturing.place(label, speaker)
        self.folder = self._pattern.parent

    def count(self) -> int:
        """Return how many recordings there are."""
        return len(self._numbers())

    def put(self, front_end: FrontEnd, samples: Samples, notes: Mapping[str, Any]) -> Path:
        """Write a recording and its notes under the next number; return its path.

        Nothing is ever overwritten, and nothing half-written has the name of a recording. Raises
        DataError where it cannot be written.
        """
        number = max(self._numbers(), default=0) + 1
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = self._path(number).with_name(f".{os.getpid()}.{self._path(number).name}")
            try:
                front_end.write(temporary, samples)
                while not _claimed(temporary, path := self._path(number)):
                    number += 1
            finally:
                temporary.unlink(missing_ok=True)
            files.write(check.notes_file(path), json.dumps(notes, indent=1) + "\n")
        except OSError as error:
            raise DataError(
                f"{self.folder} cannot be written: {error.strerror or error}",
                "name another folder with --out",
            ) from error
        return path

    def _path(self, number: int) -> Path:
        return self.folder / self._pattern.name.replace("{number}", f"{number:04d}")

    def _numbers(self) -> list[int]:
        before, _, after = self._pattern.name.partition("{number}")
        name = re.compile(f"{re.escape(before)}([0-9]+){re.escape(after)}")
        if not self.folder.is_dir():
            return []
        names = (name.fullmatch(file.name) for file in self.folder.iterdir())
        return [int(match[1]) for match in names if match]


def _claimed(temporary: Path, path: Path) -> bool:
    """Give a finished file its name, unless another has it."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if path.exists():
            return False
        temporary.rename(path)
    return True


def described(notes: RecordingNotes, take: Take) -> dict[str, Any]:
    """Return the notes of a recording with what was measured of it."""
    facts = asdict(take)
    del facts["samples"], facts["refused"]
    return {"format": 1, **asdict(notes), **facts}
