"""Training data quality: which recordings are fit to learn from, the rules of every source.

Left out, each named with its path: what cannot be read or is in another format, with the command
that converts it; recordings too short to hold anything, or without any sound or motion in them;
motion in other units than milli-g and ms, which no sensor samples as fast or as slowly as it seems;
recordings of which more than half is beyond what the sensor can measure; and copies. Of equal
recordings with one label the first stays.
Equal recordings with different labels are all left out: one label is wrong, and nothing says which.
Kept, but named: recordings that are clipped in part.

Refused as a whole: an empty class, a class without any usable recording, one class only.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import names
from tinyml.datasets import Recording
from tinyml.errors import ConfigError, DataError
from tinyml.media import gravity, motion_csv, photo, wav

_SILENT = 64  # peak of 32,768 (-54 dB): quieter than the noise of any microphone in a room
_SHORTEST_SOUND_S, _SHORTEST_MOTION_S = 0.1, 0.2  # of a word, and of a gesture
_STILL_MG = 3.0  # spread of an accelerometer that is off, stuck or simulated without noise
_GRAVITY_MG = (200.0, 6000.0)  # in one recording, of however much motion
_RANGE_MG = 1900.0  # the smallest range of an accelerometer is +-2 g
_SLOWEST_HZ, _FASTEST_HZ = 20.0, 10_000.0
_MOST_S = 600.0  # a recording of motion is shorter
_NAMED, _REFUSED = 0.1, 0.5  # share of clipped samples that is worth a remark, or too much
_STUCK_NAMED = 0.3  # quick gestures are beyond +-2 g for a moment

NOTES = ".json"  # after the whole name of a recording: what `tinyml capture` knows about it
OWNERS = "as the owner of the recordings states"  # the licence of what is nobody's public set

Array = npt.NDArray[Any]
Timed = tuple[Array, float]


@dataclass(frozen=True)
class Published:
    """A public set: its files by SHA-256, what to call it, and its licence."""

    files: frozenset[str]
    source: str
    licence: str

    def origin(self, folder: Path, files: Iterable[Path]) -> tuple[str, str]:
        """Return source and licence of the recordings in `files`, which lie in `folder`.

        They are this set's where each file is one of it, as it was published.
        """
        hashes = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        if hashes and hashes <= self.files:
            return self.source, self.licence
        return folder.resolve().name, OWNERS


@dataclass(frozen=True)
class Format:
    """How files of a kind of recordings end: those that are read, those that `tinyml import` makes
    such of, and `others`, for which `remedy` says what to do.
    """

    suffixes: tuple[str, ...]
    imported: tuple[str, ...]
    others: tuple[str, ...]
    remedy: str


SOUNDS = Format(
    (".wav",),
    (".mp3", ".ogg", ".oga", ".opus", ".flac", ".aif", ".aiff", ".au", ".caf", ".w64"),
    (".m4a", ".mp4", ".aac", ".wma", ".amr", ".3gp", ".webm"),
    "save it as WAV or FLAC in the program that recorded it",
)  # fmt: skip
PICTURES = Format(
    photo.SUFFIXES,
    (".gif", ".webp", ".tif", ".tiff", ".heic", ".heif", ".jfif"),
    (".avif", ".svg"),
    "save it as PNG or JPEG",
)
MOTIONS = Format(
    (".csv",),
    (".tsv", ".log", ".cbor"),
    (".xls", ".xlsx", ".ods", ".mat", ".npy", ".npz", ".parquet"),
    f"save it as CSV with the columns {','.join(motion_csv.COLUMNS)}",
)


def recordings_in(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return the files in `folder`, however deep, that end so, in any case, sorted.

    The one rule for every reader of folders: files and folders whose name starts with `.` are none
    (macOS leaves `._yes.wav` beside `yes.wav`).
    """
    endings = frozenset(suffixes)
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in endings
        and not any(part[0] == "." for part in file.relative_to(folder).parts)
        and file.is_file()
    )


