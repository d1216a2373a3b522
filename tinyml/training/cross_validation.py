"""Cross-validation of new heads on a frozen body: few recordings in, an `Estimate` out.

Of very few recordings none can be spared for a test part. So every recording is judged by a head
that was trained on the other folds, with a learning curve of what more recordings would give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Recording
from tinyml.model.oracle import Oracle
from tinyml.records import Estimate, LearningPoint
from tinyml.training import latent_replay, quantize
from tinyml.training.latent_replay import labelled
from tinyml.training.learner import Array
from tinyml.training.transfer import Head, Pretrained, regression

_COPIES = 12  # augmented versions of each recording that heads are trained on
_FOLDS = 5
_DRAWS = 12  # choices of recordings for each point of the learning curve


def estimate(
    start: Pretrained,
    words: Sequence[Recording],
    others: Sequence[Recording],
    held_out: Sequence[Recording],
    seed: int,
    on_progress: Callable[[int, int], None],
) -> Estimate:
    """Cross-validate heads on the frozen body of `start`.

    `words` are what is to be recognised; `others` what every head is trained on: what is none of it
    (with the long recordings of background), and synthetic recordings of the words. `held_out` are
    recordings of none of it that no head is trained on, and so is a quarter of the replay buffer.
    No head is trained on a recording of `words` that it judges.
    """
    steps = len(words) + _FOLDS + 1
    frozen = _FrozenFeatures(
        start, words, others, held_out, seed, lambda done: on_progress(done, steps)
    )
    curve = _curve(frozen, np.random.default_rng([seed, 5]))
    right = np.zeros((2, len(words)))
    for number, fold in enumerate(_folds(frozen.targets)):
        on_progress(len(words) + number, steps)
        if fold:
            right[:, fold] = frozen.judged(fold)
    on_progress(steps - 1, steps)
    doubled = _doubled(curve, len(words))
    accepted = frozen.answers(frozen.held_out, frozen.head(list(range(len(words)))))
    return Estimate(
        clips=len(words),
        right=float(right[0].mean()),
        right_int8=float(right[1].mean()),
        others=len(accepted),
        false_accepts=float(np.isin(accepted, frozen.targets).mean()) if len(accepted) else 0.0,
        curve=curve,
        doubled=doubled if doubled is not None and doubled > right[0].mean() else None,
    )


class _FrozenFeatures:
    """What the frozen body makes of every recording, once, and heads trained on parts of it."""

    def __init__(
        self,
        start: Pretrained,
        words: Sequence[Recording],
        others: Sequence[Recording],
        held_out: Sequence[Recording],
        seed: int,
        on_word: Callable[[int], None],
    ) -> None:
        self._start = start
        task, labels = start.task, start.labels
        network = start.network()
        background = [recording for recording in others if recording.long]
        self._inputs, self._augmented = [], []
        for number, word in enumerate(words):
            on_word(number)
            examples = labelled(
                task.augmented([word] * _COPIES + background, labels, seed * 1009 + number)
            )
            self._inputs.append(examples.inputs)
            vectors = latent_replay.vectors(task, network, examples)
            self._augmented.append((vectors, examples.targets))
        seeds = (seed * 1009 + 997, seed * 1009 + 998) if len(others) > len(background) else ()
        rest = [labelled(task.augmented(others, labels, number)) for number in seeds]
        self._others = [
            (latent_replay.vectors(task, network, examples), examples.targets) for examples in rest
        ]
        self._clean = task.examples(words, labels)
        self.targets = self._clean.targets
        self._vectors = latent_replay.vectors(task, network, self._clean)
        held = [np.zeros((0, self._vectors.shape[1]), np.float32)]
        if held_out:
            held.append(latent_replay.vectors(task, network, task.examples(held_out, labels)))
        if start.replay is not None:
            trained_on, kept = start.replay.parts()
            self._others.append((trained_on.vectors, trained_on.targets))
            held.append(kept.vectors[~np.isin(kept.targets, self.targets)])
        self.held_out = np.concatenate(held)
        self._other_inputs = [examples.inputs for examples in rest]

    def head(self, trained_on: Sequence[int]) -> Head:
        """Return a head trained on the words `trained_on` and the others."""
        chosen = [self._augmented[number] for number in trained_on] + self._others
        vectors = np.concatenate([vectors for vectors, _ in chosen])
        targets = np.concatenate([targets for _, targets in chosen])
        return regression(vectors, targets, len(self._start.labels), self._start.others)

    def answers(self, vectors: Array, head: Head) -> npt.NDArray[np.int64]:
        """Return the index of the label that `head` gives each of `vectors` [n, d]."""
        answers: npt.NDArray[np.int64] = (vectors @ head[0] + head[1]).argmax(axis=1)
        return answers

    def right(self, trained_on: Sequence[int], judged: Sequence[int]) -> float:
        """Share of the recordings `judged` that a head recognises that was trained on others."""
        answers = self.answers(self._vectors[list(judged)], self.head(trained_on))
        return float(np.mean(answers == self.targets[list(judged)]))

    def judged(self, fold: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return bool [2, fold]: what a head trained on the rest has right, in float and int8."""
        trained_on = [number for number in range(len(self.targets)) if number not in fold]
        head = self.head(trained_on)
        float_right = self.answers(self._vectors[fold], head) == self.targets[fold]
        network = self._start.network(head)
        inputs = np.concatenate(
            [*(self._inputs[number] for number in trained_on), *self._other_inputs]
        )
        oracle = Oracle(quantize.quantize(self._start.task, network, inputs))
        scores = [oracle.run([self._clean.inputs[[number]]])[0] for number in fold]
        int8_right = np.array([int(one.argmax()) for one in scores]) == self.targets[fold]
        return np.stack([float_right, int8_right])


def _folds(targets: npt.NDArray[np.int64]) -> list[list[int]]:
    """Return the recordings of each fold: of every word as equally many as can be."""
    folds: list[list[int]] = [[] for _ in range(_FOLDS)]
    for label in sorted(set(targets.tolist())):
        for place, number in enumerate(np.flatnonzero(targets == label).tolist()):
            folds[place % _FOLDS].append(number)
    return folds


def _curve(frozen: _FrozenFeatures, draw: np.random.Generator) -> tuple[LearningPoint, ...]:
    """Return the learning curve: heads trained on 1, 2, ... recordings of each word."""
    labels = sorted(set(frozen.targets.tolist()))
    of_label = [np.flatnonzero(frozen.targets == label) for label in labels]
    points = []
    for count in range(1, min(len(numbers) for numbers in of_label)):
        shares = []
        for _ in range(_DRAWS):
            shuffled = [draw.permutation(numbers) for numbers in of_label]
            trained_on = np.concatenate([numbers[:count] for numbers in shuffled])
            judged = np.concatenate([numbers[count:] for numbers in shuffled])
            shares.append(frozen.right(trained_on.tolist(), judged.tolist()))
        points.append(LearningPoint(count, float(np.mean(shares))))
    return tuple(points)


def _doubled(curve: Sequence[LearningPoint], clips: int) -> float | None:
    """Return what twice as many recordings would give: errors fall as a power of their number."""
    if len(curve) < 3:
        return None
    least = 0.5 / (clips * _DRAWS)
    counts = np.log([point.recordings for point in curve])
    errors = np.log([max(1 - point.right, least) for point in curve])
    slope, start = np.polyfit(counts, errors, 1)
    twice = 2 * (curve[-1].recordings + 1)
    error = float(np.exp(start + min(slope, 0.0) * np.log(twice)))
    return 1 - min(error, 1.0)
