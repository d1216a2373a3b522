"""What a model learned from, and so what it may be asked about.

A split is no proof that a model did not learn from a recording: it shifts when files are added, and
few recordings are all trained on. So a bundle keeps the digest of every recording that it was
trained on, or that told when it had been trained enough: eight bytes each, from which nothing can
be had back, and by which a recording is known under another name or in another file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml.datasets import PARTS, TEST, Dataset, Recording, split
from tinyml.errors import ConfigError, DataError, ModelError, nearest
from tinyml.model import bundle as bundles
from tinyml.records import Bundle


def file(recordings: Iterable[Recording], start: Bundle | None = None) -> bytes:
    """Return `heard.npy` of a model that learned from `recordings`, after it was `start`.

    It holds uint64 [n], each `Recording.digest` once, sorted; synthetic recordings have none.
    """
    known = set() if start is None else set(_digests(start) or ())
    known |= {one.digest for one in recordings if one.digest}
    contents = io.BytesIO()
    np.save(contents, np.array(sorted(known), "<u8"))
    return contents.getvalue()


def among(recordings: Sequence[Recording], bundle: Bundle) -> frozenset[Recording] | None:
    """Return those of `recordings` that `bundle` learned from; None where it does not say.

    Raises ModelError where its file is damaged.
    """
    known = _digests(bundle)
    return None if known is None else frozenset(one for one in recordings if one.digest in known)


@dataclass(frozen=True)
class Asked:
    """What a model is asked about: `recordings` of a `part`.

    `learned`: how many of the part it learned from; of the test part these are left out. None where
    its bundle does not say.
    """

    part: str
    recordings: Sequence[Recording]
    learned: int | None


def asked(bundle: Bundle, dataset: Dataset, part: str) -> Asked:
    """Return the recordings of a part, or of "all", that `bundle` is to be asked about.

    Raises ConfigError for another name, DataError where it learned from all of the test part.
    """
    some = recordings(dataset, part)
    known = among(some, bundle)
    if known and part == TEST:
        some = [one for one in some if one not in known]
        if all(one.long for one in some):
            raise DataError(
                f"{bundle.name} learned from all {len(known):,} {part} recordings of "
                f"{dataset.source}",
                "record others: what it learned from proves nothing; or take all: --part all",
            )
    return Asked(part, some, None if known is None else len(known))


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
    path = bundle.path / bundles.HEARD
    if not path.is_file():
        return None
    try:
        return frozenset(np.load(path, allow_pickle=False).astype(np.uint64).tolist())
    except (OSError, ValueError) as error:
        raise ModelError(f"what {bundle.name} learned from is damaged: {error}") from error
