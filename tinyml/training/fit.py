"""The training loop: stages and training recordings in, learned weights out, with checkpoints."""

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
from tinyml.training import OnProgress, Options, Progress, RunOptions, checkpoint, tensorflow
from tinyml.training.checkpoint import State
from tinyml.training.distribution import Cluster
from tinyml.training.events import Events
from tinyml.training.latent_replay import labelled
from tinyml.training.learner import Array, Learner, Stage, schedule


@dataclass(frozen=True)
class TrainingExamples:
    """Augmented examples of a task's `recordings`, and `validation` examples to watch progress by.

    `soft_labels` returns what teachers say of examples, probabilities float32 [n, labels].
    """

    task: Task
    recordings: Sequence[Recording]
    labels: tuple[str, ...]
    validation: Examples
    soft_labels: Callable[[Examples], npt.NDArray[np.float32]] | None = None

    def variant(self, seed: int, number: int) -> Examples:
        """Return examples augmented anew, with soft labels; without teachers, the labelled ones."""
        made = self.task.augmented(self.recordings, self.labels, seed * 100003 + number)
        if self.soft_labels is not None:
            return replace(made, colour=None, soft_labels=self.soft_labels(made))
        return labelled(made)


def fit(
    examples: TrainingExamples,
    stages: Sequence[Stage],
    options: Options,
    run_options: RunOptions,
    cluster: Cluster,
    path: Path,
    identity: Mapping[str, Any],
    on_progress: OnProgress,
) -> list[Sequence[Array]]:
    """Go through `stages` and return the weights that each ended with.

    After each epoch the whole state goes to the checkpoint `path`; with `run_options.resume`
    training continues there and ends as it would have without the pause. Raises ConfigError where
    another `identity` made the checkpoint; without `run_options.resume` that is moved aside, which
    the progress notes, and ConfigError is raised where the same `identity` made it.
    """
    tf = tensorflow()
    import tf_keras

    tf.config.experimental.enable_op_determinism()
    state = checkpoint.load(path, identity) if run_options.resume else State()
    if not run_options.resume and cluster.chief:
        _make_room(path, identity, on_progress)
    results = list(state.results)
    variants = _Variants(examples, options, on_progress)
    events = Events(run_options.tensorboard if cluster.chief else None)
    for number, stage in enumerate(stages[state.stage :], state.stage):
        tf_keras.backend.clear_session()  # or names of layers would depend on what was before
        tf_keras.utils.set_random_seed(options.seed + number)
        learner = Learner(examples.task, stage, results, options, cluster)
        first = 0
        if number == state.stage and state.epoch:
            first = state.epoch
            _restore(learner, state, path)
        began = time.monotonic()
        for epoch in range(first, stage.epochs):
            loss = learner.epoch(variants.of(epoch), epoch, len(examples.labels))
            done = epoch + 1
            reached = State(number, done, learner.state(), results)
            if cluster.chief:
                checkpoint.save(path, identity, reached)
            left = (time.monotonic() - began) / (done - first) * (stage.epochs - done)
            validated = len(examples.validation.targets) > 0
            accuracy = learner.accuracy(examples.validation) if validated else None
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

    def __init__(
        self, examples: TrainingExamples, options: Options, on_progress: OnProgress
    ) -> None:
        self._examples = examples
        self._options = options
        self._on_progress = on_progress
        self._kept: dict[int, Examples] = {}

    def of(self, epoch: int) -> Examples:
        number, seed = epoch % self._options.variants, self._options.seed
        if number not in self._kept:
            self._on_progress(Progress("augmenting", number, self._options.variants))
            self._kept[number] = self._examples.variant(seed, number)
        made = self._kept[number]
        return replace(made, inputs=self._examples.task.mask(made.inputs, seed * 100003 + epoch))
