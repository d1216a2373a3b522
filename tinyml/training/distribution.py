"""Training on several machines or chips, with TensorFlow's own distribution (`tf.distribute`).

Strategies: `none`; `mirrored`, all chips of this machine; `multiworker`, one process per machine,
each told of the others by TF_CONFIG, as TensorFlow documents it:

    TF_CONFIG='{"cluster": {"worker": ["10.0.0.1:4000", "10.0.0.2:4000"]},
                "task": {"type": "worker", "index": 0}}'

Every worker has all recordings and takes its share of each batch, so that one step sees the same
examples however many share it. Statistics of batch normalization are taken over the whole batch.
Worker 0 is the chief: it alone writes files.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from tinyml.errors import ConfigError, ToolError, nearest
from tinyml.training import silenced, tensorflow

NONE, MIRRORED, MULTIWORKER = "none", "mirrored", "multiworker"
NAMES = (NONE, MIRRORED, MULTIWORKER)
_EXAMPLE = (
    """TF_CONFIG='{"cluster": {"worker": ["host1:4000", "host2:4000"]}, """
    """"task": {"type": "worker", "index": 0}}'"""
)


@dataclass(frozen=True)
class Cluster:
    """Those who train together: a tf.distribute strategy, and whether this process is the chief."""

    strategy: Any
    worker: int = 0

    @property
    def chief(self) -> bool:
        """Whether this process writes the files."""
        return self.worker == 0

    @property
    def replicas(self) -> int:
        """How many parts a batch is divided into."""
        return int(self.strategy.num_replicas_in_sync)


def check(name: str, qat: bool = False) -> None:
    """Raise ConfigError for a strategy that `join` does not know, without loading TensorFlow.

    So it does for a TF_CONFIG that is missing or makes no sense, and where quantization-aware
    training (`qat`), which works on one chip only, is to be distributed.
    """
    if name not in NAMES:
        raise ConfigError(f"there is no strategy {name!r}", nearest(name, NAMES))
    if qat and name != NONE:
        raise ConfigError(
            f"--qat cannot be combined with --strategy {name}",
            "train on one machine, or without --qat",
        )
    if name == MULTIWORKER:
        _worker()


def join(name: str) -> Cluster:
    """Return the cluster that `name` and TF_CONFIG describe; waits for its other workers.

    Must come before anything else is done with TensorFlow. Raises ConfigError for a TF_CONFIG that
    is missing or makes no sense, ToolError where the workers do not meet.
    """
    tf = tensorflow()
    if name == NONE:
        return Cluster(tf.distribute.get_strategy())
    if name == MIRRORED:
        with silenced():
            # Without devices named, TensorFlow would take one CPU even where it is told of several.
            chips = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
            return Cluster(tf.distribute.MirroredStrategy([chip.name for chip in chips]))
    worker = _worker()
    try:
        with silenced():
            return Cluster(tf.distribute.MultiWorkerMirroredStrategy(), worker)
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        raise ToolError(
            f"the workers of TF_CONFIG did not meet: {error}",
            "start the same command on each of them, with its own index",
        ) from error


def _worker() -> int:
    """Return the index of this process in TF_CONFIG."""
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        workers, task = list(config["cluster"]["worker"]), config["task"]
        index = int(task["index"])
        if task["type"] != "worker" or not 0 <= index < len(workers):
            raise ValueError(f"task {task['type']} {index} of {len(workers)} workers")
    except (ValueError, KeyError, TypeError) as error:
        what = f"TF_CONFIG makes no sense ({error!r}): {text!r}" if text else "TF_CONFIG is not set"
        raise ConfigError(f"strategy multiworker: {what}", _EXAMPLE) from error
    return index
