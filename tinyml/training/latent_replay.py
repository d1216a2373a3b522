"""What a network remembers of its training: what its last layer was given, kept in its bundle.

A new head needs to know what is none of the new words, and a person who records five words has no
hundred others. So a bundle keeps a few hundred vectors of its training part, as they come out of
the body (latent replay, Pellegrini et al. 2019, arXiv:1912.01100). No recording can be had back
from them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.errors import ModelError
from tinyml.tasks import UNLABELLED, Examples, Task
from tinyml.training.learner import real

_PER_WORD, _PER_BACKGROUND = 40, 400
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Memory:
    """`vectors` [n, d] that the last layer is given, and the index of the label of each."""

    vectors: Vectors
    targets: npt.NDArray[np.int64]

    def parts(self) -> tuple[Memory, Memory]:
        """Return three quarters to learn from, and a quarter to ask about."""
        asked = np.arange(len(self.targets)) % 4 == 3
        return tuple(  # type: ignore[return-value]
            Memory(self.vectors[some], self.targets[some]) for some in (~asked, asked)
        )

    def relabelled(
        self, old: Sequence[str], new: Sequence[str], background: Sequence[str]
    ) -> Memory:
        """Return the same for a model with other labels: words it lacks are no word to it."""
        other = new.index(background[-1])
        table = np.array([new.index(one) if one in new else other for one in old])
        return Memory(self.vectors, table[self.targets])


def labelled(examples: Examples) -> Examples:
    """Return those of `examples` that have a label."""
    known = examples.targets != UNLABELLED
    return Examples(examples.inputs[known], examples.targets[known])


def vectors(task: Task, network: Any, examples: Examples) -> Vectors:
    """Return what the last layer of a float network is given for `examples`: [n, d]."""
    import tf_keras

    body = tf_keras.Model(network.inputs, network.layers[-1].input)
    seen: Vectors = body.predict(real(task, examples.inputs), batch_size=64, verbose=0)
    return seen


def remember(
    task: Task,
    network: Any,
    examples: Examples,
    background: int,
    before: Memory | None = None,
) -> bytes:
    """Return an .npz for a bundle: vectors of some `examples` of each label, as float16.

    The first `background` labels are no words, and there is more to remember of them. What the same
    body remembered `before` stays.
    """
    chosen: list[int] = []
    for label in range(int(examples.targets.max()) + 1):
        most = _PER_BACKGROUND if label < background else _PER_WORD
        of = np.flatnonzero(examples.targets == label)
        spread = np.linspace(0, len(of) - 1, min(most, len(of))).astype(int)
        chosen += of[spread].tolist()
    some = Examples(examples.inputs[chosen], examples.targets[chosen])
    file = io.BytesIO()
    seen, targets = vectors(task, network, some), some.targets
    if before is not None:
        seen = np.concatenate([before.vectors, seen])
        targets = np.concatenate([before.targets, targets])
    kept = np.minimum(seen, np.finfo(np.float16).max).astype(np.float16)
    np.savez_compressed(file, vectors=kept, targets=targets.astype(np.uint8))
    return file.getvalue()


def read(contents: bytes) -> Memory:
    """Return what `remember` made bytes of; raises ModelError for anything else."""
    try:
        with np.load(io.BytesIO(contents), allow_pickle=False) as loaded:
            return Memory(loaded["vectors"].astype(np.float32), loaded["targets"].astype(np.int64))
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"the bundle's memory is damaged: {error}") from error
