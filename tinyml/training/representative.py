"""Representative examples of a network of one's own: arrays or recordings in, float32 inputs out.

All files are looked at before the first problem is reported, by their headers where that is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import tasks
from tinyml.errors import ConfigError, DataError
from tinyml.model import npz
from tinyml.records import FeatureConfig, StreamConfig
from tinyml.training.importers import NetworkInput

HINT = "one example per row, of the network's input: numpy.savez(path, inputs=..., labels=...)"
_LABELS = "labels"
_SHOWN = 10  # files that are named

Floats = npt.NDArray[np.float32]
Targets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RepresentativeSet:
    """Of each input float32 [n, *shape]; `targets` [n], or None where nobody said what they are."""

    inputs: tuple[Floats, ...]
    targets: Targets | None
    labels: tuple[str, ...]
    source: str
    licence: str = "as its owner states"
    skipped: tuple[str, ...] = ()
    features: FeatureConfig | None = None
    stream: StreamConfig | None = None

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.inputs[0])


def read(
    path: Path, task: str, inputs: Sequence[NetworkInput], labels: Sequence[str]
) -> RepresentativeSet:
    """Return the examples in a file, or a folder of `.npy` and `.npz`, for a network's `inputs`.

    With `task` they are recordings, of which its front end makes the input. A network with several
    inputs takes an `.npz` with an array for each, by its name or as in0, in1, ... Raises DataError,
    which names every file that is wrong, and ConfigError where the front end does not fit.
    """
    examples = _recordings(path, task, inputs, labels) if task else _arrays(path, inputs, labels)
    for array in examples.inputs:
        if array.min() == array.max():
            raise DataError(
                f"every value of all {len(array)} examples in {path} is {array.flat[0]:g}: nothing "
                "varies, so no range can be measured",
                "give examples as the network sees them in use",
            )
    return examples


def _arrays(path: Path, inputs: Sequence[NetworkInput], labels: Sequence[str]) -> RepresentativeSet:
    files = sorted(path.glob("*.np[yz]")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} has no .npy or .npz files", HINT + "; or recordings with --task")
    problems, parts = [], []
    for file in files:
        try:
            parts.append(_file(file, inputs))
        except DataError as error:
            problems.append(error)
    if problems:
        more = len(problems) - _SHOWN
        texts = [error.message for error in problems[:_SHOWN]]
        texts += [f"and {more:,} more files"] if more > 0 else []
        raise DataError("\n".join(texts), problems[0].hint)
    targets = [each for _, each in parts if each is not None]
    return RepresentativeSet(
        tuple(np.concatenate([arrays[i] for arrays, _ in parts]) for i in range(len(inputs))),
        np.concatenate(targets) if len(targets) == len(parts) else None,
        tuple(labels),
        path.name,
    )


def _file(path: Path, inputs: Sequence[NetworkInput]) -> tuple[list[Floats], Targets | None]:
    """Return the examples in one file, and what they are where it has an array `labels`."""
    try:
        headers = npz.headers(path, "inputs")
        names = _names(path, headers, inputs)
        for name, each in zip(names, inputs, strict=True):
            _check_shape(path, headers[name], each)
        wanted = [*names, *({_LABELS} & headers.keys())]
        loaded = npz.arrays(path, "inputs", wanted, most_bytes=1 << 34)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path} holds no numpy arrays of numbers: {error}", HINT) from error
    arrays = []
    for name, each in zip(names, inputs, strict=True):
        values = loaded[name].astype(np.float32)
        arrays.append(values[np.newaxis] if values.shape == each.shape else values)
        if not np.isfinite(values).all():
            raise DataError(f"{path} has values that are not finite", "leave those examples out")
    counts = sorted({len(array) for array in arrays})
    if len(counts) > 1:
        raise DataError(f"{path} has {counts[0]} to {counts[-1]} examples of its inputs", HINT)
    return arrays, _targets(path, loaded.get(_LABELS), counts[0])


def _names(
    path: Path, headers: Mapping[str, npz.ArrayHeader], inputs: Sequence[NetworkInput]
) -> list[str]:
    """Return which array of a file is which input."""
    there = [name for name in headers if name != _LABELS]
    if len(inputs) == 1:
        if len(there) != 1:
            raise DataError(f"{path} has arrays {', '.join(there) or 'none'}; one is needed", HINT)
        return there
    for names in ([each.name for each in inputs], [f"in{i}" for i in range(len(inputs))]):
        if set(names) <= set(there):
            return names
    shapes = ", ".join(f"{each.name} {list(each.shape)}" for each in inputs)
    raise DataError(
        f"{path} has arrays {', '.join(there) or 'none'}; the network's inputs are {shapes}",
        "numpy.savez(path, in0=..., in1=..., labels=...), one example per row of each",
    )


def _check_shape(path: Path, header: npz.ArrayHeader, wanted: NetworkInput) -> None:
    rows = header.shape[1:] == wanted.shape and header.shape[0] > 0
    if not (rows or header.shape == wanted.shape) or header.dtype.kind not in "fiu":
        raise DataError(
            f"{path} has {header.dtype}{list(header.shape)}; the network takes rows of "
            f"{list(wanted.shape)}",
            HINT,
        )


def _targets(path: Path, values: npt.NDArray[Any] | None, count: int) -> Targets | None:
    if values is None:
        return None
    if values.shape != (count,) or values.dtype.kind not in "iu":
        raise DataError(
            f"{path} has labels {values.dtype}{list(values.shape)} for {count} examples",
            "give one whole number per example",
        )
    return values.astype(np.int64)


def _recordings(
    path: Path, name: str, inputs: Sequence[NetworkInput], labels: Sequence[str]
) -> RepresentativeSet:
    from tinyml.training.learner import real

    task = tasks.load(name)
    shapes = [each.shape for each in inputs]
    if shapes != [task.input_shape]:
        raise ConfigError(
            f"the front end of {name} gives {list(task.input_shape)}, the network takes "
            + " and ".join(str(list(shape)) for shape in shapes),
            "give arrays of its input, without --task",
        )
    dataset = task.read(path)
    names = tuple(labels or dataset.labels)
    if strange := sorted({recording.label for recording in dataset.recordings} - set(names)):
        raise DataError(
            f"{path} has recordings of {', '.join(strange)}, which --labels does not name",
            f"its labels are: {' '.join(dataset.labels)}",
        )
    examples = task.examples(dataset.recordings, names)
    return RepresentativeSet(
        inputs=(real(task, examples.inputs),),
        targets=examples.targets,
        labels=names,
        source=dataset.source,
        licence=dataset.licence,
        skipped=dataset.skipped,
        features=task.features,
        stream=task.stream,
    )
