"""A pause changes nothing, also where the network drops values at random."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml import tasks
from tinyml.errors import ModelError
from tinyml.tasks import Examples
from tinyml.training import Options, Progress, RunOptions, distribution, fit
from tinyml.training.learner import Learner, Stage

pytestmark = pytest.mark.needs_tensorflow
LABELS = ("a", "b", "c")
OPTIONS = Options(epochs=2, batch_size=8, width=0.1, variants=1)


def _fit(path: Path, stop: bool = False, resume: bool = False) -> Any:
    """Return the weights that the network of `stroke` ends with on random examples."""
    draw = np.random.default_rng(2)
    task = tasks.load("stroke")
    inputs = draw.integers(-128, 128, (24, *task.input_shape), np.int8)
    made = Examples(inputs, draw.integers(0, len(LABELS), 24))
    task = dataclasses.replace(task, augmented=lambda *_: made)

    def interrupt(progress: Progress) -> None:
        if stop and (progress.stage, progress.done) == ("training", 1):
            raise KeyboardInterrupt

    stage = Stage("training", 2, 1e-2, lambda _: task.build_model(len(LABELS), OPTIONS.width))
    watched = Examples(inputs[:0], made.targets[:0])
    material = fit.TrainingExamples(task, (), LABELS, watched)
    cluster = distribution.join(distribution.NONE)
    return fit.fit(material, [stage], OPTIONS, RunOptions(resume), cluster, path, {}, interrupt)[0]


def test_a_pause_changes_nothing_where_values_are_dropped(tmp_path: Path) -> None:
    expected = _fit(tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        _fit(tmp_path / "paused", stop=True)
    for found, wanted in zip(_fit(tmp_path / "paused", resume=True), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def _learner(kind: str) -> Learner:
    """Return what trains a network with two random layers of 1,000 values beside each other."""
    from tf_keras import Model, layers

    def network(_: Any) -> Any:
        inputs = layers.Input((1000,))
        outputs = [getattr(layers, kind)(0.5)(inputs) for _ in range(2)]
        return Model(inputs, layers.Concatenate()(outputs))

    cluster = distribution.join(distribution.NONE)
    return Learner(tasks.load("stroke"), Stage("training", 1, 1e-2, network), [], OPTIONS, cluster)


def test_layers_and_steps_drop_other_values() -> None:
    learner = _learner("Dropout")
    ones = np.ones((1, 1000), np.float32)
    first = learner._model(ones, training=True).numpy()
    assert 900 < np.count_nonzero(first) < 1100
    assert not np.array_equal(*np.split(first, 2, axis=1))
    np.testing.assert_array_equal(learner._model(ones, training=True), first)
    learner._optimizer.iterations.assign_add(1)
    assert not np.array_equal(learner._model(ones, training=True), first)


def test_a_layer_that_would_go_on_otherwise_after_a_pause_is_refused() -> None:
    with pytest.raises(ModelError, match="random_normal, which would differ after a pause"):
        _learner("GaussianNoise")._model(np.ones((1, 1000), np.float32), training=True)
