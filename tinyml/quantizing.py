"""All of `tinyml quantize`: a person's own network and examples in, a checked int8 bundle out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import bundle as bundles
from tinyml import sqnr, tasks, train
from tinyml.datasets import check
from tinyml.errors import ConfigError, DataError, ModelError
from tinyml.oracle import Oracle
from tinyml.records import Bundle, FeatureConfig, StreamConfig
from tinyml.sqnr import LayerNoise
from tinyml.tflite import Tensor
from tinyml.training import own

_SEED = 1
_HINT = "one example per row, of the network's input: numpy.savez(path, inputs=..., labels=...)"
_TFLITE = (
    "quantize the network it was made from: a .keras, .h5 or SavedModel. No maintained library "
    "turns a float .tflite into int8 that is proven bit-exact on microcontrollers"
)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Result:
    """A bundle that was written. `agreement`: share of examples that int8 answers as float does."""

    bundle: Bundle
    kind: str
    shape: tuple[int, ...]
    agreement: float
    worst: Sequence[LayerNoise]


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
    `representative`, less every fourth, on which it is tried. Raises ModelError for a network that
    cannot be used, DataError for examples that are none, and ConfigError where they do not fit
    together; `out` is written whole or not at all.
    """
    bundles.check_target(out)
    if network.suffix == ".tflite":
        raise ModelError(f"{network} is a float network that is converted already", _TFLITE)
    loaded = own.load(network)
    examples = _read(representative, task, loaded.shape, labels)
    tried = np.arange(len(examples.inputs)) % 4 == 3
    if not tried.any():
        tried[:] = True
    learned = examples.inputs[~tried] if not tried.all() else examples.inputs
    model, floating = own.convert(loaded, learned)
    found = _try(model, floating, examples, tried)
    scores = Oracle(model).outputs[0].elements
    names = _names(examples, labels, scores)
    card = {
        "name": out.name,
        "task": task,
        "labels": names,
        "features": asdict(examples.features) if examples.features else None,
        "stream": asdict(examples.stream) if examples.stream else None,
        "quantization": train.quantization(model),
        "training": {"network": network.name, "kind": loaded.kind},
        "data": [
            {
                "source": examples.source,
                "licence": examples.licence,
                "clips": len(examples.inputs),
                "use": "ranges of int8, and every fourth for accuracy",
            }
        ],
        "split": {"rule": "every fourth example is tried, the ranges are of the others"},
        "skipped": check.summary(examples.skipped, representative),
        "accuracy": found.accuracy,
        "confusion": {},
        "noise": sqnr.document(found.noise),
        "stand_in": False,
    }
    files = {
        bundles.MODEL: model,
        bundles.FLOAT: floating,
        bundles.GOLDEN: train.golden(model, _SEED, found.inputs[:4]),
    }
    bundle = bundles.save(out, card, files)
    return Result(bundle, loaded.kind, loaded.shape, found.agreement, sqnr.worst(found.noise))


@dataclass(frozen=True)
class _Tried:
    accuracy: dict[str, Any]
    agreement: float
    noise: tuple[LayerNoise, ...]
    inputs: list[npt.NDArray[np.int8]]


def _try(
    model: bytes, floating: bytes, examples: _Examples, tried: npt.NDArray[np.bool_]
) -> _Tried:
    """Run the int8 and the float model side by side."""
    small, large = Oracle(model), Oracle(floating)
    chosen = examples.inputs[tried]
    inputs = [_quantized(one, small.inputs[0]) for one in chosen]
    answers = np.array([_answer(small.run([one])[0], small.outputs[0]) for one in inputs])
    floats = np.array([_answer(large.run([one[np.newaxis]])[0]) for one in chosen])
    accuracy: dict[str, Any] = {
        "float": None,
        "int8": None,
        "test_clips": len(chosen),
        "part": "every fourth example",
    }
    if examples.targets is not None:
        targets = examples.targets[tried]
        accuracy["float"] = float(np.mean(floats == targets))
        accuracy["int8"] = float(np.mean(answers == targets))
    noise = sqnr.measure(model, floating, inputs)
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


def _names(examples: _Examples, labels: Sequence[str], scores: int) -> list[str]:
    names = list(labels or examples.labels)
    if names and len(names) != max(scores, 2 if scores == 1 else scores):
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
    try:
        loaded = np.load(path, allow_pickle=False)
        found = dict(loaded.items()) if path.suffix == ".npz" else {"inputs": loaded}
    except Exception as error:  # numpy raises many kinds for a damaged file
        raise DataError(f"{path} cannot be read as numpy arrays: {error}", _HINT) from error
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
