"""What a model learned from: recordings in, their digests for its bundle out, and back.

A split is no proof that a model did not learn from a recording: it shifts when files are added, and
few recordings are all trained on. So a bundle keeps the digest of every recording that it was
trained on, or that told when it had been trained enough: eight bytes each, from which nothing can
be had back, and by which a recording is known under another name or in another file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import numpy as np

from tinyml import bundle as bundles
from tinyml.datasets import Recording
from tinyml.errors import ModelError
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


def _digests(bundle: Bundle) -> frozenset[int] | None:
    path = bundle.path / bundles.HEARD
    if not path.is_file():
        return None
    try:
        return frozenset(np.load(path, allow_pickle=False).astype(np.uint64).tolist())
    except (OSError, ValueError) as error:
        raise ModelError(f"what {bundle.name} learned from is damaged: {error}") from error
