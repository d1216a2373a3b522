"""COCO annotations turned into person and not_person by the rule of Visual Wake Words.

Chowdhery et al. 2019, arXiv:1906.05721: a picture shows a person where the box of one covers at
least a share of it. The paper takes 0.5 %, MLPerf Tiny 2.5 %, which is what a 96x96 picture still
shows. Pictures whose only persons are smaller are left out: they are neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml.datasets import Dataset, Recording, check
from tinyml.datasets.image_folder import counted, group, part, usable
from tinyml.errors import DataError

NOT_PERSON, PERSON = "not_person", "person"
LEAST_BOX = 0.025  # share of the picture, unless the annotations have a `least_box`
ANNOTATIONS = "instances_*.json"
_HINT = "expected COCO's annotations/instances_*.json and its pictures in folders beside it"


def annotation_files(folder: Path) -> list[Path]:
    """Return the annotation files of COCO in `folder` or its `annotations`, sorted."""
    return sorted([*folder.glob(ANNOTATIONS), *folder.glob(f"annotations/{ANNOTATIONS}")])


def labels(document: Mapping[str, Any], least_box: float = LEAST_BOX) -> dict[int, str]:
    """Return picture id -> label, for those that have one, by the rule above.

    `least_box`: share of the picture that a person's box must cover. Boxes of crowds count. Raises
    KeyError, TypeError or ValueError where `document` is not what COCO's are.
    """
    people = {one["id"] for one in document["categories"] if one["name"] == PERSON}
    if not people:
        raise ValueError("there is no category person")
    sizes = {one["id"]: one["width"] * one["height"] for one in document["images"]}
    largest: dict[int, float] = {}
    for one in document["annotations"]:
        picture = one["image_id"]
        if one["category_id"] in people and picture in sizes:
            _, _, width, height = one["bbox"]
            largest[picture] = max(largest.get(picture, 0.0), width * height / sizes[picture])
    return {
        picture: PERSON if picture in largest else NOT_PERSON
        for picture in sizes
        if largest.get(picture, 1.0) >= least_box
    }


def read(folder: Path) -> Dataset:
    """Return the pictures that are there of those that the annotations name, labelled by the rule.

    They may lie in `folder` or any folder in it. A number `least_box` among the fields of an
    annotation file is the share that a person must cover for it. Each picture is opened once;
    unusable ones are left out and listed in `skipped`. The licence of each is COCO's; share-alike
    ones are only tested on. Raises DataError where an annotation file cannot be used, or no picture
    of a label is there.
    """
    there = {file.name: file for file in sorted(folder.rglob("*.jpg"))}
    found: dict[str, tuple[Recording, str]] = {}
    boxes = []
    for file in annotation_files(folder):
        document = load(file)
        try:
            boxes.append(float(document.get("least_box", LEAST_BOX)))
            some = _labelled(file, document, boxes[-1], there)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{file} is no annotation file of COCO: {error!r}", _HINT) from error
        found = {**{one.path.name: (one, licence) for one, licence in some}, **found}
    findings = check.Findings()
    kept = usable([one for one, _ in found.values()], findings)
    for label in (PERSON, NOT_PERSON):
        if not any(one.label == label for one in kept):
            raise DataError(
                f"{folder} has no usable picture of {label} among the {len(there):,} that are "
                "there and those that its annotations name",
                findings.skipped[0] if findings.skipped else _HINT,
            )
    rules = " or ".join(sorted({f"{box:.1%}" for box in boxes}))
    return Dataset(
        f"COCO; a person is one whose box covers at least {rules} of the picture",
        counted(found[one.path.name][1] for one in kept) + "; annotations CC BY 4.0",
        kept,
        skipped=tuple(findings.skipped),
        background=(NOT_PERSON,),
        by="source picture",
    )


def _labelled(
    file: Path, document: Mapping[str, Any], least_box: float, there: Mapping[str, Path]
) -> list[tuple[Recording, str]]:
    """Return the pictures of one annotation file that are there, with their licences."""
    licences = {one["id"]: str(one["name"]) for one in document.get("licenses", ())}
    wanted = labels(document, least_box)
    found = []
    for one in document["images"]:
        path, label = there.get(one["file_name"]), wanted.get(one["id"])
        if path is not None and label is not None:
            licence = licences.get(one.get("license"), "unknown licence")
            where = group(path.stem)
            made = Recording(path, label, where, part=part(licence), source=file.stem)
            found.append((made, licence))
    return found


def load(file: Path) -> dict[str, Any]:
    """Return an annotation file's JSON object; raises DataError where it is none."""
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file} cannot be read: {error}", _HINT) from error
    if not isinstance(document, dict):
        raise DataError(f"{file} is no annotation file of COCO", _HINT)
    return document
