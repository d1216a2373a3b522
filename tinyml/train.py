"""All of `tinyml train`: a task and recordings in, a measured int8 bundle out."""

from __future__ import annotations

import functools
import hashlib
import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml import (
    __version__,
    boards,
    evaluate,
    heard,
    lesson,
    metrics,
    sqnr,
    tasks,
    teachers,
    vectors,
)
from tinyml import bundle as bundles
from tinyml.datasets import TEST, check, public
from tinyml.errors import DataError, ToolError
from tinyml.lesson import Lesson
from tinyml.oracle import Oracle
from tinyml.records import Bundle, TensorInfo
from tinyml.tasks import Features, Task
from tinyml.training import (
    NONE,
    USUAL,
    Conduct,
    OnProgress,
    Options,
    Progress,
    distill,
    distribution,
    fit,
    memory,
    prior,
    qat,
    quantize,
    restore,
    transfer,
)
from tinyml.training.learner import Array, Stage

_GOLDEN_VECTORS = 8
_PROBED = 16  # recordings whose examples show whether others would be made today


def train(
    task_name: str,
    data: Path | None,
    out: Path,
    options: Options,
    on_progress: OnProgress,
    conduct: Conduct = USUAL,
    start: str = NONE,
) -> Bundle | None:
    """Train, quantize and measure a model, and write it as a bundle into the folder `out`.

    Without `data` the recordings are synthesized, and the card says that the model is a stand-in.
    `start` is what training starts from, see `lesson.prepare`. After each epoch the state is kept
    beside `out` (see `checkpoint_path`); it stays when training is interrupted, for
    `conduct.resume`. Measured are only recordings of the test part, which nothing else sees. Of
    several workers only the chief writes and returns a bundle. Raises ConfigError, DataError or
    ToolError; `out` is written whole or not at all.
    """
    task = tasks.load(task_name)
    bundles.check_target(out)
    cluster = distribution.join(conduct.strategy, options.qat)
    taught = lesson.prepare(
        task, task_name, data, options, start, _counted("making data", on_progress)
    )
    _check_start(taught)
    school = teachers.load(options.learn_from, taught.labels)
    lessons = _Teaching(task_name, task, taught, options, school)
    results = fit.fit(
        lessons.material,
        lessons.stages(),
        options,
        conduct,
        cluster,
        checkpoint_path(out),
        lessons.identity(),
        on_progress,
    )
    if not cluster.chief:
        return None
    on_progress(Progress("quantizing", 0, 1))
    files, without_qat = lessons.files(results)
    card = {"name": out.name, **lessons.document(files[bundles.MODEL], data)}
    if taught.few is not None:
        measured = lessons.estimated(files[bundles.MODEL], on_progress)
    else:
        measured = _measured(card, files, without_qat, taught, on_progress)
    noise = lessons.noise(files[bundles.MODEL], results)
    bundle = bundles.save(out, {**card, **measured, "noise": noise}, files)
    checkpoint_path(out).unlink(missing_ok=True)
    return bundle


def _check_start(taught: Lesson) -> None:
    """Raise DataError now where what training starts from learned from all that tests it later."""
    if taught.start is None or taught.few is not None:
        return
    try:
        heard.asked(taught.start, taught.dataset, TEST)
    except DataError as error:
        hint = "record others, or train from the start: --from none"
        raise DataError(error.message, hint) from error


def checkpoint_path(out: Path) -> Path:
    """Return the file beside the bundle folder `out` that keeps the state of its training."""
    return out.absolute().parent / f".{out.name}.training.npz"


def golden(model: bytes, seed: int, inputs: Sequence[Features] = ()) -> bytes:
    """Return an .npz of inputs in0, ... and the oracle's outputs out0, ..., one row per vector.

    `inputs` of a model with one input, each of its size, follow random ones.
    """
    oracle = Oracle(model)
    infos = [TensorInfo(one.name, one.dtype, one.shape) for one in oracle.inputs]
    rows = [one.arrays for one in vectors.random(infos, _GOLDEN_VECTORS, seed)]
    rows += [[one.reshape(infos[0].shape)] for one in inputs]
    answers = [oracle.run(row) for row in rows]
    arrays: dict[str, Any] = {
        f"in{i}": np.stack([row[i] for row in rows]) for i in range(len(infos))
    }
    arrays |= {f"out{i}": np.stack([one[i] for one in answers]) for i in range(len(answers[0]))}
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def quantization(model: bytes) -> dict[str, Any]:
    """Return scale and zero point of a model's first input and output, for its card."""
    oracle = Oracle(model)
    infos = {"input": oracle.inputs[0], "output": oracle.outputs[0]}
    return {
        name: {"scale": float(info.scale), "zero_point": int(info.zero_point)}
        for name, info in infos.items()
    }