def in_order(file: Path) -> tuple[tuple[int, str], ...]:
    """Return what sorts files in the order in which they were numbered: ring_2 before ring_10."""
    return tuple(
        (int(digits) if digits else -1, text)
        for text, digits in re.findall(r"([^0-9]*)([0-9]*)", str(file))
    )


def label(text: str, where: Path | str) -> str:
    """Return `text` as a label, see `tinyml/names.py`; raises DataError that names `where`."""
    try:
        return names.label(text)
    except ConfigError as error:
        raise DataError(f"{names.shown(str(where))}: {error.message}", error.hint) from error


def notes_file(recording: Path) -> Path:
    """Return where the notes on a captured recording are."""
    return recording.with_name(recording.name + NOTES)


class Findings:
    """What was found in a folder: usable recordings, and what is wrong with the others.

    `skipped` and `remarks` are sentences that begin with the recording's path.
    """

    def __init__(self) -> None:
        self.skipped: list[str] = []
        self.remarks: list[str] = []
        self._found: list[tuple[Recording, bytes]] = []

    def skip(self, what: str) -> None:
        """Note a file that is no usable recording; `what` names it."""
        self.skipped.append(names.shown(what))

    def refuse(self, error: DataError) -> None:
        """Note a file that could not be read, with the remedy that the reader knows."""
        self.skip(f"{error.message}: {error.hint}" if error.hint else error.message)

    def files(self, folder: Path, form: Format) -> list[Path]:
        """Return the files in `folder`, if it is there, that end as `form` says, in any case.

        They are sorted. Recordings of other formats are noted; other files are none.
        """
        if not folder.is_dir():
            return []
        whole = folder.parent
        source, target = (shlex.quote(str(path)) for path in (whole, f"{whole}_imported"))
        for file in recordings_in(folder, (*form.imported, *form.others)):
            remedy = form.remedy
            if file.suffix.lower() in form.imported:
                remedy = f"tinyml import {source} --to {target}"
            self.skip(f"{file} is not {form.suffixes[0][1:].upper()}: {remedy}")
        return recordings_in(folder, form.suffixes)

    def by_label(self, folder: Path, form: Format) -> dict[str, list[Path]]:
        """Return label -> its files, sorted, for the folders in `folder` that are labels.

        Those whose name starts with `_` or `.` are none, nor are those with other files only. Files
        in folders of a label's folder are of that label, which a remark says.
        Raises DataError where `folder` cannot be read, or a label has no recording, or only such
        of another format.
        """
        try:
            folders = sorted(subfolder for subfolder in folder.iterdir() if subfolder.is_dir())
            empty = [
                subfolder
                for subfolder in folders
                if subfolder.name[0] not in "_." and not any(subfolder.iterdir())
            ]
            if empty:
                raise DataError(f"{empty[0]} is empty", "put recordings in it, or remove it")
            by_label = {}
            for subfolder in folders:
                before = len(self.skipped)
                files = self.files(subfolder, form) if subfolder.name[0] not in "_." else []
                if files:
                    by_label[label(subfolder.name, subfolder)] = files
                    self._note_deeper(subfolder, files)
                elif len(self.skipped) > before:
                    raise DataError(*_nothing(subfolder, self.skipped[-1]))
        except OSError as error:
            raise DataError(
                f"{folder} cannot be read: {error.strerror or error}",
                "name a folder with one folder of recordings per label",
            ) from error
        return by_label

    def _note_deeper(self, folder: Path, files: Sequence[Path]) -> None:
        deeper = sorted({file.parent for file in files} - {folder})
        if deeper:
            count = sum(file.parent != folder for file in files)
            self.remarks.append(
                f"{folder}: {count} of its {len(files)} recordings lie deeper, as in {deeper[0]}"
            )

    def require_gravity(self, folder: Path, recordings: Mapping[str, Sequence[Timed]]) -> None:
        """Raise DataError unless acceleration at rest measures 1 g, told in milli-g.

        `recordings` of each sensor or performer, in `folder`, are (samples [n, 3], samples a
        second). All are tried, and all that are wrong are named.
        """
        wrong = {
            name: problem
            for name, several in recordings.items()
            if (measured := gravity.measure(several)) and (problem := measured.problem())
        }
        if wrong:
            name, problem = min(wrong.items())
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            whose = f" by {name}" if name else ""
            raise DataError(
                f"{folder}: acceleration{whose}{more} {problem}",
                "x_mg, y_mg and z_mg are milli-g with gravity: convert the files and try again",
            )

    def require(self, folder: Path, taken: Iterable[bool]) -> None:
        """Raise DataError unless a recording in `folder` is `taken` up; all of them are tried."""
        if not sum(taken):
            raise DataError(*_nothing(folder, self.skipped[-1]))

    def add(
        self, recording: Recording, content: Array, problem: str = "", remark: str = ""
    ) -> bool:
        """Take up a recording unless it has a `problem`; return whether it was taken.

        `content` is what is learned from: samples or pixels.
        """
        if problem:
            self.skip(f"{named(recording)} {problem}")
            return False
        if remark:
            self.remarks.append(names.shown(f"{named(recording)} {remark}"))
        self._found.append((recording, _digest(content)))
        return True

    def recordings(self) -> tuple[Recording, ...]:
        """Return the usable recordings in order, with their digests.

        Copies are left out, and noted as skipped. Raises DataError where all recordings of a label
        are copies of such with another.
        """
        same: dict[bytes, list[Recording]] = defaultdict(list)
        for recording, digest in self._found:
            same[digest].append(recording)
        unique, wrong = [], {}
        for recording, digest in self._found:
            first, *_ = same[digest]
            labels = sorted({other.label for other in same[digest]})
            if len(labels) > 1:
                others = [named(other) for other in same[digest] if other is not recording]
                labelled = " and ".join(labels)
                self.skip(f"{named(recording)} is a copy of {others[0]}, and labelled {labelled}")
                wrong[recording.label] = self.skipped[-1]
            elif recording is not first:
                self.skip(f"{named(recording)} is a copy of {named(first)}")
            else:
                unique.append(replace(recording, digest=int.from_bytes(digest[:8], "big")))
        for label in sorted(wrong.keys() - {recording.label for recording in unique}):
            raise DataError(*_nothing(label, wrong[label]))
        return tuple(unique)


