"""Sources of recordings: one file per source, each giving a `Dataset`.

A source that reads a folder of the user's has `read(folder) -> Dataset`; one that makes recordings
has `generate(...) -> Dataset`. Nothing here knows about models or features.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinyml.errors import DataError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)
SILENCE, UNKNOWN = "silence", "unknown"


@dataclass(frozen=True)
class Recording:
    """A labelled file. `group` is who or what made it: never on two sides of a split.

    A `long` recording is a background from which windows are cut, not an example of its label.
    """

    path: Path
    label: str
    group: str
    long: bool = False


@dataclass(frozen=True)
class Dataset:
    """Recordings of one source, what is known about them, and the files that were left out."""

    source: str
    licence: str
    recordings: tuple[Recording, ...]
    stand_in: bool = False
    skipped: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Silence, unknown, then the words by name: the order of a model's scores."""
        words = {one.label for one in self.recordings} - {SILENCE, UNKNOWN}
        return (SILENCE, UNKNOWN, *sorted(words))


@dataclass(frozen=True)
class Split:
    """The three parts of a data set; no group is in two of them."""

    rule: str
    parts: Mapping[str, tuple[Recording, ...]] = field(default_factory=dict)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return part -> label -> number of clips, and the number of groups as `groups`."""
        found: dict[str, dict[str, int]] = {}
        for part in PARTS:
            clips = [one for one in self.parts[part] if not one.long]
            counts = dict(sorted(Counter(one.label for one in clips).items()))
            found[part] = {"groups": len({one.group for one in clips}), **counts}
        return found


def split(dataset: Dataset, test: float = 0.15, validation: float = 0.10) -> Split:
    """Divide the recordings so that about a share `test` and `validation` of them are held out.

    The groups of spoken clips, and apart from them the background recordings with the clips that
    come from them, are put in the order of the SHA-256 of their names and dealt out: test until its
    share is reached, then validation, then training. So the split depends on names alone. Raises
    DataError where there are too few speakers for three parts, or a label is missing from one.
    """
    spoken = [one for one in dataset.recordings if one.label != SILENCE]
    quiet = [one for one in dataset.recordings if one.label == SILENCE]
    parts: dict[str, list[Recording]] = {part: [] for part in PARTS}
    for recordings in (spoken, quiet):
        for part, some in _deal(recordings, test, validation).items():
            parts[part] += some
    _check(dataset, parts)
    return Split(
        f"by speaker, in the order of SHA-256 of their names: test {test:.0%}, then validation "
        f"{validation:.0%}, then training; silence likewise by background recording",
        {part: tuple(some) for part, some in parts.items()},
    )


def _deal(
    recordings: Sequence[Recording], test: float, validation: float
) -> dict[str, list[Recording]]:
    groups: dict[str, list[Recording]] = {}
    for one in recordings:
        groups.setdefault(one.group, []).append(one)
    order = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    parts: dict[str, list[Recording]] = {part: [] for part in PARTS}
    dealt = 0
    for name in order:
        share = dealt / max(1, len(recordings))
        filled = share >= test, share >= test + validation
        part = TRAIN if all(filled) else VALIDATION if filled[0] else TEST
        parts[part] += groups[name]
        dealt += len(groups[name])
    if len(order) == 1:
        return {TRAIN: parts[TEST], VALIDATION: [], TEST: []}
    return parts


def _check(dataset: Dataset, parts: Mapping[str, Iterable[Recording]]) -> None:
    for part in (TRAIN, TEST):
        present = {one.label for one in parts[part] if not one.long}
        missing = [label for label in dataset.labels[2:] if label not in present]
        if missing:
            speakers = len({one.group for one in dataset.recordings if one.label in missing})
            raise DataError(
                f"{dataset.source}: no {part} recordings of {', '.join(missing)} "
                f"(recorded by {speakers} speakers)",
                "record each word by at least 5 speakers: a model is measured on others than it "
                "is trained on",
            )
