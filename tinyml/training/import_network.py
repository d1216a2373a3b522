"""All of `tinyml quantize`: a person's own network and examples in, a checked int8 bundle out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import tasks
from tinyml.datasets import check
from tinyml.errors import ConfigError, DataError, ModelError
from tinyml.model import bundle as bundles
from tinyml.model import vectors
from tinyml.model.fingerprint import golden, quantization
from tinyml.model.oracle import Oracle
from tinyml.records import (
    Accuracy,
    Bundle,
    Card,
    DataSource,
    Division,
    FeatureConfig,
    LayerNoise,
    StreamConfig,
)
from tinyml.tflite import Tensor
from tinyml.training import keras_network, layer_noise

_SEED = 1
_FEW = 4  # fewer examples than these cannot be divided
_RULE = "a quarter of the examples of each label, drawn at random, is tried; ranges are of the rest"
_UNDIVIDED = "too few examples to divide, so the ranges are of those that are tried"
_HINT = "one example per row, of the network's input: numpy.savez(path, inputs=..., labels=...)"
_TFLITE = (
    "if it is int8 it can be used as it is: tinyml validate FILE. If it is float, quantize what it "
    "was made from, a .keras, .h5 or SavedModel: no maintained library turns a float .tflite into "
    "int8 that is proven bit-exact on microcontrollers"
)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """A bundle that was written. `agreement`: share of examples that int8 answers as float does.

    `notes` say what makes these figures doubtful.
    """

    bundle: Bundle
    kind: str
    shape: tuple[int, ...]
    agreement: float
    worst: Sequence[LayerNoise]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Examples:
    """Inputs [n, *shape] as float32; `targets` [n], or None where nobody said what they are."""

    inputs: Floats
    targets: npt.NDArray[np.int64] | None
    labels: tuple[str, ...]
    source: str
    licence: str = "as its owner states"
    skipped: tuple[str, ...] = ()
    features: FeatureConfig | None = None
    stream: StreamConfig | None = None


def quantize(
    network: Path, representative: Path, out: Path, task: str = "", labels: Sequence[str] = ()
) -> Result:
    """Make an int8 bundle of the model file `network` in the folder `out`.

    Weights have a scale per channel; the ranges of activations are those of the examples in
    `representative`, less a quarter, on which it is tried. Raises ModelError for a network that
    cannot be used, DataError for examples that are none, and ConfigError where they do not fit
    together; `out` is written whole or not at all.
    """
    bundles.check_target(out)
    _check_names(labels)
    if network.suffix == ".tflite":
        raise ModelError(f"{network} is no network to train on but one that is converted", _TFLITE)
    loaded = keras_network.load(network)
    examples = _read(representative, task, loaded.shape, labels)
    _check_inputs(examples.inputs, representative)
    learned, tried = _divided(examples)
    model, floating = keras_network.convert(loaded, examples.inputs[learned])
    scores = Oracle(model).outputs[0].elements
    names = _names(examples, labels, scores)
    _check_targets(examples, scores, representative)
    found = _try(model, floating, examples, tried)
    card = Card(
        name=out.name,
        task=task,
        labels=tuple(names),
        features=examples.features,
        stream=examples.stream,
        quantization=quantization(model),
        training={"network": network.name, "kind": loaded.kind},
        data=(_source(examples),),
        split=Division(_UNDIVIDED if len(examples.inputs) < _FEW else _RULE),
        skipped=tuple(check.summary(examples.skipped, representative)),
        stand_in=False,
        accuracy=found.accuracy,
        confusion={},
        noise=found.noise,
    )
    files = {
        bundles.MODEL: model,
        bundles.FLOAT: floating,
        bundles.GOLDEN: golden(model, _SEED, found.inputs[:4]),
    }
    bundle = bundles.save(out, card, files)
    count = len(examples.inputs)
    notes = (f"{_UNDIVIDED}: {count}, not {_FEW}",) if count < _FEW else ()
    worst = layer_noise.worst(found.noise)
    return Result(bundle, loaded.kind, loaded.shape, found.agreement, worst, notes)


def _source(examples: _Examples) -> DataSource:
    use = "ranges of int8, and a quarter for accuracy"
    return DataSource(examples.source, examples.licence, len(examples.inputs), use)


def _divided(examples: _Examples) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows that ranges are measured on, and a quarter of each label to try it on.

    Both are drawn at random: files often have their labels in turn.
    """
    rows = np.random.default_rng(_SEED).permutation(len(examples.inputs))
    if len(rows) < _FEW:
        return rows, rows
    if examples.targets is not None:
        rows = rows[np.argsort(examples.targets[rows], kind="stable")]
    tried = np.arange(len(rows)) % 4 == 3
    return np.sort(rows[~tried]), np.sort(rows[tried])


@dataclass(frozen=True)
class _Tried:
    accuracy: Accuracy
    agreement: float
    noise: tuple[LayerNoise, ...]
    inputs: list[npt.NDArray[np.int8]]


