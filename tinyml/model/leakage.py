"""Data leakage: keeping what a model was trained on out of what it is tested on.

A split alone does not rule leakage out: it shifts when files are added, and few recordings are all
trained on. So a bundle keeps the digest of every recording that it was trained on, or that told
when it had been trained enough: eight bytes each, from which nothing can be had back, and by which
a recording is known under another name or in another file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml.datasets import PARTS, TEST, Dataset, Recording, split
from tinyml.errors import ConfigError, DataError, ModelError, nearest
from tinyml.model import bundle as bundles
from tinyml.model import npz
from tinyml.records import Bundle


def digests(recordings: Iterable[Recording], start: Bundle | None = None) -> bytes:
    """Return `heard.npy` of a model that was trained on `recordings`, after it was `start`.

    It holds uint64 [n], each `Recording.digest` once, sorted; synthetic recordings have none.
    """
    known = set() if start is None else set(_digests(start) or ())
    known |= {recording.digest for recording in recordings if recording.digest}
    contents = io.BytesIO()
    np.save(contents, np.array(sorted(known), "<u8"))
    return contents.getvalue()


def trained_on(recordings: Sequence[Recording], bundle: Bundle) -> frozenset[Recording] | None:
    """Return those of `recordings` that `bundle` was trained on; None where it does not say.

    Raises ModelError where its file is damaged.
    """
    known = _digests(bundle)
    if known is None:
        return None
    return frozenset(recording for recording in recordings if recording.digest in known)


@dataclass(frozen=True)
class EvaluationSet:
    """What a model is evaluated on: `recordings` of a `part`.

    `learned`: how many of the part it was trained on; of the test part these are left out. None
    where its bundle does not say.
    """

    part: str
    recordings: Sequence[Recording]
    learned: int | None


def evaluation_set(bundle: Bundle, dataset: Dataset, part: str) -> EvaluationSet:
    """Return the recordings of a part, or of "all", that `bundle` is to be evaluated on.

    Raises ConfigError for another name, DataError where it was trained on all of the test part.
    """
    chosen = recordings(dataset, part)
    known = trained_on(chosen, bundle)
    if known and part == TEST:
        chosen = [recording for recording in chosen if recording not in known]
        if all(recording.long for recording in chosen):
            raise DataError(
                f"{bundle.name} learned from all {len(known):,} {part} recordings of "
                f"{dataset.source}",
                "record others: what it learned from proves nothing; or take all: --part all",
            )
    return EvaluationSet(part, chosen, None if known is None else len(known))


def recordings(dataset: Dataset, part: str) -> Sequence[Recording]:
    """Return the recordings of a part, or of "all"; raises ConfigError for another name."""
    if part == "all":
        return dataset.recordings
    if part not in PARTS:
        raise ConfigError(f"there is no part {part!r}", nearest(part, [*PARTS, "all"]))
    try:
        return split(dataset).parts[part]
    except DataError as error:
        raise DataError(
            f"there is no {part} part: {error.message}",
            "ask about all of them, also those that were trained on: --part all",
        ) from error


def _digests(bundle: Bundle) -> frozenset[int] | None:
    path = bundle.path / bundles.DIGESTS
    if not path.is_file():
        return None
    try:
        known = npz.arrays(path, "digests")["digests"]
        if known.dtype.kind not in "ui" or known.ndim != 1:
            raise ValueError(f"it holds {known.dtype}{list(known.shape)}, not whole numbers")
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"what {bundle.name} learned from is damaged: {path.name}: {error}",
            "restore the bundle, or train the model again",
        ) from error
    return frozenset(known.astype(np.uint64).tolist())
