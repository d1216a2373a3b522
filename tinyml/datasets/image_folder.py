"""Folders of pictures: one folder per class, PNG, JPEG or BMP, of any size.

A `files.csv` with the columns `file` and `label` says instead which pictures there are and what
they show; its columns `licence` and `repo` (or `source`) are kept with them. A picture whose
licence is share-alike is only tested on: whether a model is a derivative of what it was trained on,
and so under the same licence, is an open question that a shipped model had better not raise.

Pictures that `tinyml capture` took, `<photographer>_<number>.png`, show nearly the same as those
before and after them: they are divided by photographer, or in order of time.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from tinyml.datasets import TEST, Dataset, Recording, check
from tinyml.errors import DataError
from tinyml.media import photo

LIST = "files.csv"
LEAST_SIDE = 16  # pixels
OWNER = "as the owner of the pictures states"
_HINT = "expected a folder per class with PNG, JPEG or BMP files, one of them not_person or not_..."
_BACKGROUNDS = ("not_person", "no_person", "negative", "background")
_CAPTURED = re.compile(r"(.+)_(\d{4,})\.png")
_NUMBER = re.compile(r"^(?:coco_)?(?:COCO_[a-z]+\d{4}_)?0*(\d{1,12})$")  # how COCO names its files


def read(folder: Path) -> Dataset:
    """Return the pictures under `folder`; every file is opened once.

    Exactly one class has nothing to recognise in it: `not_person`, or any other `not_...`,
    `negative` or `background`. Folders without pictures and those whose name starts with `_` or `.`
    are no classes. Pictures that cannot be read, are too small, or show exactly what another one
    shows are left out and listed in `skipped`; of two alike in different classes neither is kept.
    Files of COCO are grouped by their number, wherever they lie, captured ones by photographer.
    Where all are captured, and not every class by several, they are told apart by time. Raises
    DataError where a class has no usable picture, or there are not two classes or more, or not one
    of them is the background.
    """
    findings = check.Findings()
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", _HINT)
    try:
        listed = folder / LIST
        is_listed = listed.is_file()
        labelled = _listed(folder, findings) if is_listed else _by_folder(folder, findings)
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}", _HINT) from error
    background = _background(folder, {recording.label for recording, _ in labelled})
    kept = usable([recording for recording, _ in labelled], findings)
    for label in sorted(
        {recording.label for recording, _ in labelled} - {recording.label for recording in kept}
    ):
        raise DataError(f"{folder}: {label} has no usable picture: {findings.skipped[-1]}", _HINT)
    licences = dict(labelled)
    dataset = Dataset(
        folder.resolve().name,
        counted(licences[recording] for recording in kept) or OWNER,
        kept,
        skipped=tuple(findings.skipped),
        background=(background,),
        by="source picture",
    )
    return dataset if is_listed else _by_photographer(dataset)


def _by_photographer(dataset: Dataset) -> Dataset:
    """Return `dataset` with captured pictures grouped by who took them."""
    takers = _photographers(dataset.recordings)
    if not takers:
        return dataset
    grouped = tuple(
        replace(recording, group=takers.get(recording, recording.group))
        for recording in dataset.recordings
    )
    if len(takers) < len(grouped):
        return replace(dataset, recordings=grouped, by="source picture or photographer")
    # Names begin with the photographer; numbers go up with time.
    ordered = sorted(
        grouped,
        key=lambda recording: (recording.label, int(recording.path.stem.rpartition("_")[2])),
    )
    in_time = not check.several_made_each(grouped)
    return replace(dataset, recordings=tuple(ordered), in_time=in_time, by="photographer")


def _photographers(recordings: Iterable[Recording]) -> dict[Recording, str]:
    """Return who took each picture that was captured.

    Its notes say so; without them its name does, if that is of a photographer of every class:
    `person_0001.png` in `person` is by nobody.
    """
    photographers: dict[Recording, str] = {}
    noted: set[str] = set()
    classes: dict[str, set[str]] = defaultdict(set)
    labels = set()
    for recording in recordings:
        labels.add(recording.label)
        named = _CAPTURED.fullmatch(recording.path.name)
        if named and not _NUMBER.match(recording.path.stem):
            photographers[recording] = named[1]
            classes[named[1]].add(recording.label)
            if check.notes_file(recording.path).is_file():
                noted.add(named[1])
    return {
        recording: who
        for recording, who in photographers.items()
        if who in noted or classes[who] == labels
    }


def group(stem: str) -> str:
    """Return which photograph a file is of: COCO's number where it is named so, else its name."""
    number = _NUMBER.match(stem)
    return f"coco {int(number[1])}" if number else stem