@dataclass(frozen=True)
class _Teaching:
    """How a lesson is taught: the stages of training, and what becomes of their results."""

    task_name: str
    task: Task
    taught: Lesson
    options: Options
    school: Sequence[teachers.Teacher]

    @functools.cached_property
    def material(self) -> fit.Material:
        """Return what is learned."""
        task, taught = self.task, self.taught
        watched = lesson.examples(task, taught.watched, taught.labels)
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
        remembered = memory.remember(self.task, network, self._augmented, background, before)
        model, without = quantize.quantize(self.task, network, self._representative()), None
        if self.options.qat:
            without = model
            aware = self._aware(results)
            aware.set_weights(list(results[-1]))
            prior.move(aware, self._shift)
            model = quantize.aware(self.task, aware)
        files = {
            bundles.MODEL: model,
            bundles.WEIGHTS: weights,
            bundles.MEMORY: remembered,
            bundles.HEARD: heard.file(self.taught.heard, self.taught.start),
        }
        return {**files, bundles.GOLDEN: golden(model, self.options.seed)}, without

    def noise(self, model: bytes, results: Sequence[Sequence[Array]]) -> list[dict[str, Any]]:
        """Return the quantization noise of every layer on training recordings, for the card."""
        floating = quantize.floating(self.task, self._float(results))
        inputs = self._representative()[:, np.newaxis]
        return sqnr.document(sqnr.measure(model, floating, list(inputs)))

    def estimated(self, model: bytes, on_progress: OnProgress) -> dict[str, Any]:
        """Return the card's `accuracy` by cross-validation, of a lesson without a test part."""
        few, start = self.taught.few, self.taught.start
        assert few is not None
        assert self.known is not None
        ticks = _counted("estimating", on_progress)
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
        before = None if start is None else heard.among(few.words, start)
        learned = {"learned_before": None if before is None else len(before)}
        return {"accuracy": accuracy, "estimate": asdict(found) | learned, "confusion": {}}

    def _float(self, results: Sequence[Sequence[Array]]) -> Any:
        """Return the float network that the stages ended with."""
        if self.taught.head_only:
            last: Sequence[Array] = self._begun
        else:
            last = results[-2] if self.options.qat else results[-1]
        network = restore.network(self.task, len(self.taught.labels), self.options.width, last)
        prior.move(network, self._shift)
        return network

    @functools.cached_property
    def _shift(self) -> prior.Shift:
        """Return what teachers' answers to examples without a label have to be put right by."""
        if self.material.teach is None:
            return np.zeros(len(self.taught.labels), np.float32)
        learned = self.material.examples(self.options.seed, 0)
        return prior.shift(self.taught.learned, self.taught.labels, learned)

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
            remembered = memory.read((start.path / bundles.MEMORY).read_bytes()).relabelled(
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
        return memory.labelled(
            self.task.augmented(self.taught.learned, self.taught.labels, self.options.seed)
        )


def _measured(
    card: dict[str, Any],
    files: dict[str, bytes],
    without_qat: bytes | None,
    taught: Lesson,
    on_progress: OnProgress,
) -> dict[str, Any]:
    """Return `accuracy` and `confusion` on the test part: float, int8, compiled for this host."""
    ticks = _counted("testing", on_progress)
    accuracy: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as work:
        draft = bundles.save(Path(work, str(card["name"])), card, files)
        report = evaluate.evaluate_dataset(draft, taught.dataset, on_progress=ticks)
        board = boards.load(boards.DEFAULT)
        try:
            compiled = evaluate.evaluate_dataset(draft, taught.dataset, evaluate.HOST, board=board)
            accuracy["compiled"] = compiled.accuracy
        except ToolError:
            accuracy["compiled"] = None  # there is no C compiler here
        if without_qat is not None:
            plain = bundles.save(Path(work, "plain"), card, {**files, bundles.MODEL: without_qat})
            before = evaluate.evaluate_dataset(plain, taught.dataset)
            accuracy["int8_without_qat"] = before.accuracy
    return {
        "accuracy": {
            "float": report.float_accuracy,
            "int8": report.accuracy,
            "interval": (report.low, report.high),
            **accuracy,
            "test_clips": report.clips,
            "left_out": report.learned,
            "part": TEST,
            "sources": [
                {"source": one.source, "test_clips": one.clips, "int8": one.accuracy}
                for one in report.sources
            ],
        },
        "confusion": report.confusion,
    }


def _sources(taught: Lesson) -> list[dict[str, Any]]:
    return [
        {
            "source": one.source,
            "licence": one.licence,
            "clips": len(lesson.clips(one)),
            "use": what,
        }
        for one, what in taught.sources
    ]


def _counted(stage: str, on_progress: OnProgress) -> Callable[[int, int], None]:
    return lambda done, total: on_progress(Progress(stage, done, total))
