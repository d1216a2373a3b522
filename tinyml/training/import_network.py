"""All of `tinyml quantize`: a person's own network and examples in, a checked int8 bundle out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import runtimes
from tinyml.compiler import ops
from tinyml.datasets import check
from tinyml.errors import ConfigError, DataError, ModelError, TinymlError
from tinyml.firmware import boards
from tinyml.model import bundle as bundles
from tinyml.model.fingerprint import golden, quantization
from tinyml.model.oracle import Oracle
from tinyml.records import Accuracy, Bundle, Card, DataSource, Division, LayerNoise
from tinyml.tflite import Tensor
from tinyml.training import conversion, layer_noise
from tinyml.training import representative as representative_data
from tinyml.training.importers import Description
from tinyml.training.representative import RepresentativeSet

_SEED = 1
_FEW = 4  # fewer examples than these cannot be divided
_RULE = "a quarter of the examples of each label, drawn at random, is tried; ranges are of the rest"
_UNDIVIDED = "too few examples to divide, so the ranges are of those that are tried"
_TFLITE = (
    "if it is int8 it can be used as it is: tinyml validate FILE. If it is float, quantize what it "
    "was made from, a .keras, .h5 or SavedModel: no maintained library turns a float .tflite into "
    "int8 that is proven bit-exact on microcontrollers"
)

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Agreement:
    """How near int8 is to float on examples that its ranges are not of.

    `same`: share of examples that both answer alike, None where the outputs are no classes.
    `rms_error`: of all outputs, in their units; `sqnr_db`: signal to noise of all outputs, None
    where there is no noise.
    """

    same: float | None
    rms_error: float
    sqnr_db: float | None


@dataclass(frozen=True)
class Result:
    """A bundle that was written, of a network of `kind` with inputs of `shapes`.

    `notes` say what makes the figures doubtful. `runtimes`: those that take the model; `refusals`:
    why the others do not.
    """

    bundle: Bundle
    kind: str
    shapes: tuple[tuple[int, ...], ...]
    agreement: Agreement
    worst: Sequence[LayerNoise]
    notes: tuple[str, ...]
    runtimes: tuple[str, ...]
    refusals: tuple[str, ...]


def quantize(
    network: Path, representative: Path, out: Path, task: str = "", labels: Sequence[str] = ()
) -> Result:
    """Make an int8 bundle of the model file `network` in the folder `out`.

    Weights have a scale per channel; the ranges of activations are those of the examples in
    `representative`, less a quarter, on which it is tried. Raises ModelError for a network that
    cannot be used, DataError for examples that are none, and ConfigError where they do not fit
    together; all of that before TensorFlow is loaded, as far as the files tell. `out` is written
    whole or not at all.
    """
    bundles.check_target(out)
    _check_names(labels)
    if network.suffix == ".tflite":
        raise ModelError(f"{network} is no network to train on but one that is converted", _TFLITE)
    description = conversion.describe(network)
    examples = representative_data.read(representative, task, description.inputs, labels)
    learned, tried = _divided(examples)
    converted = conversion.convert(
        network, description, [array[learned] for array in examples.inputs]
    )
    scores = Oracle(converted.int8, network.name).outputs[0].elements
    names = _names(examples, labels, scores)
    _check_targets(examples, scores, representative)
    trial = _try(converted, examples, tried, _classifies(description, examples, names))
    card = replace(
        _card(examples, trial),
        name=out.name,
        task=task,
        labels=tuple(names),
        quantization=quantization(converted.int8),
        training={"network": network.name, "kind": description.kind},
        skipped=tuple(check.summary(examples.skipped, representative)),
    )
    files = {
        bundles.MODEL: converted.int8,
        bundles.FLOAT: converted.floating,
        bundles.GOLDEN: golden(converted.int8, _SEED, trial.inputs[:4]),
    }
    bundle = bundles.save(out, card, files)
    takers, refusals = _runtimes(bundle)
    return Result(
        bundle,
        description.kind,
        tuple(each.shape for each in description.inputs),
        trial.agreement,
        layer_noise.worst(trial.noise),
        _notes(examples, converted),
        takers,
        refusals,
    )


def _card(examples: RepresentativeSet, trial: _Trial) -> Card:
    """Return what a card says of the examples, and of the model as tried on them."""
    use = "ranges of int8, and a quarter for accuracy"
    return Card(
        features=examples.features,
        stream=examples.stream,
        data=(DataSource(examples.source, examples.licence, len(examples), use),),
        split=Division(_UNDIVIDED if len(examples) < _FEW else _RULE),
        stand_in=False,
        accuracy=trial.accuracy,
        confusion={},
        noise=trial.noise,
    )


def _notes(examples: RepresentativeSet, converted: conversion.Converted) -> tuple[str, ...]:
    notes = []
    if (count := len(examples)) < _FEW:
        notes.append(f"{_UNDIVIDED}: {count}, not {_FEW}")
    if converted.unrolled:
        notes.append(
            "recurrent layers are unrolled, because the converter takes no loop: each step is "
            "computed by operators of its own"
        )
    return tuple(notes)


def _runtimes(bundle: Bundle) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the runtimes that take a model, and why the others do not."""
    takers, refusals = [], []
    board = boards.load(boards.DEFAULT)
    for name in runtimes.names():
        runtime = runtimes.load(name)
        try:
            runtime.generate(bundle, board)
        except TinymlError as error:
            reason = error.message
            if runtime.stands_alone and (lacking := _lacking(bundle)):
                reason = f"it has no operator {', '.join(lacking)}"
            refusals.append(f"{name}: {reason}")
        else:
            takers.append(name)
    return tuple(takers), tuple(refusals)


