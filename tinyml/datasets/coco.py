"""COCO annotations turned into person and not_person by the rule of Visual Wake Words.

Chowdhery et al. 2019, arXiv:1906.05721, and build_visualwakewords_data_lib.py in TensorFlow's
models: a picture shows a person where the area of one, as COCO gives it, is at least a share of the
picture. All others are not_person, those with smaller persons too. The paper takes 0.5 %; 2.5 %, as
MLPerf Tiny does, is what a 96x96 picture still shows.
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
LEAST_AREA = 0.025  # share of the picture, unless the annotations have a `least_area`
ANNOTATIONS = "instances_*.json"
_HINT = "expected COCO's annotations/instances_*.json and its pictures in folders beside it"


def annotation_files(folder: Path) -> list[Path]:
    """Return the annotation files of COCO in `folder` or its `annotations`, sorted."""
    return sorted([*folder.glob(ANNOTATIONS), *folder.glob(f"annotations/{ANNOTATIONS}")])


def labels(document: Mapping[str, Any], least_area: float = LEAST_AREA) -> dict[int, str]:
    """Return picture id -> label, by the rule above.

    `least_area`: share of the picture that a person must have. Crowds count. Raises KeyError,
    TypeError or ValueError where `document` is not what COCO's are.
    """
    people = {entry["id"] for entry in document["categories"] if entry["name"] == PERSON}
    if not people:
        raise ValueError("there is no category person")
    sizes = {entry["id"]: entry["width"] * entry["height"] for entry in document["images"]}
    shown = {
        entry["image_id"]
        for entry in document["annotations"]
        if entry["category_id"] in people
        and entry["image_id"] in sizes
        and entry["area"] / sizes[entry["image_id"]] >= least_area
    }
    return {picture: PERSON if picture in shown else NOT_PERSON for picture in sizes}


def read(folder: Path) -> Dataset:
    """Return the pictures that are there of those that the annotations name, labelled by the rule.

    They may lie in `folder` or any folder in it. A number `least_area` among the fields of an
    annotation file is the share that a person must have for it. Each picture is opened once;
    unusable ones are left out and listed in `skipped`. The licence of each is COCO's; share-alike
    ones are only tested on. Raises DataError where an annotation file cannot be used, or no picture
    of a label is there.
    """
    there = {file.name: file for file in sorted(folder.rglob("*.jpg"))}
    by_name: dict[str, tuple[Recording, str]] = {}
    areas = []
    for file in annotation_files(folder):
        document = load(file)
        try:
            areas.append(float(document.get("least_area", LEAST_AREA)))
            labelled = _labelled(file, document, areas[-1], there)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{file} is no annotation file of COCO: {error!r}", _HINT) from error
        by_name = {
            **{recording.path.name: (recording, licence) for recording, licence in labelled},
            **by_name,
        }
    findings = check.Findings()
    photographs = usable([recording for recording, _ in by_name.values()], findings)
    for label in (PERSON, NOT_PERSON):
        if not any(recording.label == label for recording in photographs):
            raise DataError(
                f"{folder} has no usable picture of {label} among the {len(there):,} that are "
                "there and those that its annotations name",
                findings.skipped[0] if findings.skipped else _HINT,
            )
    rules = " or ".join(sorted({f"{area:.1%}" for area in areas}))
    return Dataset(
        f"COCO; a person is one whose area is at least {rules} of the picture",
        counted(by_name[recording.path.name][1] for recording in photographs)
        + "; annotations CC BY 4.0",
        photographs,
        skipped=tuple(findings.skipped),
        background=(NOT_PERSON,),
        by="source picture",
    )


def _labelled(
    file: Path, document: Mapping[str, Any], least_area: float, there: Mapping[str, Path]
) -> list[tuple[Recording, str]]:
    """Return the pictures of one annotation file that are there, with their licences."""
    licences = {image["id"]: str(image["name"]) for image in document.get("licenses", ())}
    label_of = labels(document, least_area)
    labelled = []
    for image in document["images"]:
        path, label = there.get(image["file_name"]), label_of.get(image["id"])
        if path is not None and label is not None:
            licence = licences.get(image.get("license"), "unknown licence")
            where = group(path.stem)
            recording = Recording(path, label, where, part=part(licence), source=file.stem)
            labelled.append((recording, licence))
    return labelled


def load(file: Path) -> dict[str, Any]:
    """Return an annotation file's JSON object; raises DataError where it is none."""
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file} cannot be read: {error}", _HINT) from error
    if not isinstance(document, dict):
        raise DataError(f"{file} is no annotation file of COCO", _HINT)
    return document
