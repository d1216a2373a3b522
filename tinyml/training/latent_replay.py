"""Latent replay: vectors before the last layer, kept in a bundle against catastrophic forgetting.

A new head needs to know what is none of the new words, and a person who records five words has no
hundred others. So a bundle keeps a few hundred vectors of its training part, as they come out of
the body (Pellegrini et al. 2019, arXiv:1912.01100). No recording can be had back from them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.errors import ModelError
from tinyml.model import npz
from tinyml.tasks import UNLABELLED, Examples, Task
from tinyml.training.learner import real

_PER_WORD, _PER_BACKGROUND = 40, 400
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ReplayBuffer:
    """`vectors` float32 [n, d] that the last layer is given, and the label index of each, [n]."""

    vectors: Vectors
    targets: npt.NDArray[np.int64]

    def parts(self) -> tuple[ReplayBuffer, ReplayBuffer]:
        """Return three quarters to train on, and a quarter to test with."""
        test = np.arange(len(self.targets)) % 4 == 3
        training = ReplayBuffer(self.vectors[~test], self.targets[~test])
        return training, ReplayBuffer(self.vectors[test], self.targets[test])

    def relabelled(
        self, old: Sequence[str], new: Sequence[str], background: Sequence[str]
    ) -> ReplayBuffer:
        """Return the same for a model with other labels: words it lacks are no word to it."""
        other = new.index(background[-1])
        table = np.array([new.index(label) if label in new else other for label in old])
        return ReplayBuffer(self.vectors, table[self.targets])


def labelled(examples: Examples) -> Examples:
    """Return those of `examples` that have a label."""
    known = examples.targets != UNLABELLED
    return Examples(examples.inputs[known], examples.targets[known])


def vectors(task: Task, network: Any, examples: Examples) -> Vectors:
    """Return what the last layer of a float network is given for `examples`: [n, d]."""
    import tf_keras

    body = tf_keras.Model(network.inputs, network.layers[-1].input)
    outputs: Vectors = body.predict(real(task, examples.inputs), batch_size=64, verbose=0)
    return outputs


def record(
    task: Task,
    network: Any,
    examples: Examples,
    background: int,
    before: ReplayBuffer | None = None,
) -> bytes:
    """Return the replay buffer, an .npz for a bundle: vectors of `examples`, as float16.

    Of each label some are chosen, evenly; the first `background` labels are no words, and more of
    them are kept. What the same body recorded `before` stays.
    """
    chosen: list[int] = []
    for label in range(int(examples.targets.max()) + 1):
        most = _PER_BACKGROUND if label < background else _PER_WORD
        rows = np.flatnonzero(examples.targets == label)
        spread = np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)
        chosen += rows[spread].tolist()
    kept = Examples(examples.inputs[chosen], examples.targets[chosen])
    kept_vectors, targets = vectors(task, network, kept), kept.targets
    if before is not None:
        kept_vectors = np.concatenate([before.vectors, kept_vectors])
        targets = np.concatenate([before.targets, targets])
    halves = np.minimum(kept_vectors, np.finfo(np.float16).max).astype(np.float16)
    file = io.BytesIO()
    np.savez_compressed(file, vectors=halves, targets=targets.astype(np.uint8))
    return file.getvalue()


def read(contents: bytes) -> ReplayBuffer:
    """Return what `record` made bytes of; raises ModelError for anything else."""
    try:
        arrays = npz.arrays(contents, names=("vectors", "targets"))
        rows, targets = arrays["vectors"], arrays["targets"]
        if rows.ndim != 2 or rows.dtype.kind != "f" or targets.dtype.kind not in "iu":
            raise ValueError(f"it holds {rows.dtype}{list(rows.shape)} and {targets.dtype}")
        if targets.shape != rows.shape[:1] or not np.isfinite(rows).all():
            raise ValueError(f"{len(rows)} vectors with {targets.size} labels, or not finite")
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"the bundle's replay buffer (memory.npz) is damaged: {error}",
            "restore the bundle, or train the model again",
        ) from error
    return ReplayBuffer(rows.astype(np.float32), targets.astype(np.int64))
