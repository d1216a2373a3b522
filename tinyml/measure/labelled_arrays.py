"""Evaluation of a network of one's own on labelled arrays of its input: file in, report out.

An `.npz`, or a folder of them, with one array of inputs and an array `labels` of indices, as
`tinyml quantize` takes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml import tflite
from tinyml.errors import ConfigError, DataError
from tinyml.measure import evaluate
from tinyml.model import bundle as bundles
from tinyml.model import vectors
from tinyml.model.oracle import Oracle
from tinyml.records import Bundle, TensorInfo
from tinyml.tasks import Examples

_LABELS = "labels"
_HINT = "numpy.savez(path, inputs=..., labels=...): one example per row, indices counted from 0"


def read(bundle: Bundle, path: Path) -> tuple[Bundle, Examples]:
    """Return the examples at `path` as int8 of the model's input, and `bundle` with its labels.

    Real inputs (floats) are quantized as the model's input is. Labels of a bundle that names none
    are their numbers. Raises DataError for arrays that do not fit, ConfigError for a model with
    several inputs, without an int8 input, or with a single score.
    """
    graph = tflite.read(bundle.model, bundle.name)
    inputs = [graph.tensors[index].info for index in graph.inputs]
    scores = graph.tensors[graph.outputs[0]].elements
    if len(inputs) != 1 or inputs[0].dtype != "int8" or scores < 2:
        raise ConfigError(
            f"{bundle.name} is no int8 classifier with one input and a score for each class",
            "compare outputs instead: tinyml validate --inputs FILE",
        )
    files = sorted(path.glob("*.npz")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} has no .npz files", _HINT)
    parts = [_file(file, inputs[0]) for file in files]
    examples = Examples(
        np.concatenate([values for values, _ in parts]),
        np.concatenate([targets for _, targets in parts]),
    )
    if examples.targets.min() < 0 or examples.targets.max() >= scores:
        raise DataError(
            f"the labels in {path} are {examples.targets.min()} to {examples.targets.max()}; "
            f"{bundle.name} has {scores} classes, which are 0 to {scores - 1}",
            _HINT,
        )
    return replace(bundle, labels=bundle.labels or tuple(map(str, range(scores)))), examples


def evaluate_arrays(
    bundle: Bundle,
    examples: Examples,
    source: str,
    places: Sequence[evaluate.Executor],
    on_progress: evaluate.OnProgress | None = None,
) -> evaluate.EvaluationReport:
    """Measure `bundle` on all of `examples`, as `read` returned both, in each of `places`.

    `source` says where the examples came from.
    """
    answers = evaluate.ask(places, examples, on_progress)
    report = evaluate.report_on(bundle, answers, examples.targets, source, "all")
    floating = _float_accuracy(bundle, examples)
    note = "" if floating is not None else "the bundle has no float network"
    return replace(report, float_accuracy=floating, note=note)


def _float_accuracy(bundle: Bundle, examples: Examples) -> float | None:
    """Return the share, 0..1, that the float network of `bundle` has right; None without one."""
    file = bundle.path / bundles.FLOAT
    if not file.is_file():
        return None
    graph = tflite.read(bundle.model, bundle.name)
    info = graph.tensors[graph.inputs[0]].info
    network = Oracle(file.read_bytes(), file.name)
    real = ((examples.inputs.astype(np.float64) - info.zero_point) * info.scale).astype(np.float32)
    best = [int(network.run([values[np.newaxis]])[0].argmax()) for values in real]
    return float(np.mean(best == examples.targets))


def _file(path: Path, info: TensorInfo) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    arrays = vectors.arrays(path, "inputs", _HINT)
    targets = arrays.pop(_LABELS, None)
    if targets is None or targets.ndim != 1 or targets.dtype.kind not in "iu":
        raise DataError(f"{path} has no array `labels` of whole numbers", _HINT)
    if len(arrays) != 1:
        raise DataError(f"{path} has arrays {', '.join(arrays) or 'none'} besides labels", _HINT)
    (values,) = arrays.values()
    shape = info.shape[1:]
    if values.shape != (len(targets), *shape) or not len(targets):
        raise DataError(
            f"{path} has {values.dtype}{list(values.shape)} and {len(targets)} labels; the model "
            f"takes rows of {list(shape)}",
            _HINT,
        )
    if values.dtype != np.int8:
        if values.dtype.kind != "f" or not np.isfinite(values).all():
            raise DataError(f"{path} has {values.dtype}, neither int8 nor finite floats", _HINT)
        steps = np.rint(values / np.float32(info.scale)) + info.zero_point
        values = np.clip(steps, -128, 127).astype(np.int8)
    return values, targets.astype(np.int64)
