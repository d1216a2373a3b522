"""Folders of pictures: one folder per class, PNG, JPEG or BMP, of any size.

A `files.csv` with the columns `file` and `label` says instead which pictures there are and what
they show; its columns `licence` and `repo` (or `source`) are kept with them. A picture whose
licence is share-alike is only tested on: whether a model is a derivative of what it was trained on,
and so under the same licence, is an open question that a shipped model had better not raise.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from tinyml import photo
from tinyml.datasets import TEST, Dataset, Recording, check
from tinyml.errors import DataError

LIST = "files.csv"
LEAST_SIDE = 16  # pixels
OWNER = "as the owner of the pictures states"
_HINT = "expected a folder per class with PNG, JPEG or BMP files, one of them not_person or not_..."
_BACKGROUNDS = ("not_person", "no_person", "negative", "background")
_NUMBER = re.compile(r"^(?:coco_)?(?:COCO_[a-z]+\d{4}_)?0*(\d{1,12})$")  # how COCO names its files


def read(folder: Path) -> Dataset:
    """Return the pictures under `folder`; every file is opened once.

    Exactly one class has nothing to recognise in it: `not_person`, or any other `not_...`,
    `negative` or `background`. Folders without pictures and those whose name starts with `_` or `.`
    are no classes. Pictures that cannot be read, are too small, or show exactly what another one
    shows are left out and listed in `skipped`; of two alike in different classes neither is kept.
    Files of COCO are grouped by their number, wherever they lie. Raises DataError where a class has
    no usable picture, or there are not two classes or more, or not one of them is the background.
    """
    findings = check.Findings()
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", _HINT)
    try:
        listed = folder / LIST
        found = _listed(folder, findings) if listed.is_file() else _by_folder(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}", _HINT) from error
    background = _background(folder, {one.label for one, _ in found})
    kept = usable([one for one, _ in found], findings)
    for label in sorted({one.label for one, _ in found} - {one.label for one in kept}):
        raise DataError(f"{folder}: {label} has no usable picture: {findings.skipped[-1]}", _HINT)
    licences = dict(found)
    return Dataset(
        folder.resolve().name,
        counted(licences[one] for one in kept) or OWNER,
        kept,
        skipped=tuple(findings.skipped),
        background=(background,),
        by="source picture",
    )


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
    some = Counter(licence for licence in licences if licence)
    return ", ".join(f"{name} ({count:,})" for name, count in some.most_common())


def usable(recordings: Iterable[Recording], findings: check.Findings) -> tuple[Recording, ...]:
    """Return the pictures that can be read, large enough and no copies; the others are noted."""
    for one in recordings:
        try:
            pixels = photo.read(one.path)
        except DataError as error:
            findings.skip(error.message)
            continue
        height, width = pixels.shape[:2]
        small = min(width, height) < LEAST_SIDE
        problem = f"has {width} x {height} pixels, fewer than {LEAST_SIDE} a side" if small else ""
        findings.add(one, pixels, problem)
    return findings.recordings()


def _by_folder(folder: Path) -> list[tuple[Recording, str]]:
    found = []
    for inner in sorted(one for one in folder.iterdir() if one.is_dir()):
        if inner.name[0] in "_.":
            continue
        files = sorted(one for one in inner.iterdir() if one.suffix.lower() in photo.SUFFIXES)
        if not files and not any(inner.iterdir()):
            raise DataError(f"{inner} is empty", "put pictures in it, or remove it")
        found += [(Recording(file, inner.name, group(file.stem)), "") for file in files]
    return found


def _listed(folder: Path, findings: check.Findings) -> list[tuple[Recording, str]]:
    """Return the pictures that `files.csv` names, with their licences.

    Paths in it are seen from `folder`, or from the one around it.
    """
    listed = folder / LIST
    found: list[tuple[Recording, str]] = []
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
            one = Recording(at[0], row["label"], where, part=part(licence), source=source)
            found.append((one, licence))
    return found


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
    empty = sorted(one for one in labels if one in _BACKGROUNDS or one.startswith("not_"))
    if len(empty) != 1:
        raise DataError(
            f"{folder} has {len(empty)} classes in which there is nothing to recognise, a model "
            f"needs one (classes: {', '.join(sorted(labels))})",
            "name one folder of pictures without what is to be recognised not_person, or not_...",
        )
    return empty[0]
