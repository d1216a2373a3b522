"""Transfer learning: a pretrained network and a few recordings in, weights to go on from out.

What a network learned about sound or motion in general is in its body; only its last layer, the
head, knows labels. The body is kept, and a head is trained on what the frozen body makes of the
recordings and of its replay buffer (which is quick: a softmax regression).

The body is fine-tuned only where there are many recordings. With few, nothing but the replay buffer
tells it what is none of the words, and that is as the old body saw it: measured on five recordings
each of six words that the body was never trained on, by others than the people tested, fine-tuning
took the words recognised at 5 % false accepts from 60 % down to 44 %; with twelve recordings from
71 % to 55 %, and at best left it as it was.

With very few recordings none can be spared for a test part: see `cross_validation`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Recording
from tinyml.errors import ConfigError
from tinyml.tasks import Examples, Task
from tinyml.training import latent_replay, restore, tensorflow
from tinyml.training.latent_replay import ReplayBuffer, labelled
from tinyml.training.learner import Array

FEW_SHOT = 8  # recordings of a word below which none can be spared for testing
HEAD_ONLY = 50  # below which transfer learning is worth it, and only the head is trained
FINE_TUNING = 10  # the learning rate of fine-tuning is a tenth
_AUGMENTED = 120  # augmented versions of the recordings of each word that the head is trained on
_OTHERS_WEIGHT = 2.0  # what is no word counts twice: there is more of it in a day
_LEAST_SPREAD = 0.02  # of a vector's elements, as a share of the largest spread
_STEPS, _RATE, _DECAY = 300, 0.1, 1e-3  # of softmax regression

Vectors = npt.NDArray[np.float64]
Head = tuple[Vectors, Vectors]  # kernel [d, labels] and bias [labels] of the last layer


@dataclass(frozen=True)
class Pretrained:
    """A pretrained network: `weights` of a body with a head for `labels`, and its replay buffer.

    `others` is the index of the label of what is no word; `same_labels`: the head was trained for
    just these labels.
    """

    task: Task
    weights: Sequence[Array]
    width: float
    labels: tuple[str, ...]
    others: int
    replay: ReplayBuffer | None
    same_labels: bool

    def network(self, head: Head | None = None) -> Any:
        """Return the float network, real inputs to logits, with `head` where one is given."""
        weights = list(self.weights)
        if head is not None:
            weights[-2:] = [array.astype(np.float32) for array in head]
        return restore.network(self.task, len(self.labels), self.width, weights)

    def examples(self, recordings: Sequence[Recording], seed: int) -> Examples:
        """Return augmented examples of `recordings`, as many times as their rarest word needs."""
        words = self.labels[self.others + 1 :]
        counts = Counter(each.label for each in recordings if each.label in words)
        rounds = math.ceil(_AUGMENTED / min(counts.values()))
        augmented = [
            labelled(self.task.augmented(recordings, self.labels, seed * 1009 + number))
            for number in range(rounds)
        ]
        return Examples(
            np.concatenate([examples.inputs for examples in augmented]),
            np.concatenate([examples.targets for examples in augmented]),
        )

    def with_head(self, examples: Examples) -> list[Array]:
        """Return weights whose head is trained on `examples` and the replay buffer."""
        vectors = [latent_replay.vectors(self.task, self.network(), examples)]
        targets = [examples.targets]
        if self.replay is not None:
            vectors.append(self.replay.vectors)
            targets.append(self.replay.targets)
        head = regression(
            np.concatenate(vectors), np.concatenate(targets), len(self.labels), self.others
        )
        return [*self.weights[:-2], *(array.astype(np.float32) for array in head)]


def pretrained(
    task: Task,
    arrays: Sequence[Array],
    width: float,
    known: Sequence[str],
    labels: tuple[str, ...],
    background: Sequence[str],
    replay: ReplayBuffer | None,
    seed: int,
) -> Pretrained:
    """Return what training can start from: the weights `arrays`, with a new head for `labels`.

    Where these are the labels that are `known`, the head stays. Raises ConfigError where the
    weights are those of another network.
    """
    tensorflow()
    import tf_keras

    tf_keras.utils.set_random_seed(seed)
    fresh = task.build_model(len(labels), width).get_weights()
    if [array.shape for array in fresh[:-2]] != [array.shape for array in arrays[:-2]]:
        raise ConfigError(
            "the network to start from has other layers",
            "use the --width it was trained with, or train with --from none",
        )
    others, same = labels.index(background[-1]), tuple(known) == labels
    head = arrays[-2:] if same else fresh[-2:]
    return Pretrained(task, [*arrays[:-2], *head], width, labels, others, replay, same)


def regression(vectors: Array, targets: npt.NDArray[np.int64], labels: int, others: int) -> Head:
    """Return kernel [d, labels] and bias [labels] of a softmax regression on `vectors` [n, d].

    `targets` [n] are indices of labels. Labels count equally, but `others` twice.
    """
    values = vectors.astype(np.float64)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    # What hardly varies says nothing, and its weight would be so large that int8 had no steps left.
    varied = scale > _LEAST_SPREAD * scale.max()
    scale = np.where(varied, scale, 1.0)
    inputs = (values - mean) / scale * varied
    counts = np.bincount(targets, minlength=labels)
    weight = (np.where(np.arange(labels) == others, _OTHERS_WEIGHT, 1.0) / np.maximum(counts, 1))[
        targets
    ]
    weight /= weight.sum()
    wanted = np.eye(labels)[targets]
    state = np.zeros((inputs.shape[1] + 1, labels))
    inputs = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    first, second = np.zeros_like(state), np.zeros_like(state)
    for step in range(1, _STEPS + 1):  # Adam (Kingma and Ba 2014, arXiv:1412.6980)
        logits = inputs @ state
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        gradient = inputs.T @ ((odds - wanted) * weight[:, np.newaxis])
        gradient[:-1] += _DECAY * state[:-1]
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        rate = _RATE * min(1.0, 3 * (1 - step / (_STEPS + 1)))
        moved = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        state -= rate * moved
    kernel = state[:-1] / scale[:, np.newaxis]
    return kernel, state[-1] - mean @ kernel
