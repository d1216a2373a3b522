"""How a lesson is taught: recordings divided for training and options in, a bundle's files out."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml import __version__, tasks
from tinyml.datasets import check, public
from tinyml.model import bundle as bundles
from tinyml.model import leakage, metrics
from tinyml.model.fingerprint import golden, quantization
from tinyml.tasks import Features, Task
from tinyml.training import (
    Options,
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
from tinyml.training.split import Lesson

_PROBED = 16  # recordings whose examples show whether others would be made today


@dataclass(frozen=True)
class Teaching:
    """A lesson as training takes it: its stages, and what becomes of their results.

    `results` are the weights that each stage ended with, as `fit.fit` returns them; `school` are
    the finished models that are learned from.
    """

    task_name: str
    task: Task
    taught: Lesson
    options: Options
    school: Sequence[teachers.Teacher]

    @functools.cached_property
    def material(self) -> fit.Material:
        """Return what is learned."""
        task, taught = self.task, self.taught
        watched = split.examples(task, taught.watched, taught.labels)
        teach = functools.partial(teachers.taught, self.school) if self.school else None
        return fit.Material(task, taught.learned, taught.labels, watched, teach)

    def stages(self) -> list[Stage]:
        """Return the float stages, and with --qat the one that learns to live with int8."""
        epochs, rate = self.options.epochs, self.options.learning_rate
        labels = len(self.taught.labels)
        stages = [
            *distill.teachers(self.task, labels, self.options),
            Stage(
                "training",
                epochs,
                rate,
                lambda _: self._network(None),
                teach=distill.pupil(self.task, labels, self.options),
            ),
        ]
        if (known := self.known) is not None:
            if self.taught.head_only:
                return []
            replay = None
            if known.memory is not None and not known.knows:
                replay = known.memory.vectors, known.memory.targets
            gentle = rate / transfer.FINE
            stages = [
                Stage("fine-tuning", epochs, gentle, lambda _: self._network(self._begun), replay)
            ]
        if self.options.qat:
            gentle = rate * qat.LEARNING_RATE
            count = max(1, epochs // qat.SHARE)
            stages.append(Stage("quantization-aware training", count, gentle, self._aware))
        return stages

    def identity(self) -> dict[str, Any]:
        """Return what decides the result: a checkpoint of another one is of no use."""
        taught = self.taught
        return {
            **self.options.document(),
            "tinyml": __version__,
            "task": self.task_name,
            "labels": list(taught.labels),
            "recordings": check.fingerprint([*taught.learned, *taught.watched]),
            "examples": self._probe(),
            "start": None if taught.start is None else self.origin()["start"]["weights"],
            "learned_from": self._models(),
        }

    def document(self, model: bytes, data: Path | None) -> dict[str, Any]:
        """Return what the card says of the int8 `model` before it is measured."""
        task, taught = self.task, self.taught
        return {
            "task": self.task_name,
            "labels": list(taught.labels),
            "features": {"name": task.features.name, "params": dict(task.features.params)},
            "stream": {**asdict(task.stream), "background": list(task.stream.background)},
            "quantization": quantization(model),
            "training": self.choices(),
            "learned_from": self._models(),
            "data": _sources(taught),
            "split": dict(taught.division),
            "skipped": check.summary(
                [*taught.notes, *taught.dataset.skipped, *taught.dataset.remarks],
                None if data is None else public.resolve(data, self.task_name),
            ),
            "stand_in": taught.dataset.stand_in,
        }

    def _models(self) -> list[dict[str, str]]:
        """Return the finished models that are learned from."""
        models = [one.model for one in self.school]
        return [{"name": Path(one.path).name, "sha256": one.sha256} for one in models]

    def _probe(self) -> str:
        """Return a SHA-256 of what front end, augmentation and masks make of some recordings."""
        step = max(1, len(self.taught.learned) // _PROBED)
        some = self.taught.learned[::step][:_PROBED]
        made = self.task.augmented(some, self.taught.labels, self.options.seed)
        masked = self.task.mask(made.inputs, self.options.seed)
        parts = (made.inputs, masked, made.targets)
        return hashlib.sha256(b"".join(one.tobytes() for one in parts)).hexdigest()

    def choices(self) -> dict[str, Any]:
        """Return the options that had a part in the result, and what it started from."""
        chosen = self.options.document()
        if self.taught.head_only:
            chosen = {name: chosen[name] for name in ("seed", "width", "synthetic")}
        return {**chosen, **self.origin()}

    def origin(self) -> dict[str, Any]:
        """Return what training started from, for the card."""
        start = self.taught.start
        if start is None:
            return {}
        contents = (start.path / bundles.WEIGHTS).read_bytes()
        return {"start": {"name": start.name, "weights": hashlib.sha256(contents).hexdigest()}}

    def files(self, results: Sequence[Sequence[Array]]) -> tuple[dict[str, bytes], bytes | None]:
        """Return the files of the bundle; with --qat also the model quantized without it."""
        network = self._float(results)
        weights = restore.weights(network)
        background = len(self.taught.dataset.background)
        before = self.known.memory if self.known and self.taught.head_only else None
        remembered = latent_replay.remember(self.task, network, self._augmented, background, before)
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
            bundles.MEMORY: remembered,
            bundles.HEARD: leakage.file(self.taught.heard, self.taught.start),
        }
        return {**files, bundles.GOLDEN: golden(model, self.options.seed)}, without

    def noise(self, model: bytes, results: Sequence[Sequence[Array]]) -> list[dict[str, Any]]:
        """Return the quantization noise of every layer on training recordings, for the card."""
        floating = quantize.floating(self.task, self._float(results))
        inputs = self._representative()[:, np.newaxis]
        return layer_noise.document(layer_noise.measure(model, floating, list(inputs)))

    def estimated(self, model: bytes, ticks: Callable[[int, int], None]) -> dict[str, Any]:
        """Return the card's `accuracy` by cross-validation, of a lesson without a test part."""
        few, start = self.taught.few, self.taught.start
        assert few is not None
        assert self.known is not None
        found = transfer.estimate(
            self.known, few.words, few.others, few.held_out, self.options.seed, ticks
        )
        accuracy = {
            "float": found.right,
            "int8": found.right_int8,
            "interval": metrics.wilson(round(found.right_int8 * found.clips), found.clips),
            "test_clips": found.clips,
            "part": "cross-validation",
        }
        before = None if start is None else leakage.among(few.words, start)
        learned = {"learned_before": None if before is None else len(before)}
        return {"accuracy": accuracy, "estimate": asdict(found) | learned, "confusion": {}}

    def _float(self, results: Sequence[Sequence[Array]]) -> Any:
        """Return the float network that the stages ended with."""
        if self.taught.head_only:
            last: Sequence[Array] = self._begun
        else:
            last = results[-2] if self.options.qat else results[-1]
        network = restore.network(self.task, len(self.taught.labels), self.options.width, last)
        logit_adjust.move(network, self._shift)
        return network

    @functools.cached_property
    def _shift(self) -> logit_adjust.Shift:
        """Return what teachers' answers to examples without a label have to be put right by."""
        if self.material.teach is None:
            return np.zeros(len(self.taught.labels), np.float32)
        learned = self.material.examples(self.options.seed, 0)
        return logit_adjust.shift(self.taught.learned, self.taught.labels, learned)

    def _network(self, weights: Sequence[Array] | None) -> Any:
        """Return a network with `weights`, or as it begins."""
        network = self.task.build_model(len(self.taught.labels), self.options.width)
        if weights is not None:
            network.set_weights(list(weights))
        return network

    @functools.cached_property
    def known(self) -> transfer.Start | None:
        """What training starts from; None where it starts from nothing."""
        start, taught = self.taught.start, self.taught
        if start is None:
            return None
        remembered = None
        if bundles.MEMORY in start.card["files"]:
            remembered = latent_replay.read((start.path / bundles.MEMORY).read_bytes()).relabelled(
                start.labels, taught.labels, taught.dataset.background
            )
        return transfer.start(
            self.task,
            restore.arrays((start.path / bundles.WEIGHTS).read_bytes()),
            self.options.width,
            start.labels,
            taught.labels,
            taught.dataset.background,
            remembered,
            self.options.seed,
        )

    def _aware(self, results: Sequence[Sequence[Array]]) -> Any:
        """Return the network for quantization-aware training after the float stages."""
        done = results[: len(self.stages()) - 1]
        network = self._network(done[-1])
        return qat.prepare(self.task, network, self._representative())

    @functools.cached_property
    def _begun(self) -> list[Array]:
        assert self.known is not None
        if self.known.knows and not self.taught.head_only:
            return list(self.known.weights)
        return self.known.with_head(self._augmented)

    def _representative(self) -> Features:
        """Return int8 features of the training part, from which ranges are measured."""
        return self._augmented.inputs

    @functools.cached_property
    def _augmented(self) -> tasks.Examples:
        if self.known is not None and self.taught.head_only:
            return self.known.examples(self.taught.learned, self.options.seed)
        return latent_replay.labelled(
            self.task.augmented(self.taught.learned, self.taught.labels, self.options.seed)
        )


def _sources(taught: Lesson) -> list[dict[str, Any]]:
    return [
        {
            "source": one.source,
            "licence": one.licence,
            "clips": len(split.clips(one)),
            "use": what,
        }
        for one, what in taught.sources
    ]
