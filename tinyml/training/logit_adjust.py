"""Logit adjustment: label frequencies that examples without a label have shifted are put back.

Of details and mixtures only teachers say what they show, and that is a label less or more often
than among the recordings. A network learns such shares with everything else; they are in its
logits as their logarithms, where they can be exchanged (logit adjustment, Menon et al. 2021,
arXiv:2007.07314).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Recording
from tinyml.tasks import Examples
from tinyml.training.learner import soft_targets

Shift = npt.NDArray[np.float32]


def shift(recordings: Sequence[Recording], labels: Sequence[str], examples: Examples) -> Shift:
    """Return what to add to the logits, [labels], of a network that learned `examples`.

    It then expects each label as often as among `recordings`; what none of these is, as silence may
    be, stays as it was.
    """
    counts = Counter(recording.label for recording in recordings)
    wanted = np.array([counts[label] for label in labels], np.float64)
    learned = soft_targets(examples, np.arange(len(examples.targets)), len(labels)).mean(axis=0)
    there = wanted > 0
    moved = np.zeros(len(labels), np.float32)
    moved[there] = np.log(wanted[there] / wanted.sum() * learned[there].sum() / learned[there])
    return moved


def move(network: Any, by: Shift) -> None:
    """Add `by` to the logits of a tf_keras network that ends in a dense layer."""
    biases = [each for each in network.weights if each.name.rpartition("/")[2].startswith("bias")]
    biases[-1].assign_add(by)
