"""Fitting a network to recordings: a task, its training recordings and options in, a model out."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.datasets import Recording
from tinyml.errors import ConfigError, DataError
from tinyml.tasks import Examples, Task
from tinyml.training import Options, Progress, tensorflow

_SMOOTHING = 0.1  # share of a target that is spread over all labels
_WEIGHT_DECAY = 0.02
_WARMUP = 0.05  # share of all steps in which the learning rate rises
_AVERAGE_EPOCHS = 3  # the weights that count are an average over about as many epochs

OnProgress = Callable[[Progress], None]


def fit(
    task: Task,
    recordings: Sequence[Recording],
    validation: Examples,
    labels: Sequence[str],
    options: Options,
    on_progress: OnProgress,
    checkpoint: Path,
    resume: bool = False,
) -> Any:
    """Return a trained tf_keras model: real inputs to logits, with averaged weights.

    AdamW with a cosine schedule, label smoothing and an exponential average of the weights, which
    is what is kept. After each epoch the whole state goes to `checkpoint`; with `resume` training
    continues there and ends as it would have without the pause. Raises ConfigError where the
    checkpoint was made with other options or recordings.
    """
    tf = tensorflow()
    import tf_keras

    tf.config.experimental.enable_op_determinism()
    tf_keras.backend.clear_session()  # or names of layers, and so the model, would differ
    tf_keras.utils.set_random_seed(options.seed)
    model = task.build_model(len(labels), options.width)
    identity = {**options.document(), "labels": list(labels), "recordings": len(recordings)}
    run = _Run(tf, task, model, options)
    variants = _Variants(task, recordings, labels, options, on_progress)
    first = 0
    if resume:
        first = run.restore(checkpoint, identity)
    began = time.monotonic()
    for epoch in range(first, options.epochs):
        loss = run.epoch(variants.of(epoch), epoch, len(labels))
        run.save(checkpoint, identity, epoch + 1)
        done = epoch + 1
        left = (time.monotonic() - began) / (done - first) * (options.epochs - done)
        accuracy = run.accuracy(validation) if len(validation.targets) else None
        on_progress(Progress("training", done, options.epochs, loss, accuracy, left))
    run.use_average()
    return model


def real(task: Task, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """Return int8 features as the float network reads them."""
    values: npt.NDArray[np.float32] = (inputs.astype(np.float32) + 128) * task.input_scale
    return values


class _Variants:
    """The augmented examples of each epoch, made when first needed and then kept."""

    def __init__(
        self,
        task: Task,
        recordings: Sequence[Recording],
        labels: Sequence[str],
        options: Options,
        on_progress: OnProgress,
    ) -> None:
        self._task = task
        self._recordings = recordings
        self._labels = labels
        self._options = options
        self._on_progress = on_progress
        self._kept: dict[int, Examples] = {}

    def of(self, epoch: int) -> Examples:
        number = epoch % self._options.variants
        seed = self._options.seed * 100003 + number
        if number not in self._kept:
            self._on_progress(Progress("augmenting", number, self._options.variants))
            self._kept[number] = self._task.augmented(self._recordings, self._labels, seed)
        made = self._kept[number]
        masks = self._options.seed * 100003 + epoch
        return Examples(self._task.mask(made.inputs, masks), made.targets)


class _Run:
    """A model with its optimizer and the average of its weights."""

    def __init__(self, tf: Any, task: Task, model: Any, options: Options) -> None:
        import tf_keras

        self._tf = tf
        self._task = task
        self._model = model
        self._options = options
        self._optimizer = tf_keras.optimizers.AdamW(
            options.learning_rate, weight_decay=_WEIGHT_DECAY
        )
        self._optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self._optimizer.build(model.trainable_variables)
        self._average = [tf.Variable(weight, trainable=False) for weight in model.weights]
        self._step = tf.function(self._train_step, reduce_retracing=True)
        self._answer = tf.function(lambda inputs: model(inputs, training=False))

    def _train_step(self, inputs: Any, targets: Any, rate: Any, decay: Any) -> Any:
        tf = self._tf
        self._optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            logits = self._model(inputs, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        variables = self._model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        for average, weight in zip(self._average, self._model.weights, strict=True):
            average.assign(decay * average + (1 - decay) * weight)
        return loss

    def epoch(self, examples: Examples, epoch: int, labels: int) -> float:
        """Train on every example once, in an order that the epoch alone decides; mean loss."""
        tf = self._tf
        losses = []
        for step, total, rows in self._batches(len(examples.targets), epoch):
            targets = np.full((len(rows), labels), _SMOOTHING / labels, np.float32)
            targets[np.arange(len(rows)), examples.targets[rows]] += 1 - _SMOOTHING
            rate = self._options.learning_rate * _schedule(step / total)
            # Early on the average follows the weights closely, or the start would stay in it.
            steps = total / self._options.epochs * _AVERAGE_EPOCHS
            decay = min(1 - 1 / steps, step / (step + 10)) if steps > 1 else 0.0
            inputs = real(self._task, examples.inputs[rows])
            arguments = (inputs, targets, np.float32(rate), np.float32(decay))
            losses.append(self._step(*(tf.constant(one) for one in arguments)))
        return float(np.mean([float(loss) for loss in losses]))

    def _batches(self, count: int, epoch: int) -> Iterator[tuple[int, int, npt.NDArray[np.int64]]]:
        """Yield (step since the start, steps in all, rows); the last rows of an epoch wait."""
        size = min(self._options.batch_size, count)
        order = np.random.default_rng([self._options.seed, 3, epoch]).permutation(count)
        per_epoch = count // size
        for number in range(per_epoch):
            rows = order[number * size : (number + 1) * size]
            yield epoch * per_epoch + number, per_epoch * self._options.epochs, rows

    def accuracy(self, examples: Examples) -> float:
        """Share of `examples` that the averaged weights get right."""
        current = self._model.get_weights()
        self.use_average()
        logits = self._answer(self._tf.constant(real(self._task, examples.inputs))).numpy()
        self._model.set_weights(current)
        return float(np.mean(logits.argmax(axis=1) == examples.targets))

    def use_average(self) -> None:
        self._model.set_weights([average.numpy() for average in self._average])

    def _state(self) -> list[Any]:
        return [*self._model.weights, *self._optimizer.variables, *self._average]

    def save(self, path: Path, identity: Mapping[str, Any], epoch: int) -> None:
        arrays = {f"v{number}": one.numpy() for number, one in enumerate(self._state())}
        about = json.dumps({"identity": identity, "epoch": epoch})
        temporary = path.with_name(f".{path.name}.{os.getpid()}.npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(temporary, about=np.array(about), **arrays)
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise ConfigError(
                f"cannot write the checkpoint {path}: {error.strerror or error}",
                "name another folder with --out",
            ) from error

    def restore(self, path: Path, identity: Mapping[str, Any]) -> int:
        """Take up the state in `path`; return how many epochs were done."""
        try:
            with np.load(path, allow_pickle=False) as loaded:
                arrays = dict(loaded.items())
            about = json.loads(str(arrays["about"]))
            state = self._state()
            found, epoch = dict(about["identity"]), int(about["epoch"])
            other = [name for name in identity if found.get(name) != identity[name]]
            if other:
                raise ConfigError(
                    f"{path} was made with other options or recordings: "
                    + ", ".join(f"{name} {found.get(name)}" for name in other),
                    "resume with the same ones, or train from the start without --resume",
                )
            for number, variable in enumerate(state):
                variable.assign(arrays[f"v{number}"])
            return epoch
        except FileNotFoundError as error:
            raise ConfigError(
                f"there is nothing to resume: {path} does not exist", "train without --resume"
            ) from error
        except (OSError, ValueError, KeyError) as error:
            raise DataError(
                f"{path} is no usable checkpoint: {error}", "train without --resume"
            ) from error


def _schedule(progress: float) -> float:
    """Learning rate as a share of its peak: a short rise, then a cosine to nearly nothing."""
    if progress < _WARMUP:
        return (progress + 1e-3) / _WARMUP
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - _WARMUP) / (1 - _WARMUP)))
