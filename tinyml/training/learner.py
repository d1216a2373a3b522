"""One stage of training by stochastic gradient descent: a network and examples in, weights out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.errors import ModelError
from tinyml.tasks import UNLABELLED, Examples, Task
from tinyml.training import Options, tensorflow
from tinyml.training.distribution import Cluster

_SMOOTHING = 0.1  # share of a target that is spread over all labels
_SOFT = 0.9  # share of a target that is the teachers' answer, where there are any
_WEIGHT_DECAY = 0.02
_WARMUP = 0.05  # share of all steps in which the learning rate rises
_AVERAGE_EPOCHS = 3  # the weights that count are an average over about as many epochs

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Stage:
    """A part of training: `epochs` with a peak `learning_rate`, named in the progress.

    `build(results)` makes its tf_keras model, real inputs to logits, from the weights that the
    stages before it ended with. `replay` are vectors [n, d] for its last layer and their labels:
    half as many as examples in each step, so that what they stand for is not forgotten.
    `teach(results)` makes what turns real inputs and targets of their labels into targets to learn;
    see `distill`.
    """

    name: str
    epochs: int
    learning_rate: float
    build: Callable[[Sequence[Sequence[Array]]], Any]
    replay: tuple[Array, Array] | None = None
    teach: Callable[[Sequence[Sequence[Array]]], Callable[[Array, Array], Array]] | None = None


class Learner:
    """A model with its optimizer and the average of its weights, on one machine or a cluster.

    AdamW with a cosine schedule, label smoothing and an exponential average of the weights, which
    is what counts. Each replica takes its share of a batch and the gradients are added up.
    """

    def __init__(
        self,
        task: Task,
        stage: Stage,
        results: Sequence[Sequence[Array]],
        options: Options,
        cluster: Cluster,
    ) -> None:
        self._tf = tensorflow()
        self._task = task
        self._stage = stage
        self._options = options
        self._cluster = cluster
        self._plain = stage.build(results)  # holds the averaged weights where they are tried
        with cluster.strategy.scope():
            self._model = stage.build(results)
            if cluster.replicas > 1:
                self._model = _synchronized(self._model)
            self._model.set_weights(self._plain.get_weights())
            self._optimizer = self._made_optimizer()
            self._average = [self._averaged(weight) for weight in self._model.weights]
        _draw_by_step(self._model, self._optimizer.iterations, [options.seed, 5, len(results)])
        self._teach = stage.teach(results) if stage.teach is not None else None
        self._step = self._tf.function(self._one_step, reduce_retracing=True)
        self._answer = self._tf.function(lambda inputs: self._plain(inputs, training=False))

    def _made_optimizer(self) -> Any:
        import tf_keras

        optimizer = tf_keras.optimizers.AdamW(self._stage.learning_rate, weight_decay=_WEIGHT_DECAY)
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        optimizer.build(self._model.trainable_variables)
        return optimizer

    def _averaged(self, weight: Any) -> Any:
        tf = self._tf
        return tf.Variable(weight, trainable=False, aggregation=tf.VariableAggregation.MEAN)

    def _one_step(self, batch: Any, rate: Any, decay: Any) -> Any:
        strategy = self._cluster.strategy
        losses = strategy.run(self._replica_step, args=(batch, rate))
        for average, weight in zip(self._average, self._model.weights, strict=True):
            if weight.dtype.is_floating:
                average.assign(decay * average + (1 - decay) * weight)
            else:
                average.assign(weight)
        return strategy.reduce(self._tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _replica_step(self, batch: Any, rate: Any) -> Any:
        """Learn from this replica's part of a batch; return its part of the mean loss.

        `batch` is inputs and targets, then, with replay, vectors for the last layer and targets.
        """
        tf = self._tf
        inputs, targets, *replay = batch
        self._optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            logits = self._model(inputs, training=True)
            losses = tf.nn.softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(losses) / self._cluster.replicas
            if replay:
                logits = self._model.layers[-1](replay[0])
                losses = tf.nn.softmax_cross_entropy_with_logits(replay[1], logits)
                loss += tf.reduce_mean(losses) / self._cluster.replicas
        variables = self._model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    def epoch(self, examples: Examples, epoch: int, labels: int) -> float:
        """Train on every example once, in an order that the epoch alone decides; mean loss."""
        tf = self._tf
        losses = []
        for step, total, rows in self._batches(len(examples.targets), epoch):
            inputs = real(self._task, examples.inputs[rows])
            targets = soft_targets(examples, rows, labels)
            if self._teach is not None:
                targets = self._teach(inputs, targets)
            batch = [inputs, targets]
            batch += self._replayed(len(rows) // 2, step, labels)
            rate = self._stage.learning_rate * schedule(step / total)
            # Early on the average follows the weights closely, or the start would stay in it.
            steps = total / self._stage.epochs * _AVERAGE_EPOCHS
            decay = min(1 - 1 / steps, step / (step + 10)) if steps > 1 else 0.0
            numbers = (tf.constant(np.float32(value)) for value in (rate, decay))
            losses.append(self._step([self._divided(array) for array in batch], *numbers))
        return float(np.mean([float(loss) for loss in losses]))

    def _replayed(self, count: int, step: int, labels: int) -> list[Array]:
        """Return vectors and targets of what is replayed in a step: all labels equally often."""
        if self._stage.replay is None:
            return []
        vectors, targets = self._stage.replay
        count = max(1, count // self._cluster.replicas) * self._cluster.replicas
        share = 1 / np.bincount(targets)[targets]
        draw = np.random.default_rng([self._options.seed, 4, step])
        rows = draw.choice(len(targets), count, p=share / share.sum())
        return [vectors[rows], _soft(targets[rows], labels)]

    def _divided(self, batch: Array) -> Any:
        """Return `batch` with an equal part for each replica."""
        replicas = self._cluster.replicas
        if replicas == 1:
            return self._tf.constant(batch)
        parts = np.split(batch, replicas)

        def share(context: Any) -> Any:
            return self._tf.constant(parts[context.replica_id_in_sync_group])

        return self._cluster.strategy.experimental_distribute_values_from_function(share)

    def _batches(self, count: int, epoch: int) -> Iterator[tuple[int, int, npt.NDArray[np.int64]]]:
        """Yield (step since the start, steps in all, rows); the last rows of an epoch wait."""
        replicas = self._cluster.replicas
        size = max(replicas, min(self._options.batch_size, count) // replicas * replicas)
        order = np.random.default_rng([self._options.seed, 3, epoch]).permutation(count)
        per_epoch = count // size
        for number in range(per_epoch):
            rows = order[number * size : (number + 1) * size]
            yield epoch * per_epoch + number, per_epoch * self._stage.epochs, rows

    def accuracy(self, examples: Examples) -> float:
        """Share of `examples` that the averaged weights get right."""
        self._plain.set_weights(self.result())
        logits = self._answer(self._tf.constant(real(self._task, examples.inputs))).numpy()
        return float(np.mean(logits.argmax(axis=1) == examples.targets))

    def result(self) -> list[Array]:
        """Return the averaged weights, in the model's order."""
        return [average.numpy() for average in self._average]

    def _variables(self) -> list[Any]:
        return [*self._model.weights, *self._optimizer.variables, *self._average]

    def state(self) -> list[Array]:
        """Return everything that decides how training goes on; all workers must ask for it."""
        return [variable.numpy() for variable in self._variables()]

    def restore(self, state: Sequence[Array]) -> None:
        """Take up what `state` returned; raises ValueError where it is that of another network."""
        for variable, value in zip(self._variables(), state, strict=True):
            variable.assign(value)


