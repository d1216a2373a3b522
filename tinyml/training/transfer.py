"""Transfer: a trained network and a few recordings in, weights to go on from and an estimate out.

What a network learned about sound or motion in general is in its body; only its last layer, the
head, knows labels. The body is kept, and a head is trained on what the frozen body makes of the
recordings and of what it remembers (which is quick: a softmax regression).

The body is fine-tuned only where there are many recordings. With few, nothing but the memory tells
it what is none of the words, and that is as the old body saw it: measured on five recordings each
of six words that the body had never heard, by others than the people tested, fine-tuning took the
words recognised at 5 % false accepts from 60 % down to 44 %; with twelve recordings from 71 % to
55 %, and at best left it as it was.

With very few recordings none can be spared for a test part. How well the model does is estimated by
cross-validation instead: heads that did not hear a recording are asked what it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Recording
from tinyml.errors import ConfigError
from tinyml.model.oracle import Oracle
from tinyml.tasks import Examples, Task
from tinyml.training import latent_replay, quantize, restore, tensorflow
from tinyml.training.latent_replay import Memory, labelled
from tinyml.training.learner import Array

FEW = 8  # recordings of a word below which none can be spared for testing
SOME = 50  # below which to start from a trained network is worth it, and only the head is trained
FINE = 10  # the learning rate of fine-tuning is a tenth
_SEEN = 120  # augmented versions of the recordings of each word that the head is trained on
_COPIES = 12  # augmented versions of each recording that heads are trained on
_FOLDS = 5
_DRAWS = 12  # choices of recordings for each point of the learning curve
_NONE = 2.0  # what is no word counts twice: there is more of it in a day
_LEAST_SPREAD = 0.02  # of a vector's elements, as a share of the largest spread
_STEPS, _RATE, _DECAY = 300, 0.1, 1e-3  # of softmax regression

Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """`right`: share of left-out recordings that heads recognise, trained on `recordings` each."""

    recordings: int
    right: float


@dataclass(frozen=True)
class Estimate:
    """What cross-validation says of heads on a frozen body, as shares of 1.

    `right` and `right_int8`: of `clips` recordings, each asked of a head that did not hear it;
    `false_accepts`: of `others`, held-out sounds or motions that are no word, those taken for one.
    `curve`: the same with fewer recordings of each word; `doubled`: what twice as many would give,
    None where the curve does not say, or not that they would help.
    """

    clips: int
    right: float
    right_int8: float
    others: int
    false_accepts: float
    curve: tuple[Point, ...]
    doubled: float | None


@dataclass(frozen=True)
class Start:
    """What is known before: a body with a head for `labels`, and what it remembers, if any.

    `others` is the index of the label of what is no word; `knows`: the head knows the labels.
    """

    task: Task
    weights: Sequence[Array]
    width: float
    labels: tuple[str, ...]
    others: int
    memory: Memory | None
    knows: bool

    def network(self, head: tuple[Vectors, Vectors] | None = None) -> Any:
        """Return the float network, with `head` where one is given."""
        weights = list(self.weights)
        if head is not None:
            weights[-2:] = [one.astype(np.float32) for one in head]
        return restore.network(self.task, len(self.labels), self.width, weights)

    def examples(self, learned: Sequence[Recording], seed: int) -> Examples:
        """Return augmented examples of `learned`, as many times anew as its rarest word needs."""
        counts = Counter(
            one.label for one in learned if one.label in self.labels[self.others + 1 :]
        )
        rounds = math.ceil(_SEEN / min(counts.values()))
        made = [
            labelled(self.task.augmented(learned, self.labels, seed * 1009 + number))
            for number in range(rounds)
        ]
        return Examples(
            np.concatenate([one.inputs for one in made]),
            np.concatenate([one.targets for one in made]),
        )

    def with_head(self, examples: Examples) -> list[Array]:
        """Return weights whose head is trained on `examples` and what is remembered."""
        seen = [latent_replay.vectors(self.task, self.network(), examples)]
        targets = [examples.targets]
        if self.memory is not None:
            seen.append(self.memory.vectors)
            targets.append(self.memory.targets)
        head = regression(
            np.concatenate(seen), np.concatenate(targets), len(self.labels), self.others
        )
        return [*self.weights[:-2], *(one.astype(np.float32) for one in head)]


def start(
    task: Task,
    arrays: Sequence[Array],
    width: float,
    known: Sequence[str],
    labels: tuple[str, ...],
    background: Sequence[str],
    remembered: Memory | None,
    seed: int,
) -> Start:
    """Return what training can start from: the weights `arrays`, with a new head for `labels`.

    Where these are the labels that are `known`, the head stays. Raises ConfigError where the
    weights are those of another network.
    """
    tensorflow()
    import tf_keras

    tf_keras.utils.set_random_seed(seed)
    fresh = task.build_model(len(labels), width).get_weights()
    if [one.shape for one in fresh[:-2]] != [one.shape for one in arrays[:-2]]:
        raise ConfigError(
            "the network to start from has other layers",
            "use the --width it was trained with, or train with --from none",
        )
    others, knows = labels.index(background[-1]), tuple(known) == labels
    head = arrays[-2:] if knows else fresh[-2:]
    return Start(task, [*arrays[:-2], *head], width, labels, others, remembered, knows)


def estimate(
    known: Start,
    words: Sequence[Recording],
    others: Sequence[Recording],
    held_out: Sequence[Recording],
    seed: int,
    on_progress: Callable[[int, int], None],
) -> Estimate:
    """Cross-validate heads on the frozen body of `known`.

    `words` are what is to be recognised; `others` what every head hears: what is none of it (with
    the long recordings of background), and synthetic recordings of the words. `held_out` are
    recordings of none of it that no head hears, and so is a quarter of the memory. Nothing of a
    recording of `words` is heard by a head that is asked about it.
    """
    steps = len(words) + _FOLDS + 1
    room = _Room(known, words, others, held_out, seed, lambda done: on_progress(done, steps))
    curve = _curve(room, np.random.default_rng([seed, 5]))
    right = np.zeros((2, len(words)))
    for fold, asked in enumerate(_folds(room.targets)):
        on_progress(len(words) + fold, steps)
        if asked:
            right[:, asked] = room.asked(asked)
    on_progress(steps - 1, steps)
    doubled = _doubled(curve, len(words))
    accepted = room.answers(room.held_out, room.head(list(range(len(words)))))
    return Estimate(
        clips=len(words),
        right=float(right[0].mean()),
        right_int8=float(right[1].mean()),
        others=len(accepted),
        false_accepts=float(np.isin(accepted, room.targets).mean()) if len(accepted) else 0.0,
        curve=curve,
        doubled=doubled if doubled is not None and doubled > right[0].mean() else None,
    )


class _Room:
    """What the frozen body makes of every recording, once, and heads trained on parts of it."""

    def __init__(
        self,
        known: Start,
        words: Sequence[Recording],
        others: Sequence[Recording],
        held_out: Sequence[Recording],
        seed: int,
        on_word: Callable[[int], None],
    ) -> None:
        self._known = known
        task, labels = known.task, known.labels
        network = known.network()
        quiet = [one for one in others if one.long]
        self._inputs, self._copies = [], []
        for number, one in enumerate(words):
            on_word(number)
            made = labelled(task.augmented([one] * _COPIES + quiet, labels, seed * 1009 + number))
            self._inputs.append(made.inputs)
            self._copies.append((latent_replay.vectors(task, network, made), made.targets))
        seeds = range(seed * 1009 + 997, seed * 1009 + 999) if len(others) > len(quiet) else ()
        rest = [labelled(task.augmented(others, labels, one)) for one in seeds]
        self._other = [(latent_replay.vectors(task, network, one), one.targets) for one in rest]
        self._clean = task.examples(words, labels)
        self.targets = self._clean.targets
        self._seen = latent_replay.vectors(task, network, self._clean)
        asked = [np.zeros((0, self._seen.shape[1]), np.float32)]
        if held_out:
            asked.append(latent_replay.vectors(task, network, task.examples(held_out, labels)))
        if known.memory is not None:
            learned, kept = known.memory.parts()
            self._other.append((learned.vectors, learned.targets))
            asked.append(kept.vectors[~np.isin(kept.targets, self.targets)])
        self.held_out = np.concatenate(asked)
        self._always = [one.inputs for one in rest]

    def head(self, heard: Sequence[int]) -> tuple[Vectors, Vectors]:
        """Return kernel and bias of a head trained on the words `heard` and the others."""
        chosen = [self._copies[number] for number in heard] + self._other
        seen = np.concatenate([one for one, _ in chosen])
        targets = np.concatenate([one for _, one in chosen])
        return regression(seen, targets, len(self._known.labels), self._known.others)

    def answers(self, seen: Array, head: tuple[Vectors, Vectors]) -> npt.NDArray[np.int64]:
        """Return the label that `head` gives each of the vectors `seen`."""
        answers: npt.NDArray[np.int64] = (seen @ head[0] + head[1]).argmax(axis=1)
        return answers

    def right(self, heard: Sequence[int], asked: Sequence[int]) -> float:
        """Share of the recordings `asked` that a head recognises that heard others."""
        answers = self.answers(self._seen[list(asked)], self.head(heard))
        return float(np.mean(answers == self.targets[list(asked)]))

    def asked(self, asked: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return [2, asked]: what a head that heard the rest has right, in float and in int8."""
        heard = [one for one in range(len(self.targets)) if one not in asked]
        head = self.head(heard)
        float_right = self.answers(self._seen[asked], head) == self.targets[asked]
        network = self._known.network(head)
        inputs = np.concatenate([*(self._inputs[one] for one in heard), *self._always])
        oracle = Oracle(quantize.quantize(self._known.task, network, inputs))
        answers = [int(oracle.run([self._clean.inputs[[one]]])[0].argmax()) for one in asked]
        return np.stack([float_right, np.array(answers) == self.targets[asked]])


