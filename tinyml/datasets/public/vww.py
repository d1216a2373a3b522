"""Visual Wake Words (arXiv:1906.05721): COCO by the paper's rule: people of 0.5 % of a picture."""

from __future__ import annotations

from pathlib import Path

from tinyml.datasets import public
from tinyml.datasets.public import coco

TASK = coco.TASK
LEAST_AREA = 0.005


def fetch(folder: Path, count: int | None, on_progress: public.OnProgress) -> None:
    """As `coco.fetch`."""
    coco.fetch_by_rule(folder, count, on_progress, LEAST_AREA)