def _try(
    model: bytes, floating: bytes, examples: _Examples, tried: npt.NDArray[np.int64]
) -> _Tried:
    """Run the int8 and the float model side by side."""
    small, large = Oracle(model), Oracle(floating)
    chosen = examples.inputs[tried]
    inputs = [_quantized(one, small.inputs[0]) for one in chosen]
    answers = np.array([_answer(small.run([one])[0], small.outputs[0]) for one in inputs])
    floats = np.array([_answer(large.run([one[np.newaxis]])[0]) for one in chosen])
    accuracy = Accuracy(
        float_=None,
        int8=None,
        test_clips=len(chosen),
        part="examples that the ranges are of" if len(examples.inputs) < _FEW else "a quarter",
    )
    if examples.targets is not None:
        targets = examples.targets[tried]
        accuracy = replace(
            accuracy,
            float_=float(np.mean(floats == targets)),
            int8=float(np.mean(answers == targets)),
        )
    noise = layer_noise.measure(model, floating, inputs)
    return _Tried(accuracy, float(np.mean(answers == floats)), noise, inputs)


def _answer(scores: npt.NDArray[Any], tensor: Tensor | None = None) -> int:
    """Return the label that scores mean: the highest, or, of a single probability, whether it is
    above a half. `tensor` says what int8 scores stand for.
    """
    if scores.size > 1:
        return int(scores.argmax())
    score = float(scores.item())
    return int((score if tensor is None else (score - tensor.zero_point) * tensor.scale) > 0.5)


def _quantized(values: Floats, tensor: Tensor) -> npt.NDArray[np.int8]:
    steps = np.rint(values / np.float32(tensor.scale)) + tensor.zero_point
    quantized: npt.NDArray[np.int8] = np.clip(steps, -128, 127).astype(np.int8)[np.newaxis]
    return quantized


def _check_inputs(inputs: Floats, path: Path) -> None:
    """Raise DataError where nothing varies, which leaves no range to measure."""
    if inputs.min() == inputs.max():
        raise DataError(
            f"every value of all {len(inputs)} examples in {path} is {inputs.flat[0]:g}: nothing "
            "varies, so no range can be measured",
            "give examples as the network sees them in use",
        )


def _check_names(labels: Sequence[str]) -> None:
    """Raise ConfigError where two scores would have one name."""
    if twice := sorted({one for one in labels if list(labels).count(one) > 1}):
        raise ConfigError(
            f"--labels names {', '.join(twice)} more than once", "name each score differently"
        )


def _check_targets(examples: _Examples, scores: int, path: Path) -> None:
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
    """Return how many answers there are: one score alone is the probability of the second."""
    return 2 if scores == 1 else scores


def _names(examples: _Examples, labels: Sequence[str], scores: int) -> list[str]:
    names = list(labels or examples.labels)
    if names and len(names) != _classes(scores):
        raise ConfigError(
            f"there are {len(names)} labels ({', '.join(names)}), the network has {scores} scores",
            "name one label per score, in order: --labels",
        )
    return names


def _read(path: Path, task: str, shape: tuple[int, ...], labels: Sequence[str]) -> _Examples:
    if task:
        return _recordings(path, task, shape, labels)
    files = sorted(path.glob("*.np[yz]")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} has no .npy or .npz files", _HINT + "; or recordings with --task")
    inputs, targets = [], []
    for file in files:
        some, said = _arrays(file, shape)
        inputs.append(some)
        targets.append(said)
    known = [one for one in targets if one is not None]
    return _Examples(
        np.concatenate(inputs),
        np.concatenate(known) if len(known) == len(targets) else None,
        tuple(labels),
        path.name,
    )


def _arrays(path: Path, shape: tuple[int, ...]) -> tuple[Floats, npt.NDArray[np.int64] | None]:
    """Return the examples in one file, and what they are where it has an array `labels`."""
    found = vectors.arrays(path, "inputs", _HINT)
    targets = found.pop("labels", None)
    if len(found) != 1:
        raise DataError(f"{path} has arrays {', '.join(found) or 'none'}; one is needed", _HINT)
    (values,) = found.values()
    if values.shape == shape:
        values = values[np.newaxis]
    if values.shape[1:] != shape or not len(values) or values.dtype.kind not in "fiu":
        raise DataError(
            f"{path} has {values.dtype}{list(values.shape)}; the network takes rows of "
            f"{list(shape)}",
            _HINT,
        )
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise DataError(f"{path} has values that are not finite", "leave those examples out")
    if targets is not None and (targets.shape != (len(values),) or targets.dtype.kind not in "iu"):
        raise DataError(
            f"{path} has labels {targets.dtype}{list(targets.shape)} for {len(values)} examples",
            "give one whole number per example",
        )
    return values, None if targets is None else targets.astype(np.int64)


def _recordings(path: Path, name: str, shape: tuple[int, ...], labels: Sequence[str]) -> _Examples:
    from tinyml.training.learner import real

    task = tasks.load(name)
    if shape != task.input_shape:
        raise ConfigError(
            f"the front end of {name} gives {list(task.input_shape)}, the network takes "
            f"{list(shape)}",
            "give arrays of its input, without --task",
        )
    dataset = task.read(path)
    names = tuple(labels or dataset.labels)
    if strange := sorted({one.label for one in dataset.recordings} - set(names)):
        raise DataError(
            f"{path} has recordings of {', '.join(strange)}, which --labels does not name",
            f"its labels are: {' '.join(dataset.labels)}",
        )
    examples = task.examples(dataset.recordings, names)
    return _Examples(
        inputs=real(task, examples.inputs),
        targets=examples.targets,
        labels=names,
        source=dataset.source,
        licence=dataset.licence,
        skipped=dataset.skipped,
        features=task.features,
        stream=task.stream,
    )
