"""One worker of a shared training: python worker.py STRATEGY OUT; TF_CONFIG names the others."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from tinyml.tasks import Examples
from tinyml.training import Options, distribution
from tinyml.training.learner import Learner, Stage

EPOCHS = 4


def _network(_: Any) -> Any:
    import tf_keras
    from tf_keras import layers

    tf_keras.utils.set_random_seed(1)
    inputs = layers.Input((8, 8, 1))
    tensor = layers.Conv2D(4, 3, use_bias=False)(inputs)
    tensor = layers.ReLU()(layers.BatchNormalization()(tensor))
    return tf_keras.Model(inputs, layers.Dense(2)(layers.Flatten()(tensor)))


def losses(strategy: str) -> tuple[bool, dict[str, Any]]:
    """Train on examples that are the same everywhere; whether this is the chief, and what came."""
    if strategy == "mirrored":  # two chips, as far as TensorFlow can see
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
    cluster = distribution.join(strategy)
    assert cluster.replicas == (1 if strategy == "none" else 2)
    draw = np.random.default_rng(1)
    targets = draw.integers(0, 2, 48)
    inputs = draw.integers(-128, 100, (48, 8, 8, 1))
    inputs[targets == 1, :4] += 27
    examples = Examples(inputs.astype(np.int8), targets)
    task: Any = SimpleNamespace(input_scale=1 / 32)
    stage = Stage("training", EPOCHS, 1e-2, _network)
    learner = Learner(task, stage, [], Options(batch_size=16), cluster)
    curve = [learner.epoch(examples, epoch, 2) for epoch in range(EPOCHS)]
    weights = {f"w{number}": one for number, one in enumerate(learner.result())}
    return cluster.chief, {"losses": np.array(curve), **weights}


if __name__ == "__main__":
    chief, found = losses(sys.argv[1])
    if chief:
        np.savez(Path(sys.argv[2]), **found)