def _lacking(bundle: Bundle) -> list[str]:
    """Return all operators of a model that have no kernel here."""
    used = {op.name for op in Oracle(bundle.model, bundle.name).graph.ops}
    return sorted(name for name in used - set(ops.names()) if not ops.renames(name))


def _divided(examples: RepresentativeSet) -> tuple[Rows, Rows]:
    """Return the rows that ranges are measured on, and a quarter of each label to try it on.

    Both are drawn at random: files often have their labels in turn.
    """
    rows = np.random.default_rng(_SEED).permutation(len(examples))
    if len(rows) < _FEW:
        return rows, rows
    if examples.targets is not None:
        rows = rows[np.argsort(examples.targets[rows], kind="stable")]
    tried = np.arange(len(rows)) % 4 == 3
    return np.sort(rows[~tried]), np.sort(rows[tried])


@dataclass(frozen=True)
class _Trial:
    accuracy: Accuracy
    agreement: Agreement
    noise: tuple[LayerNoise, ...]
    inputs: list[list[Array]]


def _try(
    converted: conversion.Converted, examples: RepresentativeSet, tried: Rows, classifies: bool
) -> _Trial:
    """Run the int8 and the float model side by side."""
    small, large = Oracle(converted.int8, "int8 model"), Oracle(converted.floating, "float model")
    rows = [[array[row] for array in examples.inputs] for row in tried]
    inputs = [
        [_quantized(value, tensor) for value, tensor in zip(row, small.inputs, strict=True)]
        for row in rows
    ]
    real = np.stack([_real(small.run(row), small.outputs) for row in inputs])
    wanted = np.stack(
        [_real(large.run([value[np.newaxis] for value in row]), large.outputs) for row in rows]
    )
    accuracy = Accuracy(
        float_=None,
        int8=None,
        test_clips=len(rows),
        part="examples that the ranges are of" if len(examples) < _FEW else "a quarter",
    )
    answers, floats = ([_answer(scores) for scores in outputs] for outputs in (real, wanted))
    if examples.targets is not None:
        targets = examples.targets[tried]
        accuracy = replace(
            accuracy,
            float_=float(np.mean(floats == targets)),
            int8=float(np.mean(answers == targets)),
        )
    same = float(np.mean(np.array(answers) == floats)) if classifies else None
    noise = layer_noise.measure(converted.int8, converted.floating, inputs)
    return _Trial(accuracy, _agreement(real, wanted, same), noise, inputs)


def _agreement(real: Array, wanted: Array, same: float | None) -> Agreement:
    noise, signal = float(np.mean((real - wanted) ** 2)), float(np.mean(wanted**2))
    ratio = 10 * np.log10(signal / noise) if noise and signal else None
    return Agreement(same, float(np.sqrt(noise)), None if ratio is None else float(ratio))


def _classifies(
    description: Description, examples: RepresentativeSet, names: Sequence[str]
) -> bool:
    """Whether the outputs are scores of classes: somebody named them, or the last layer says so."""
    return bool(names) or examples.targets is not None or bool(description.classifies)


def _real(outputs: Sequence[Array], tensors: Sequence[Tensor]) -> Array:
    """Return the real values of all outputs, float64 [n]."""
    parts = []
    for values, tensor in zip(outputs, tensors, strict=True):
        part = np.asarray(values, np.float64).reshape(-1)
        parts.append((part - tensor.zero_point) * tensor.scale if tensor.scales else part)
    return np.concatenate(parts)


def _answer(scores: Array) -> int:
    """Return the class that real scores mean: the highest, or, of a single probability, whether it
    is above a half.
    """
    return int(scores.argmax()) if scores.size > 1 else int(scores.item() > 0.5)


def _quantized(values: Array, tensor: Tensor) -> npt.NDArray[np.int8]:
    steps = np.rint(values / np.float32(tensor.scale)) + tensor.zero_point
    quantized: npt.NDArray[np.int8] = np.clip(steps, -128, 127).astype(np.int8)[np.newaxis]
    return quantized


def _check_names(labels: Sequence[str]) -> None:
    """Raise ConfigError where two scores would have one name."""
    if twice := sorted({label for label in labels if list(labels).count(label) > 1}):
        raise ConfigError(
            f"--labels names {', '.join(twice)} more than once", "name each score differently"
        )


def _check_targets(examples: RepresentativeSet, scores: int, path: Path) -> None:
    """Raise DataError for an index of no score."""
    if examples.targets is None:
        return
    least, most = int(examples.targets.min()), int(examples.targets.max())
    if least < 0 or most >= _classes(scores):
        raise DataError(
            f"the labels in {path} are {least} to {most}; the network has {_classes(scores)} "
            f"classes, which are 0 to {_classes(scores) - 1}",
            "give the index of the right score, counted from 0",
        )


def _classes(scores: int) -> int:
    """Return how many classes there are: one score alone is the probability of the second."""
    return 2 if scores == 1 else scores


def _names(examples: RepresentativeSet, labels: Sequence[str], scores: int) -> list[str]:
    names = list(labels or examples.labels)
    if names and len(names) != _classes(scores):
        raise ConfigError(
            f"there are {len(names)} labels ({', '.join(names)}), the network has {scores} scores",
            "name one label per score, in order: --labels",
        )
    return names