def part(licence: str) -> str:
    """Return the only part for pictures under `licence`, or nothing where they may be in any."""
    name = licence.lower().replace("-", "").replace(" ", "")
    return TEST if "bysa" in name or "ncsa" in name or "sharealike" in name else ""


def counted(licences: Iterable[str]) -> str:
    """Return the licences that occur, with how many pictures each has; the most common first."""
    counts = Counter(licence for licence in licences if licence)
    return ", ".join(f"{name} ({count:,})" for name, count in counts.most_common())


def usable(recordings: Iterable[Recording], findings: check.Findings) -> tuple[Recording, ...]:
    """Return the pictures that can be read, large enough and no copies; the others are noted."""
    for recording in recordings:
        try:
            pixels = photo.read(recording.path)
        except DataError as error:
            findings.refuse(error)
            continue
        height, width = pixels.shape[:2]
        small = min(width, height) < LEAST_SIDE
        problem = f"has {width} x {height} pixels, fewer than {LEAST_SIDE} a side" if small else ""
        findings.add(recording, pixels, problem)
    return findings.recordings()


def _by_folder(folder: Path, findings: check.Findings) -> list[tuple[Recording, str]]:
    return [
        (Recording(file, label, group(file.stem)), "")
        for label, files in findings.by_label(folder, check.PICTURES).items()
        for file in files
    ]


def _listed(folder: Path, findings: check.Findings) -> list[tuple[Recording, str]]:
    """Return the pictures that `files.csv` names, with their licences.

    Paths in it are seen from `folder`, or from the one around it.
    """
    listed = folder / LIST
    labelled: list[tuple[Recording, str]] = []
    for number, row in _rows(listed):
        name = row["file"]
        at = [base / name for base in (folder, folder.parent) if (base / name).is_file()]
        if not at or not at[0].resolve().is_relative_to(folder.resolve()):
            findings.skip(f"{listed}, line {number}: there is no {name!r} in {folder}")
        elif not row["label"]:
            findings.skip(f"{listed}, line {number}: {name!r} has no label")
        else:
            licence = row.get("licence") or ""
            source = row.get("source") or row.get("repo") or ""
            where = group(at[0].stem)
            label = check.label(row["label"], f"{listed}, line {number}")
            recording = Recording(at[0], label, where, part=part(licence), source=source)
            labelled.append((recording, licence))
    return labelled


def _rows(listed: Path) -> list[tuple[int, Mapping[str, str]]]:
    try:
        with listed.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            missing = {"file", "label"} - set(table.fieldnames or ())
            rows: list[tuple[int, Mapping[str, str]]] = [(table.line_num, row) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{listed} cannot be read: {error}", _HINT) from error
    if missing:
        raise DataError(
            f"{listed} has no column {', '.join(sorted(missing))}",
            "name the columns file,label,licence,source in its first line, or remove it",
        )
    incomplete = [number for number, row in rows if None in (row["file"], row["label"])]
    if incomplete:
        raise DataError(f"{listed}, line {incomplete[0]} has too few columns", "complete the line")
    return rows


def _background(folder: Path, labels: set[str]) -> str:
    if len(labels) < 2:
        raise DataError(f"{folder} has {len(labels)} classes, a model needs at least 2", _HINT)
    empty = sorted(label for label in labels if label in _BACKGROUNDS or label.startswith("not_"))
    if len(empty) != 1:
        raise DataError(
            f"{folder} has {len(empty)} classes in which there is nothing to recognise, a model "
            f"needs one (classes: {', '.join(sorted(labels))})",
            "name one folder of pictures without what is to be recognised not_person, or not_...",
        )
    return empty[0]
