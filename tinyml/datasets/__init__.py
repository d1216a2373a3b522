"""Where recordings come from, and how they are divided.

Sources of recordings: one file per source, each giving a `Dataset`.

A source that reads a folder of the user's has `read(folder) -> Dataset`; one that makes recordings
has `generate(...) -> Dataset`. Nothing here knows about models or features.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinyml.errors import DataError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)
SILENCE, UNKNOWN = "silence", "unknown"
RECORDING = "recording"  # what a group is where nothing says who made what
_FEW = 20  # groups below which parts are dealt out


@dataclass(frozen=True)
class Recording:
    """A labelled file. `group` is who or what made it: never on two sides of a split.

    A `long` recording is a background from which windows are cut, not an example of its label.
    `number`: which one in a file of several. `part`: the only one that it, and so all of its group,
    may be in, where its licence or its source says so. `source`: where it came from, where a data
    set has several. `digest`: the first 8 bytes of the SHA-256 of what is learned from it, by which
    it is known again under any name; 0 for a synthetic one.
    """

    path: Path
    label: str
    group: str
    long: bool = False
    number: int = 0
    part: str = ""
    source: str = ""
    digest: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Dataset:
    """Recordings of one source, what is known about them, and the files that were left out.

    `skipped` and `remarks` (on what was kept) are sentences that name a path: see `check.py`.
    `background`: labels that are nothing to recognise, which come first in a model's scores.
    `in_time`: nobody knows who made the recordings, or all are by one; they come in order of time.
    `by`: what a group of recordings has in common, in the singular. RECORDING where nobody knows
    who made them: then the same person may be on two sides of a split, which its rule says.
    """

    source: str
    licence: str
    recordings: tuple[Recording, ...]
    stand_in: bool = False
    skipped: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    background: tuple[str, ...] = (SILENCE, UNKNOWN)
    in_time: bool = False
    by: str = "speaker"

    @property
    def labels(self) -> tuple[str, ...]:
        """The background labels, then the words by name: the order of a model's scores."""
        return (*self.background, *self.words)

    @property
    def words(self) -> tuple[str, ...]:
        """What is to be recognised: words, or gestures."""
        return tuple(
            sorted({recording.label for recording in self.recordings} - set(self.background))
        )


