"""The training recipe: split recordings and options in, the stages of training and a bundle out.

Float training with distillation from teachers, or fine-tuning of a pretrained network with latent
replay, or a new head alone (transfer learning); then quantization, after training or aware of it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyml import __version__, tasks
from tinyml.datasets import check, public
from tinyml.model import bundle as bundles
from tinyml.model import leakage, metrics
from tinyml.model.fingerprint import golden, quantization
from tinyml.records import Accuracy, Card, DataSource, LayerNoise, ModelReference
from tinyml.tasks import Features, Task
from tinyml.training import (
    Options,
    cross_validation,
    distill,
    fit,
    latent_replay,
    layer_noise,
    logit_adjust,
    qat,
    quantize,
    restore,
    split,
    teachers,
    transfer,
)
from tinyml.training.learner import Array, Stage
from tinyml.training.split import TrainingData

_PROBED = 16  # recordings whose examples show whether others would be made today


@dataclass(frozen=True)
class Recipe:
    """How a network is trained on `data`: its stages, and what becomes of their results.

    `results` are the weights that each stage ended with, as `fit.fit` returns them; `ensemble` are
    the finished models that distillation learns from.
    """

    task_name: str
    task: Task
    data: TrainingData
    options: Options
    ensemble: Sequence[teachers.Teacher]

    @functools.cached_property
    def examples(self) -> fit.TrainingExamples:
        """The examples that the stages train on and are validated with."""
        task, data = self.task, self.data
        validation = split.examples(task, data.validation, data.labels)
        label = functools.partial(teachers.soft_labels, self.ensemble) if self.ensemble else None
        return fit.TrainingExamples(task, data.trained_on, data.labels, validation, label)

    def stages(self) -> list[Stage]:
        """Return the float stages, and with --qat the one that trains with int8 rounding."""
        options, labels = self.options, len(self.data.labels)
        pretrained = self.pretrained
        if pretrained is not None and self.data.head_only:
            return []
        if pretrained is None:
            stages = [
                *distill.teachers(self.task, labels, options),
                Stage(
                    "training",
                    options.epochs,
                    options.learning_rate,
                    lambda _: self._network(None),
                    teach=distill.student(self.task, labels, options),
                ),
            ]
        else:
            replay = None
            if pretrained.replay is not None and not pretrained.same_labels:
                replay = pretrained.replay.vectors, pretrained.replay.targets
            rate = options.learning_rate / transfer.FINE_TUNING
            stages = [
                Stage(
                    "fine-tuning",
                    options.epochs,
                    rate,
                    lambda _: self._network(self._initial_weights),
                    replay,
                )
            ]
        if options.qat:
            rate = options.learning_rate * qat.LEARNING_RATE
            epochs = max(1, options.epochs // qat.SHARE)
            stages.append(Stage("quantization-aware training", epochs, rate, self._aware))
        return stages

    def identity(self) -> dict[str, Any]:
        """Return what decides the result: a checkpoint of another identity is of no use."""
        data = self.data
        return {
            **self.options.document(),
            "tinyml": __version__,
            "task": self.task_name,
            "labels": list(data.labels),
            "recordings": check.fingerprint([*data.trained_on, *data.validation]),
            "examples": self._probe(),
            "start": None if data.start is None else self.origin()["start"]["weights"],
            "learned_from": [asdict(model) for model in self._teacher_models()],
        }

    def card(self, name: str, model: bytes, folder: Path | None) -> Card:
        """Return the card of the int8 `model` before it is measured; `folder` held the data."""
        task, data = self.task, self.data
        return Card(
            name=name,
            task=self.task_name,
            labels=data.labels,
            features=task.features,
            stream=task.stream,
            quantization=quantization(model),
            training=self.choices(),
            learned_from=self._teacher_models(),
            data=_sources(data),
            split=data.division,
            skipped=tuple(
                check.summary(
                    [*data.notes, *data.dataset.skipped, *data.dataset.remarks],
                    None if folder is None else public.resolve(folder, self.task_name),
                )
            ),
            stand_in=data.dataset.stand_in,
        )

    def _teacher_models(self) -> tuple[ModelReference, ...]:
        """Return the finished models that distillation learns from."""
        models = [teacher.model for teacher in self.ensemble]
        return tuple(ModelReference(Path(model.path).name, model.sha256) for model in models)

    def _probe(self) -> str:
        """Return a SHA-256 of what front end, augmentation and masks make of some recordings."""
        step = max(1, len(self.data.trained_on) // _PROBED)
        recordings = self.data.trained_on[::step][:_PROBED]
        examples = self.task.augmented(recordings, self.data.labels, self.options.seed)
        masked = self.task.mask(examples.inputs, self.options.seed)
        arrays = (examples.inputs, masked, examples.targets)
        return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()

    def choices(self) -> dict[str, Any]:
        """Return the options that had a part in the result, and what it started from."""
        chosen = self.options.document()
        if self.data.head_only:
            chosen = {name: chosen[name] for name in ("seed", "width", "synthetic")}
        return {**chosen, **self.origin()}

    def origin(self) -> dict[str, Any]:
        """Return what training started from, for the card; nothing where from random weights."""
        start = self.data.start
        if start is None:
            return {}
        contents = (start.path / bundles.WEIGHTS).read_bytes()
        return {"start": {"name": start.name, "weights": hashlib.sha256(contents).hexdigest()}}

    def files(self, results: Sequence[Sequence[Array]]) -> tuple[dict[str, bytes], bytes | None]:
        """Return the files of the bundle; with --qat also the model quantized without it."""
        network = self._float(results)
        weights = restore.weights(network)
        background = len(self.data.dataset.background)
        before = self.pretrained.replay if self.pretrained and self.data.head_only else None
        replay = latent_replay.record(self.task, network, self._augmented, background, before)
        model, without = quantize.quantize(self.task, network, self._representative()), None
        if self.options.qat:
            without = model
            aware = self._aware(results)
            aware.set_weights(list(results[-1]))
            logit_adjust.move(aware, self._shift)
            model = quantize.aware(self.task, aware)
        files = {
            bundles.MODEL: model,
            bundles.WEIGHTS: weights,
            bundles.REPLAY: replay,
            bundles.DIGESTS: leakage.digests(self.data.seen, self.data.start),
        }
        return {**files, bundles.GOLDEN: golden(model, self.options.seed)}, without

    def noise(self, model: bytes, results: Sequence[Sequence[Array]]) -> tuple[LayerNoise, ...]:
        """Return the quantization noise of every layer on training recordings, for the card."""
        floating = quantize.floating(self.task, self._float(results))
        inputs = [[example] for example in self._representative()[:, np.newaxis]]
        return layer_noise.measure(model, floating, inputs)

    def estimated(self, card: Card, ticks: Callable[[int, int], None]) -> Card:
        """Return `card` with accuracy by cross-validation, where there is no test part."""
        few, start = self.data.few, self.data.start
        assert few is not None
        assert self.pretrained is not None
        estimate = cross_validation.estimate(
            self.pretrained, few.words, few.others, few.held_out, self.options.seed, ticks
        )
        right = round(estimate.right_int8 * estimate.clips)
        accuracy = Accuracy(
            float_=estimate.right,
            int8=estimate.right_int8,
            interval=metrics.wilson(right, estimate.clips),
            test_clips=estimate.clips,
            part="cross-validation",
        )
        known = None if start is None else leakage.trained_on(few.words, start)
        learned_before = None if known is None else len(known)
        return replace(
            card,
            accuracy=accuracy,
            estimate=replace(estimate, learned_before=learned_before),
            confusion={},
        )

    def _float(self, results: Sequence[Sequence[Array]]) -> Any:
        """Return the float network that the stages ended with."""
        if self.data.head_only:
            last: Sequence[Array] = self._initial_weights
        else:
            last = results[-2] if self.options.qat else results[-1]
        network = restore.network(self.task, len(self.data.labels), self.options.width, last)
        logit_adjust.move(network, self._shift)
        return network

    @functools.cached_property
    def _shift(self) -> logit_adjust.Shift:
        """The logit adjustment that examples without a label, known by teachers, make necessary."""
        if self.examples.soft_labels is None:
            return np.zeros(len(self.data.labels), np.float32)
        examples = self.examples.variant(self.options.seed, 0)
        return logit_adjust.shift(self.data.trained_on, self.data.labels, examples)

    def _network(self, weights: Sequence[Array] | None) -> Any:
        """Return a network with `weights`, or as it begins."""
        network = self.task.build_model(len(self.data.labels), self.options.width)
        if weights is not None:
            network.set_weights(list(weights))
        return network

    @functools.cached_property
    def pretrained(self) -> transfer.Pretrained | None:
        """The network that transfer learning starts from; None where weights are random."""
        start, data = self.data.start, self.data
        if start is None:
            return None
        replay = None
        if bundles.REPLAY in start.card.files:
            replay = latent_replay.read((start.path / bundles.REPLAY).read_bytes()).relabelled(
                start.labels, data.labels, data.dataset.background
            )
        return transfer.pretrained(
            self.task,
            restore.arrays((start.path / bundles.WEIGHTS).read_bytes()),
            self.options.width,
            start.labels,
            data.labels,
            data.dataset.background,
            replay,
            self.options.seed,
        )

    def _aware(self, results: Sequence[Sequence[Array]]) -> Any:
        """Return the network for quantization-aware training after the float stages."""
        done = results[: len(self.stages()) - 1]
        network = self._network(done[-1])
        return qat.prepare(self.task, network, self._representative())

    @functools.cached_property
    def _initial_weights(self) -> list[Array]:
        """What fine-tuning begins with; or, of a head alone, the result of its training."""
        assert self.pretrained is not None
        if self.pretrained.same_labels and not self.data.head_only:
            return list(self.pretrained.weights)
        return self.pretrained.with_head(self._augmented)

    def _representative(self) -> Features:
        """Return int8 features of the training part, from which ranges are measured."""
        return self._augmented.inputs

    @functools.cached_property
    def _augmented(self) -> tasks.Examples:
        if self.pretrained is not None and self.data.head_only:
            return self.pretrained.examples(self.data.trained_on, self.options.seed)
        return latent_replay.labelled(
            self.task.augmented(self.data.trained_on, self.data.labels, self.options.seed)
        )


def _sources(data: TrainingData) -> tuple[DataSource, ...]:
    return tuple(
        DataSource(dataset.source, dataset.licence, len(split.clips(dataset)), use)
        for dataset, use in data.sources
    )
