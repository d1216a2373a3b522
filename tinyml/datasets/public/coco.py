"""COCO 2017 (cocodataset.org): photographs with and without people; each has a licence of its own.

Annotations first (CC BY 4.0), then one by one as many photographs as are asked for: `coco:500` are
500 with a person and 500 without.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from tinyml.datasets import coco, public
from tinyml.platforms import download
from tinyml.platforms.download import DownloadError, File

TASK = "person_detection"
SITE = "http://images.cocodataset.org"
ANNOTATIONS = File(
    f"{SITE}/annotations/annotations_trainval2017.zip",
    252_907_541,
    # As tensorflow/datasets publishes it.
    "sha256:113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
)
MEMBER = "annotations/instances_train2017.json"
COUNT = 2000  # per label, where nobody says
LEAST_AREA = coco.LEAST_AREA


def fetch(folder: Path, count: int | None, on_progress: public.OnProgress) -> None:
    """Download the annotations and `count` photographs of each label, the lowest numbers first."""
    fetch_by_rule(folder, count, on_progress, LEAST_AREA)


def fetch_by_rule(
    folder: Path, count: int | None, on_progress: public.OnProgress, least_area: float
) -> None:
    """As `fetch`, for a rule of which people count; it is kept with the photographs."""
    document = _annotations(public.archive(ANNOTATIONS, on_progress))
    by_id = {entry["id"]: entry for entry in document["images"]}
    labels = coco.labels(document, least_area)
    downloads = []
    for label in (coco.PERSON, coco.NOT_PERSON):
        numbers = sorted(number for number, known in labels.items() if known == label)
        downloads += [by_id[number] for number in numbers[: COUNT if count is None else count]]
    pictures = folder / "train2017"
    pictures.mkdir(exist_ok=True)
    by_hand = f"or fetch {SITE}/train2017/... by hand into {pictures}"
    for done, entry in enumerate(downloads, 1):
        target = pictures / Path(entry["file_name"]).name
        if not target.is_file():
            file = File(f"{SITE}/train2017/{target.name}")
            download.fetch(file, target, lambda *_: None, by_hand)
        on_progress(done, len(downloads))
    chosen = {entry["id"] for entry in downloads}
    kept = {
        "least_area": least_area,
        "licenses": document["licenses"],
        "categories": document["categories"],
        "images": downloads,
        "annotations": [
            {name: entry[name] for name in ("image_id", "category_id", "area", "bbox")}
            for entry in document["annotations"]
            if entry["image_id"] in chosen
        ],
    }
    (folder / Path(MEMBER).name).write_text(json.dumps(kept), encoding="utf-8")


def _annotations(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            document: dict[str, Any] = json.loads(archive.read(MEMBER))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DownloadError(
            f"{path} has no usable {MEMBER}: {error}", "delete it and try again"
        ) from error
    return document
