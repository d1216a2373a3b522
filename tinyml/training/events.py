"""Event files for TensorBoard: numbers by name and epoch in, a file that it reads out.

Written through TensorFlow alone; only looking at them needs the tensorboard package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyml.errors import ConfigError
from tinyml.training import Progress, tensorflow


class Events:
    """A log in `folder`; with None nothing is written. Raises ConfigError where it cannot be."""

    def __init__(self, folder: Path | None) -> None:
        self._tf = tensorflow()
        self._writer: Any = None
        if folder is None:
            return
        try:
            self._writer = self._tf.summary.create_file_writer(str(folder))
            self._writer.flush()
        except self._tf.errors.OpError as error:
            raise ConfigError(
                f"cannot write TensorBoard logs to {folder}: {error.message}",
                "name another folder with --tensorboard",
            ) from error

    def add(self, progress: Progress, rate: float) -> None:
        """Log an epoch: its loss, accuracy on the validation part and learning rate."""
        if self._writer is None:
            return
        values = {
            f"{progress.stage}/loss": progress.loss,
            f"{progress.stage}/accuracy": progress.accuracy,
            f"{progress.stage}/learning_rate": rate,
        }
        summary = self._tf.compat.v1.Summary
        entries = [
            summary.Value(tag=tag, simple_value=value)
            for tag, value in values.items()
            if value is not None
        ]
        with self._writer.as_default():
            self._tf.summary.experimental.write_raw_pb(
                summary(value=entries).SerializeToString(), step=progress.done
            )
        self._writer.flush()
