"""Fitting a network to recordings: a task, its training recordings and options in, a model out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Recording
from tinyml.errors import DataError
from tinyml.tasks import Examples, Task
from tinyml.training import Conduct, OnProgress, Options, Progress, checkpoint, tensorflow
from tinyml.training.checkpoint import State
from tinyml.training.distribution import Cluster
from tinyml.training.events import Events
from tinyml.training.latent_replay import labelled
from tinyml.training.learner import Array, Learner, Stage, schedule


@dataclass(frozen=True)
class Material:
    """What is learned: a task, recordings with their labels, and examples to watch progress by.

    `teach` returns what teachers say of examples, probabilities [n, labels].
    """

    task: Task
    recordings: Sequence[Recording]
    labels: tuple[str, ...]
    validation: Examples
    teach: Callable[[Examples], npt.NDArray[np.float32]] | None = None

    def examples(self, seed: int, variant: int) -> Examples:
        """Return augmented examples with what teachers say of them; without, the labelled ones."""
        made = self.task.augmented(self.recordings, self.labels, seed * 100003 + variant)
        if self.teach is not None:
            return replace(made, colour=None, taught=self.teach(made))
        return labelled(made)


def fit(
    material: Material,
    stages: Sequence[Stage],
    options: Options,
    conduct: Conduct,
    cluster: Cluster,
    path: Path,
    identity: Mapping[str, Any],
    on_progress: OnProgress,
) -> list[Sequence[Array]]:
    """Go through `stages` and return the weights that each ended with.

    After each epoch the whole state goes to the checkpoint `path`; with `conduct.resume` training
    continues there and ends as it would have without the pause. Raises ConfigError where another
    `identity` made the checkpoint; without `conduct.resume` that is moved aside, which the progress
    notes, and ConfigError is raised where the same `identity` made it.
    """
    tf = tensorflow()
    import tf_keras

    tf.config.experimental.enable_op_determinism()
    state = checkpoint.load(path, identity) if conduct.resume else State()
    if not conduct.resume and cluster.chief:
        _make_room(path, identity, on_progress)
    results = list(state.results)
    variants = _Variants(material, options, on_progress)
    events = Events(conduct.tensorboard if cluster.chief else None)
    for number, stage in enumerate(stages[state.stage :], state.stage):
        tf_keras.backend.clear_session()  # or names of layers would depend on what was before
        tf_keras.utils.set_random_seed(options.seed + number)
        learner = Learner(material.task, stage, results, options, cluster)
        first = 0
        if number == state.stage and state.epoch:
            first = state.epoch
            _restore(learner, state, path)
        began = time.monotonic()
        for epoch in range(first, stage.epochs):
            loss = learner.epoch(variants.of(epoch), epoch, len(material.labels))
            done = epoch + 1
            kept = State(number, done, learner.state(), results)
            if cluster.chief:
                checkpoint.save(path, identity, kept)
            left = (time.monotonic() - began) / (done - first) * (stage.epochs - done)
            watched = len(material.validation.targets) > 0
            accuracy = learner.accuracy(material.validation) if watched else None
            progress = Progress(stage.name, done, stage.epochs, loss, accuracy, left)
            events.add(progress, stage.learning_rate * schedule(epoch / stage.epochs))
            on_progress(progress)
        results.append(learner.result())
    return results


def _make_room(path: Path, identity: Mapping[str, Any], on_progress: OnProgress) -> None:
    if (aside := checkpoint.make_room(path, identity)) is not None:
        note = (
            f"what another training with this --out had learned is kept: {aside} "
            f"(to go on with it: mv {aside} {path}, and its own options with --resume)"
        )
        on_progress(Progress("beginning", 0, 1, note=note))


def _restore(learner: Learner, state: State, path: Path) -> None:
    try:
        learner.restore(state.variables)
    except ValueError as error:
        raise DataError(
            f"{path} is no usable checkpoint: {error}", "train without --resume"
        ) from error


class _Variants:
    """The augmented examples of each epoch, made when first needed and then kept."""

    def __init__(self, material: Material, options: Options, on_progress: OnProgress) -> None:
        self._material = material
        self._options = options
        self._on_progress = on_progress
        self._kept: dict[int, Examples] = {}

    def of(self, epoch: int) -> Examples:
        number, seed = epoch % self._options.variants, self._options.seed
        if number not in self._kept:
            self._on_progress(Progress("augmenting", number, self._options.variants))
            self._kept[number] = self._material.examples(seed, number)
        made = self._kept[number]
        return replace(made, inputs=self._material.task.mask(made.inputs, seed * 100003 + epoch))
