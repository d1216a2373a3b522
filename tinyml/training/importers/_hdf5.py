"""HDF5 files of strangers: only plain datasets of numbers in the file itself are let through.

HDF5 has links into other files, datasets whose bytes lie in other files, and filters that are
loaded as plug-ins: none of them is part of a network's weights.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tinyml import extras
from tinyml.errors import ModelError, ToolError

_FILTERS = frozenset(("gzip", "lzf"))
_MOST_BYTES = 1 << 32
_MOST_OBJECTS = 100_000
_HINT = "save the model again, with the Keras that made it"


def check(path: Path) -> None:
    """Raise ModelError unless the HDF5 file `path` has nothing but its own numbers and names."""
    os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # the library then loads no plug-ins at all
    try:
        import h5py
    except ImportError as error:
        raise ToolError("reading Keras models needs TensorFlow", extras.install("train")) from error
    try:
        with h5py.File(path, "r") as file:
            seen: set[Any] = set()
            total = _check_group(path.name, file, seen)
    except (OSError, RuntimeError, ValueError, KeyError, RecursionError) as error:
        raise ModelError(f"{path.name} cannot be read as a model: {error}", _HINT) from error
    if total > _MOST_BYTES:
        raise ModelError(f"{path.name} claims {total:,} bytes of weights", _HINT)


def _check_group(name: str, group: Any, seen: set[Any]) -> int:
    """Return the bytes that datasets below `group` claim to have."""
    import h5py

    seen.add(h5py.h5o.get_info(group.id).addr)
    if len(seen) > _MOST_OBJECTS:
        raise ModelError(f"{name} has more than {_MOST_OBJECTS:,} groups", _HINT)
    total = 0
    for key in group:
        link = group.get(key, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ModelError(f"{name} has a link {key!r} to somewhere else", _HINT)
        inner = group[key]
        if isinstance(inner, h5py.Group):
            if h5py.h5o.get_info(inner.id).addr not in seen:
                total += _check_group(name, inner, seen)
        elif isinstance(inner, h5py.Dataset):
            total += _check_dataset(name, inner)
    return total


def _check_dataset(name: str, dataset: Any) -> int:
    if dataset.external or dataset.is_virtual:
        raise ModelError(f"{name}: the bytes of {dataset.name} lie in other files", _HINT)
    if dataset.compression not in (None, *_FILTERS) or dataset.dtype.kind not in "fiub":
        raise ModelError(f"{name}: {dataset.name} is no plain array of numbers", _HINT)
    return int(dataset.nbytes)