def regression(
    seen: Array, targets: npt.NDArray[np.int64], labels: int, others: int
) -> tuple[Vectors, Vectors]:
    """Return kernel [n, labels] and bias [labels] of a softmax regression on vectors `seen`.

    Labels count equally, but `others` twice.
    """
    seen = seen.astype(np.float64)
    mean, scale = seen.mean(axis=0), seen.std(axis=0)
    # What hardly varies says nothing, and its weight would be so large that int8 had no steps left.
    varied = scale > _LEAST_SPREAD * scale.max()
    scale = np.where(varied, scale, 1.0)
    inputs = (seen - mean) / scale * varied
    counts = np.bincount(targets, minlength=labels)
    weight = (np.where(np.arange(labels) == others, _NONE, 1.0) / np.maximum(counts, 1))[targets]
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


def _folds(targets: npt.NDArray[np.int64]) -> list[list[int]]:
    """Return the recordings of each fold: of every word as equally many as can be."""
    folds: list[list[int]] = [[] for _ in range(_FOLDS)]
    for label in sorted(set(targets.tolist())):
        for place, number in enumerate(np.flatnonzero(targets == label).tolist()):
            folds[place % _FOLDS].append(number)
    return folds


def _curve(room: _Room, draw: np.random.Generator) -> tuple[Point, ...]:
    """Train on 1, 2, ... recordings of each word, and ask about the others."""
    of = [np.flatnonzero(room.targets == label) for label in sorted(set(room.targets.tolist()))]
    points = []
    for count in range(1, min(len(one) for one in of)):
        shares = []
        for _ in range(_DRAWS):
            mixed = [draw.permutation(one) for one in of]
            heard = np.concatenate([one[:count] for one in mixed])
            asked = np.concatenate([one[count:] for one in mixed])
            shares.append(room.right(heard.tolist(), asked.tolist()))
        points.append(Point(count, float(np.mean(shares))))
    return tuple(points)


def _doubled(curve: Sequence[Point], clips: int) -> float | None:
    """Return what twice as many recordings would give: errors fall as a power of their number."""
    if len(curve) < 3:
        return None
    least = 0.5 / (clips * _DRAWS)
    counts = np.log([one.recordings for one in curve])
    errors = np.log([max(1 - one.right, least) for one in curve])
    slope, start = np.polyfit(counts, errors, 1)
    twice = 2 * (curve[-1].recordings + 1)
    error = float(np.exp(start + min(slope, 0.0) * np.log(twice)))
    return 1 - min(error, 1.0)