def _nothing(label: Path | str, why: str) -> tuple[str, str]:
    return f"{label} has no usable recording: {why}", "put recordings of it there, or remove it"


def named(recording: Recording) -> str:
    """Return how a message calls `recording`."""
    number = f" ({recording.label} number {recording.number})" if recording.number else ""
    return f"{recording.path}{number}"


def several_made_each(recordings: Iterable[Recording]) -> bool:
    """Whether every label has recordings of more than one group."""
    makers: dict[str, set[str]] = defaultdict(set)
    for recording in recordings:
        makers[recording.label].add(recording.group)
    return all(len(groups) > 1 for groups in makers.values())


def sound(samples: npt.NDArray[np.int16], rest: bool = False) -> tuple[str, str]:
    """Return what makes int16 samples [n] of a sound useless, and what is odd about them; or "".

    They are at wav.RATE_HZ. With `rest` there needs to be nothing to hear.
    """
    if len(samples) < _SHORTEST_SOUND_S * wav.RATE_HZ:
        seconds = len(samples) / wav.RATE_HZ
        return f"lasts {seconds:.3f} s, no word is shorter than {_SHORTEST_SOUND_S:g} s", ""
    if rest:
        return "", ""
    peak = float(np.abs(samples - samples.mean()).max())  # a constant offset is no sound
    if peak < _SILENT:
        return f"is silent (its peak is {peak:.0f} of 32,767)", ""
    clipped = float(np.mean(np.abs(samples.astype(np.int32)) >= 32767))
    if clipped > _REFUSED:
        return f"is clipped: {clipped:.0%} of its samples are at full scale", ""
    return "", f"is clipped in {clipped:.0%} of its samples" if clipped >= _NAMED else ""


