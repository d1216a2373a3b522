"""Importers of networks: model files as people have them to float functions that can be quantized.

One file a kind of model file. It defines

    SUFFIXES: what names of its files end with; "" for folders
    WHAT: what it reads, for messages
    describe(path: Path) -> Description
        What the file says of itself, without TensorFlow. Raises ModelError for a file that holds
        anything but a network: code, or a layer or operator that is not on a list of known ones.
    load(path: Path, unroll: bool) -> Function
        The network, after the same checks. With `unroll` recurrent layers become a step after the
        other, as far as they can.

Both run only in the confined process of `tinyml.training.conversion`, on a copy of the file that
nobody else can exchange.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from tinyml.errors import ModelError
from tinyml.registry import Registry

_IMPORTERS = Registry(__name__, "importer")


@dataclass(frozen=True)
class NetworkInput:
    """An input of a network: float32 [n, *shape]."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Description:
    """What a model file says of itself: `kind` in words, inputs in order, number of `outputs`.

    `recurrent`: whether it has layers that `load` can unroll. `classifies`: whether its last layer
    makes probabilities of classes; None where the file does not say.
    """

    kind: str
    inputs: tuple[NetworkInput, ...]
    outputs: int
    recurrent: bool = False
    classifies: bool | None = None


@dataclass(frozen=True)
class Function:
    """A concrete function of TensorFlow from float32 [1, *shape] each to outputs.

    `source` holds the variables that it reads.
    """

    concrete: Any
    source: Any


class Importer(Protocol):
    """What a file of this folder defines."""

    SUFFIXES: tuple[str, ...]
    WHAT: str

    def describe(self, path: Path) -> Description:
        """Return what the file says of itself, without TensorFlow; raises ModelError."""
        ...

    def load(self, path: Path, unroll: bool) -> Function:
        """Return the network; raises ModelError, and whatever TensorFlow raises."""
        ...


def find(path: Path) -> Importer:
    """Return the importer of the model file or folder `path`.

    Raises ModelError where there is no such file, or none takes it; the hint says what is taken.
    """
    importers = [cast(Importer, _IMPORTERS.load(name)) for name in _IMPORTERS.names()]
    hint = "give " + ", or ".join(importer.WHAT for importer in importers)
    if not path.exists():
        raise ModelError(f"{path} does not exist", hint)
    suffix = "" if path.is_dir() else path.suffix.lower()
    for importer in importers:
        if suffix in importer.SUFFIXES:
            return importer
    raise ModelError(f"{path} is no model file that is known here", hint)


def one_shape(path: Path, name: str, shape: Any) -> tuple[int, ...]:
    """Return the shape of one example from that of a batch; raises ModelError for unknown sizes."""
    sizes = list(shape)[1:] if isinstance(shape, list | tuple) else []
    if not sizes or not all(type(size) is int and 0 < size < 1 << 24 for size in sizes):
        raise ModelError(
            f"{path.name} has an input {name} of shape {str(shape)[:80]}; all but the first must "
            "be fixed",
            "save the model with a fixed input shape",
        )
    return tuple(sizes)