@dataclass(frozen=True)
class Split:
    """The three parts of a data set; no group is in two of them."""

    rule: str
    parts: Mapping[str, tuple[Recording, ...]] = field(default_factory=dict)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return part -> label -> number of clips, and the number of groups as `groups`."""
        by_part: dict[str, dict[str, int]] = {}
        for part in PARTS:
            clips = [recording for recording in self.parts[part] if not recording.long]
            counts = dict(sorted(Counter(recording.label for recording in clips).items()))
            by_part[part] = {"groups": len({recording.group for recording in clips}), **counts}
        return by_part


def split(dataset: Dataset, test: float = 0.15, validation: float = 0.10) -> Split:
    """Divide the recordings so that about a share `test` and `validation` of them are held out.

    A speaker's part follows from the SHA-256 of the name alone, so a speaker who is in two data
    sets is in the same part of both. Where there are fewer than 20, they are dealt out in the order
    of these hashes instead, so that no part is empty by chance; likewise the background recordings,
    each with the clips that come from it. Groups with a `part` of their own are in that one.
    Recordings `in_time` are held out from the end of each label. Raises DataError where a word is
    missing from a part.
    """
    if dataset.in_time:
        return _split_in_time(dataset, test, validation)
    fixed = {recording.group: recording.part for recording in dataset.recordings if recording.part}
    free = [recording for recording in dataset.recordings if recording.group not in fixed]
    words = [recording for recording in free if recording.label not in (SILENCE, UNKNOWN)]
    quiet = [recording for recording in free if recording.label == SILENCE]
    places = _places(words) | _places(quiet)
    parts: dict[str, list[Recording]] = {part: [] for part in PARTS}
    for recording in dataset.recordings:
        place = places.get(recording.group)
        place = _fraction(recording.group) if place is None else place
        part = TEST if place < test else VALIDATION if place < test + validation else TRAIN
        parts[fixed.get(recording.group, part)].append(recording)
    _check(dataset, parts)
    if fixed and not free:
        counts = Counter(recording.part for recording in dataset.recordings)
        stated = ", ".join(f"{counts[part]:,} in {part}" for part in PARTS)
        rule = f"as the source of each recording says: {stated}"
        return Split(rule, {part: tuple(members) for part, members in parts.items()})
    return Split(
        f"by {dataset.by}: where SHA-256 of the name, as a fraction of 1, is below {test:.2f} it "
        f"is test, below {test + validation:.2f} validation; fewer than {_FEW} are dealt out in "
        "the order of these numbers instead"
        + (", and so are background recordings with their clips" if quiet else "")
        + _fixed_rule(fixed)
        + ("; nothing says who made which: a person may be in two parts"
           if RECORDING in dataset.by else ""),
        {part: tuple(members) for part, members in parts.items()},
    )  # fmt: skip


def _fixed_rule(fixed: Mapping[str, str]) -> str:
    counts = sorted(Counter(fixed.values()).items())
    where = ", ".join(f"{count:,} in {part}" for part, count in counts)
    return f"; put where their licence or source says instead: {where}" if where else ""


def _split_in_time(dataset: Dataset, test: float, validation: float) -> Split:
    parts: dict[str, list[Recording]] = {part: [] for part in PARTS}
    for label in dataset.labels:
        in_time = [recording for recording in dataset.recordings if recording.label == label]
        ends = [round(len(in_time) * share) for share in (1 - test - validation, 1 - test, 1)]
        for part, start, end in zip(PARTS, [0, *ends], ends, strict=False):
            parts[part] += in_time[start:end]
    _check(dataset, parts)
    return Split(
        f"by recording, in order of time: of each label the last {test:.2f} are test, "
        f"{validation:.2f} before them validation; how well the model does for another "
        f"{dataset.by} was not measured",
        {part: tuple(in_time) for part, in_time in parts.items()},
    )


def _places(recordings: Sequence[Recording]) -> dict[str, float]:
    """Return group -> where it lies in 0..1: test below `test`, and so on; a single one trains."""
    counts = Counter(recording.group for recording in recordings)
    if len(counts) == 1:
        return dict.fromkeys(counts, 1.0)
    if len(counts) >= _FEW:
        return {name: _fraction(name) for name in counts}
    order = sorted(counts, key=_fraction)
    dealt = itertools.accumulate((counts[name] for name in order), initial=0)
    return {name: place / len(recordings) for name, place in zip(order, dealt, strict=False)}


def _fraction(name: str) -> float:
    """A number in 0..1 that the name decides, evenly spread over names."""
    return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:6], "big") / 2**48


def left_out(dataset: Dataset, most: int = 3) -> str:
    """Return which recordings were left out and why, for an error about too few; or ""."""
    if not dataset.skipped:
        return ""
    more = f"; and {len(dataset.skipped) - most} more" if len(dataset.skipped) > most else ""
    return f"; left out: {'; '.join(dataset.skipped[:most])}{more}"


def _check(dataset: Dataset, parts: Mapping[str, Iterable[Recording]]) -> None:
    for part in (TRAIN, TEST):
        present = {recording.label for recording in parts[part] if not recording.long}
        missing = [label for label in dataset.words if label not in present]
        if missing:
            groups = len(
                {recording.group for recording in dataset.recordings if recording.label in missing}
            )
            if dataset.in_time:
                raise DataError(
                    f"{dataset.source}: too few recordings of {', '.join(missing)} to test on"
                    f"{left_out(dataset)}",
                    "record each at least 10 times",
                )
            raise DataError(
                f"{dataset.source}: no {part} recordings of {', '.join(missing)} "
                f"(there are some of {groups} {dataset.by}s){left_out(dataset)}",
                f"give each label at least 5 {dataset.by}s: a model is measured on others than it "
                "is trained on",
            )
