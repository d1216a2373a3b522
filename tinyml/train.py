"""All of `tinyml train`: a task and recordings in, a measured int8 bundle out."""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tinyml import bundle as bundles
from tinyml import evaluate, tasks, teachers, vectors
from tinyml.datasets import TEST, TRAIN, VALIDATION, Dataset, Recording, check, public, split
from tinyml.oracle import Oracle
from tinyml.records import Bundle, TensorInfo
from tinyml.tasks import Features
from tinyml.training import (
    USUAL,
    Conduct,
    OnProgress,
    Options,
    Progress,
    distill,
    distribution,
    fit,
    quantize,
    restore,
)
from tinyml.training.learner import Stage

_GOLDEN_VECTORS = 8


def train(
    task_name: str,
    data: Path | None,
    out: Path,
    options: Options,
    on_progress: OnProgress,
    conduct: Conduct = USUAL,
) -> Bundle | None:
    """Train, quantize and measure a model, and write it as a bundle into the folder `out`.

    Without `data` the recordings are synthesized, and the card says that the model is a stand-in.
    After each epoch the state is kept beside `out` (see `checkpoint_path`); it stays when training
    is interrupted, for `conduct.resume`. Measured are only recordings of the test part, which
    nothing else sees. Of several workers only the chief writes and returns a bundle. Raises
    ConfigError, DataError or ToolError; `out` is written whole or not at all.
    """
    task = tasks.load(task_name)
    bundles.check_target(out)
    cluster = distribution.join(conduct.strategy)
    dataset = _dataset(task, task_name, data, options, on_progress)
    divided = split(dataset)
    added = _additional(task, dataset, options, on_progress)
    learned = [*divided.parts[TRAIN], *_clips(added)]
    watched = divided.parts[VALIDATION]
    labels = dataset.labels
    school = teachers.load(options.learn_from, labels)
    teach = functools.partial(teachers.taught, school) if school else None
    material = fit.Material(task, learned, labels, task.examples(watched, labels), teach)
    about = [{"name": Path(one.model.path).name, "sha256": one.model.sha256} for one in school]
    identity = {
        **options.document(),
        "learned_from": about,
        "labels": list(labels),
        "recordings": check.fingerprint([*learned, *watched]),
    }
    results = fit.fit(
        material,
        _stages(task, len(labels), options),
        options,
        conduct,
        cluster,
        checkpoint_path(out),
        identity,
        on_progress,
    )
    if not cluster.chief:
        return None
    network = restore.network(task, len(labels), options.width, results[-1])
    on_progress(Progress("quantizing", 0, 1))
    representative = task.augmented(learned, labels, options.seed).inputs
    model = quantize.quantize(task, network, representative)
    card = {
        "name": out.name,
        "task": task_name,
        "labels": list(labels),
        "features": {"name": task.features.name, "params": dict(task.features.params)},
        "stream": {**asdict(task.stream), "background": list(task.stream.background)},
        "quantization": _quantization(model),
        "training": options.document(),
        "learned_from": about,
        "data": _sources(dataset, added),
        "split": {"rule": divided.rule, **divided.counts()},
        "skipped": check.summary([*dataset.skipped, *dataset.remarks], data),
        "stand_in": dataset.stand_in,
    }
    files = {
        bundles.MODEL: model,
        bundles.WEIGHTS: restore.weights(network),
        bundles.GOLDEN: golden(model, options.seed),
    }
    with tempfile.TemporaryDirectory() as work:
        draft = bundles.save(Path(work, out.name), card, files)
        report = evaluate.evaluate_dataset(
            draft, dataset, on_progress=lambda done, n: on_progress(Progress("testing", done, n))
        )
    bundle = bundles.save(out, {**card, **_measured(report)}, files)
    checkpoint_path(out).unlink(missing_ok=True)
    return bundle


def _stages(task: tasks.Task, labels: int, options: Options) -> list[Stage]:
    return [
        *distill.teachers(task, labels, options),
        Stage(
            "training",
            options.epochs,
            options.learning_rate,
            lambda _: task.build_model(labels, options.width),
            teach=distill.pupil(task, labels, options),
        ),
    ]


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


def _dataset(
    task: tasks.Task, name: str, data: Path | None, options: Options, on_progress: OnProgress
) -> Dataset:
    if data is None:
        return _synthesize(task, options, on_progress)
    return task.read(
        public.resolve(
            data, name, lambda done, all_: on_progress(Progress("downloading", done, all_))
        )
    )


def _synthesize(task: tasks.Task, options: Options, on_progress: OnProgress) -> Dataset:
    return task.synthesize(
        options.seed, lambda done, all_: on_progress(Progress("synthesizing", done, all_))
    )


def _additional(
    task: tasks.Task, dataset: Dataset, options: Options, on_progress: OnProgress
) -> Dataset | None:
    """Synthetic recordings of the data's words, for training only."""
    if not options.synthetic or dataset.stand_in:
        return None
    return task.additional(
        options.synthetic,
        options.seed,
        lambda done, all_: on_progress(Progress("synthesizing", done, all_)),
        dataset.words,
    )


def _clips(dataset: Dataset | None) -> list[Recording]:
    return [one for one in dataset.recordings if not one.long] if dataset is not None else []


def _sources(dataset: Dataset, added: Dataset | None) -> list[dict[str, Any]]:
    use = {dataset: "training, validation and test, divided as under split"}
    if added is not None:
        use[added] = "training only"
    return [
        {
            "source": one.source,
            "licence": one.licence,
            "clips": len(_clips(one)),
            "use": what,
        }
        for one, what in use.items()
    ]


def _quantization(model: bytes) -> dict[str, Any]:
    oracle = Oracle(model)
    infos = {"input": oracle.inputs[0], "output": oracle.outputs[0]}
    return {
        name: {"scale": float(info.scale), "zero_point": int(info.zero_point)}
        for name, info in infos.items()
    }


def _measured(report: evaluate.EvaluationReport) -> dict[str, Any]:
    return {
        "accuracy": {
            "float": report.float_accuracy,
            "int8": report.accuracy,
            "test_clips": report.clips,
            "part": TEST,
            "sources": [
                {"source": one.source, "test_clips": one.clips, "int8": one.accuracy}
                for one in report.sources
            ],
        },
        "confusion": report.confusion,
    }