def soft_targets(
    examples: Examples, rows: npt.NDArray[np.int64], labels: int
) -> npt.NDArray[np.float32]:
    """Return what the network should answer: the labels, smoothed, mixed with what teachers say."""
    known = examples.targets[rows]
    soft = _soft(known, labels)
    if examples.soft_labels is None:
        return soft
    share = np.where(known == UNLABELLED, 1, _SOFT).astype(np.float32)[:, np.newaxis]
    if examples.certain is not None:
        share[examples.certain[rows]] = 0
    return (1 - share) * soft + share * examples.soft_labels[rows]


def _soft(targets: Array, labels: int) -> npt.NDArray[np.float32]:
    """Return smoothed targets [n, labels]."""
    soft = np.full((len(targets), labels), _SMOOTHING / labels, np.float32)
    soft[np.arange(len(targets)), targets] += 1 - _SMOOTHING
    return soft


def _synchronized(model: Any) -> Any:
    """Return a copy of `model` whose batch statistics span all replicas."""
    import tf_keras

    def copied(layer: Any) -> Any:
        config = layer.get_config()
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            config["synchronized"] = True
        return layer.__class__.from_config(config)

    return tf_keras.models.clone_model(model, clone_function=copied)


class _DropoutSeeds:
    """What a layer drops in a step of training: decided by `seed` and the step's number alone.

    It takes the place of Keras' generator, which counts from the start of the process: training
    would go on otherwise after a pause than without one. `steps` is the variable that counts them.
    """

    def __init__(self, steps: Any, seed: int) -> None:
        self._steps = steps
        self._seed = seed

    def dropout(self, inputs: Any, rate: float, noise_shape: Any = None) -> Any:
        tf = tensorflow()
        context = tf.distribute.get_replica_context()
        replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
        seed = tf.stack([tf.constant(self._seed, tf.int64) + replica, self._steps])
        return tf.nn.experimental.stateless_dropout(inputs, rate, seed, noise_shape=noise_shape)

    def __getattr__(self, name: str) -> Any:
        raise ModelError(
            f"the network draws random numbers by {name}, which would differ after a pause",
            "use layers.Dropout",
        )


def _draw_by_step(model: Any, steps: Any, seed: Sequence[int]) -> None:
    """Let what each random layer of `model` draws depend on `seed` and the value of `steps`."""
    layers = [layer for layer in model.submodules if hasattr(layer, "_random_generator")]
    for number, layer in enumerate(layers):
        layer_seed = np.random.default_rng([*seed, number]).integers(2**62)
        layer._random_generator = _DropoutSeeds(steps, int(layer_seed))


def real(task: Task, inputs: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """Return int8 features as the float network reads them."""
    values: npt.NDArray[np.float32] = (inputs.astype(np.float32) + 128) * task.input_scale
    return values


def schedule(progress: float) -> float:
    """Learning rate as a share of its peak: a short rise, then a cosine to nearly nothing."""
    if progress < _WARMUP:
        return (progress + 1e-3) / _WARMUP
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - _WARMUP) / (1 - _WARMUP)))