def motion(samples: Array, rate_hz: float, rest: bool = False) -> tuple[str, str]:
    """Return what makes motion, [n, 3] in milli-g, useless, and what is odd about it; or "".

    `rate_hz` is how often it was sampled. With `rest` nothing needs to move.
    """
    if problem := _units(samples, rate_hz):
        return problem, ""
    if not rest and np.ptp(samples, axis=0).max() < _STILL_MG:
        return "does not move at all: was the sensor on?", ""
    most = np.abs(samples).max(axis=0)
    stuck = (np.abs(samples) == most) & (most >= _RANGE_MG)
    share = float(stuck.any(axis=1).mean()) if len(samples) >= 10 else 0.0
    if share > _REFUSED:
        return f"is beyond the sensor's range in {share:.0%} of its samples", ""
    odd = share >= _STUCK_NAMED
    return "", f"is beyond the sensor's range in {share:.0%} of its samples" if odd else ""


def _units(samples: Array, rate_hz: float) -> str:
    """Return what is not in milli-g or ms, and the unit that it probably is in; or ""."""
    usual = float(np.median(np.linalg.norm(samples, axis=1)))
    if not _GRAVITY_MG[0] <= usual <= _GRAVITY_MG[1]:
        measured = gravity.measure([(samples, rate_hz)])
        if not usual or measured is None:
            return "is zero throughout: was the sensor on?"
        return measured.problem() or f"has a median of {usual:.3g} milli-g, gravity alone is 1000"
    seconds = len(samples) / rate_hz
    if rate_hz < _SLOWEST_HZ:
        return f"has {rate_hz:.3g} samples a second; needed are {_SLOWEST_HZ:g}"
    as_seconds = rate_hz / 1000 >= _SLOWEST_HZ / 4 and seconds * 1000 <= _MOST_S
    guess = " (time_ms is probably in seconds: multiply it by 1000)" if as_seconds else ""
    if rate_hz > _FASTEST_HZ:
        return f"has {rate_hz:,.0f} samples a second, no sensor of motion is as fast{guess}"
    if seconds < _SHORTEST_MOTION_S:
        return f"lasts {seconds:.3f} s, no motion is shorter than {_SHORTEST_MOTION_S:g} s{guess}"
    return ""


def fingerprint(recordings: Iterable[Recording]) -> str:
    """Return a SHA-256 of what `recordings` are: contents and labels in order, not names."""
    total = hashlib.sha256()
    for recording in recordings:
        stat = recording.path.stat()
        content = _file(recording.path, stat.st_mtime_ns, stat.st_size)
        about = f"{recording.label}\0{recording.number}\0{recording.long}\0"
        total.update(about.encode("utf-8", "surrogateescape") + content)
    return total.hexdigest()


def summary(messages: Sequence[str], folder: Path | None) -> list[str]:
    """Return `messages` with paths as seen from `folder`, for a card that others read."""
    if folder is None:
        return list(messages)
    # From where a path may begin to its suffix: what follows in it is no other path.
    path = re.compile(rf"""(?<![^\s'"]){re.escape(f"{folder}/")}((?:.*?\.\w+(?=[\s,:;'"]|$))?)""")
    short = [path.sub(r"\1", message) for message in messages]
    return [message.replace(str(folder), folder.name) for message in short]


@functools.lru_cache(maxsize=1 << 17)
def _file(path: Path, _time: int, _size: int) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _digest(content: Array) -> bytes:
    shape = f"{content.dtype.str}{content.shape}".encode()
    return hashlib.sha256(shape + np.ascontiguousarray(content).tobytes()).digest()
