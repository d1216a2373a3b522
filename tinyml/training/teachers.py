"""Teachers of distillation: finished models whose answers a student learns (Hinton et al. 2015).

Models and examples in, the probabilities of labels out. A teacher runs as the C of the compiled
runtime, built for this machine: many times faster than the interpreter, with the same answers.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import files, paths, runtimes
from tinyml.errors import ConfigError, ModelError
from tinyml.firmware import boards
from tinyml.model import bundle, host_library, npz
from tinyml.records import Bundle, TensorInfo
from tinyml.tasks import Examples, Features

Probabilities = npt.NDArray[np.float32]
Teach = Callable[[Examples], Probabilities]


@dataclass(frozen=True)
class Teacher:
    """A model that answers for a task's labels. `model` is what `bundle.load` found."""

    model: Bundle
    input: TensorInfo
    output: TensorInfo
    run: Callable[[Sequence[Any]], Sequence[Any]]

    def log_probabilities(self, examples: Examples) -> npt.NDArray[np.float64]:
        """Return what the model says of each example, [n, labels], rounded as int8 scores are."""
        answers = self._answers(self._inputs(examples))
        # Half a step more: a score of nothing is less than a step, but is not nothing.
        shares = (answers.astype(np.float64) - self.output.zero_point + 0.5) * self.output.scale
        logs: npt.NDArray[np.float64] = np.log(shares / shares.sum(axis=1, keepdims=True))
        return logs

    def _answers(self, inputs: Features) -> Features:
        """Return the scores, int8 [n, labels]; the same examples are asked about once.

        Answers are kept under `paths.cache()`, so that what is resumed or repeated starts at once.
        """
        digest = hashlib.sha256(inputs.tobytes()).hexdigest()
        file = paths.cache() / "teachers" / self.model.sha256[:16] / f"{digest[:32]}.npy"
        shape = (len(inputs), int(np.prod(self.output.shape)))
        with contextlib.suppress(OSError, ValueError):
            known = npz.arrays(file, "answers")["answers"]
            if known.shape == shape and known.dtype == np.int8:
                return known
        answers = np.empty(shape, np.int8)
        for example, answer in zip(inputs, answers, strict=True):
            answer[:] = self.run([example[np.newaxis]])[0].ravel()
        contents = io.BytesIO()
        np.save(contents, answers)
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write(file, contents.getvalue())
        return answers

    def _inputs(self, examples: Examples) -> Features:
        for inputs in (examples.inputs, examples.colour):
            if inputs is not None and inputs[0].size == np.prod(self.input.shape):
                return inputs
        raise ConfigError(
            f"the teacher {self.model.name} takes {list(self.input.shape)}, which this task's "
            "examples are not",
            "name a model of the same task",
        )


def load(names: Sequence[str], labels: Sequence[str]) -> list[Teacher]:
    """Return the models `names` as teachers of `labels`.

    Each is a shipped name, a bundle or a `.tflite` file; a file says no labels and is taken to have
    them in the same order. Raises ConfigError for one that answers for other labels, has other
    than int8 tensors, or is unknown.
    """
    return [_teacher(bundle.load(name), labels) for name in names]


def soft_labels(teachers: Sequence[Teacher], examples: Examples) -> Probabilities:
    """Return the answer of all teachers, float32 [n, labels]: the normalized geometric mean."""
    mean = np.mean([teacher.log_probabilities(examples) for teacher in teachers], axis=0)
    shares = np.exp(mean - mean.max(axis=1, keepdims=True))
    answer: Probabilities = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return answer


def _teacher(model: Bundle, labels: Sequence[str]) -> Teacher:
    if model.labels and model.labels != tuple(labels):
        raise ConfigError(
            f"the teacher {model.name} knows {', '.join(model.labels)}, the recordings are of "
            f"{', '.join(labels)}",
            "name a model with the same labels",
        )
    source = runtimes.load(runtimes.standing_alone()).generate(model, boards.load(boards.DEFAULT))
    tensors = (*source.inputs, *source.outputs)
    if len(tensors) != 2 or any(tensor.dtype != "int8" for tensor in tensors):
        raise ModelError(f"{model.name} cannot teach: it is no int8 model with one input")
    input_, output = tensors
    if np.prod(output.shape) != len(labels):
        raise ConfigError(
            f"the teacher {model.name} has {np.prod(output.shape)} scores, there are "
            f"{len(labels)} labels",
            "name a model with the same labels",
        )
    return Teacher(model, input_, output, host_library.HostModel(source).run)
