"""Inputs for a model from files: arrays, raw tensors or recordings in, named input lists out.

Nothing is guessed or converted: an array of another shape or dtype is refused with both named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import DataError
from tinyml.model import npz
from tinyml.model.bundle import GOLDEN
from tinyml.records import Bundle, TensorInfo

Array = NDArray[Any]
_HINT = "save it with numpy.savez(path, in0=..., in1=...)"


@dataclass(frozen=True)
class Vector:
    """One inference: `arrays` has one array per model input, exactly its shape and dtype."""

    name: str
    arrays: list[Array]


def load(path: Path, bundle: Bundle, inputs: Sequence[TensorInfo]) -> list[Vector]:
    """Return the vectors at `path`: an .npz or .npy file, or a folder of .bin files or recordings.

    .npz: arrays in0, in1, ... each of the input's shape, or with a leading axis of N vectors.
    .npy: the same for a model with one input. .bin: the raw little-endian bytes of all inputs one
    after the other. Recordings, as the model's front end takes them: the window of each that its
    task learns from; a shorter one is followed by a pause. Raises DataError naming the path for
    anything else.
    """
    if path.suffix in (".npz", ".npy") and path.is_file():
        return _from_arrays(path, inputs)
    if path.is_dir():
        if raw := sorted(file for file in path.iterdir() if file.suffix == ".bin"):
            return [_from_bytes(file, inputs) for file in raw]
        return _from_recordings(path, bundle, inputs)
    if not path.exists():
        raise DataError(f"{path} does not exist", "check the path given to --inputs")
    raise DataError(
        f"{path} is not an .npz or .npy file and not a folder", "see: tinyml validate --help"
    )


def default(bundle: Bundle, inputs: Sequence[TensorInfo], count: int, seed: int) -> list[Vector]:
    """Return the bundle's golden vectors, or `count` seeded random ones where it has none."""
    golden = bundle.path / GOLDEN
    if bundle.path.is_dir() and golden.is_file():
        return _from_arrays(golden, inputs)
    return random(inputs, count, seed)


def random(inputs: Sequence[TensorInfo], count: int, seed: int) -> list[Vector]:
    """Return `count` vectors: lowest values, highest values, then uniform over the whole range.

    Float inputs range over -1..1.
    """
    generator = np.random.default_rng(seed)

    def fill(info: TensorInfo, number: int) -> Array:
        dtype = np.dtype(info.dtype)
        if dtype.kind == "f":
            ends: tuple[float, float] = (-1.0, 1.0)
            drawn: Array = generator.uniform(*ends, info.shape)
        else:
            low, high = _range(dtype)
            ends = low, high
            drawn = generator.integers(low, high, info.shape, np.int64, endpoint=True)
        return drawn.astype(dtype) if number >= 2 else np.full(info.shape, ends[number], dtype)

    names = ["lowest", "highest", *(f"random {number}" for number in range(2, count))]
    return [
        Vector(name, [fill(info, number) for info in inputs])
        for number, name in enumerate(names[:count])
    ]


def _range(dtype: np.dtype[Any]) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _from_arrays(path: Path, inputs: Sequence[TensorInfo]) -> list[Vector]:
    stacks = [_stack(path, array, info) for array, info in _arrays(path, inputs)]
    counts = {len(stack) for stack in stacks}
    if len(counts) != 1 or counts == {0}:
        numbers = ", ".join(str(len(stack)) for stack in stacks)
        raise DataError(
            f"{path}: inputs have {numbers} vectors", "give each input as many, and some"
        )
    return [
        Vector(f"{path.name}[{number}]", [stack[number] for stack in stacks])
        for number in range(counts.pop())
    ]


def arrays(
    path: Path, alone: str, hint: str, names: Collection[str] | None = None
) -> dict[str, Array]:
    """Return the arrays of an `.npz` file by name, or that of an `.npy` file as `alone`.

    `names`: those that are wanted, of which some may be absent; None for all. Raises DataError,
    with `hint` where the file holds something else.
    """
    try:
        return npz.arrays(path, alone, names)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path} holds no numpy arrays of numbers: {error}", hint) from error


def _arrays(path: Path, inputs: Sequence[TensorInfo]) -> Iterable[tuple[Array, TensorInfo]]:
    wanted = [f"in{number}" for number in range(len(inputs))]
    loaded = arrays(path, "in0", _HINT, wanted)
    for number, info in enumerate(inputs):
        array = loaded.get(f"in{number}")
        if array is None:
            names = ", ".join(sorted(npz.headers(path, "in0"))) or "none"
            raise DataError(
                f"{path} has no array in{number} for input {info.name!r} (it has: {names})",
                _HINT,
            )
        yield array, info


def _stack(path: Path, array: Array, info: TensorInfo) -> Array:
    """Return `array` with a leading axis of vectors, checked against the input's shape."""
    if array.dtype != np.dtype(info.dtype):
        raise DataError(
            f"{path}: input {info.name!r} is {info.dtype}, the array is {array.dtype}",
            f"quantize it: round(x / {info.scale:g}) + {info.zero_point}" if info.scale else "",
        )
    if array.shape == info.shape:
        return array[np.newaxis]
    if array.shape[1:] == info.shape:
        return array
    raise DataError(
        f"{path}: input {info.name!r} has shape {list(info.shape)}, the array {list(array.shape)}",
        f"reshape it to {list(info.shape)} or (N, {', '.join(map(str, info.shape))})",
    )


def _from_bytes(path: Path, inputs: Sequence[TensorInfo]) -> Vector:
    raw = path.read_bytes()
    expected = sum(info.bytes for info in inputs)
    if len(raw) != expected:
        raise DataError(
            f"{path} has {len(raw):,} bytes, the model's inputs need {expected:,}",
            "each .bin holds the raw bytes of all inputs, little endian, one after the other",
        )
    arrays = []
    for info in inputs:
        dtype = np.dtype(info.dtype).newbyteorder("<")
        arrays.append(np.frombuffer(raw[: info.bytes], dtype).reshape(info.shape))
        raw = raw[info.bytes :]
    return Vector(path.name, arrays)


def _from_recordings(folder: Path, bundle: Bundle, inputs: Sequence[TensorInfo]) -> list[Vector]:
    if bundle.features is None or len(inputs) != 1:
        raise DataError(
            f"{folder} has no .bin files, and {bundle.name} does not say how recordings become "
            "its input",
            "give a bundle that tinyml train wrote, or tensors as .npz or .bin files",
        )
    from tinyml import features, tasks
    from tinyml.datasets import check, clips

    front_end = features.load(bundle.features)
    if not check.recordings_in(folder, front_end.suffixes):
        known = " or ".join((".bin", *front_end.suffixes))
        raise DataError(f"{folder} has no {known} files", "tinyml validate --help")
    wanted = inputs[0].bytes // front_end.row_bytes

    chosen = tasks.load(bundle.task).window if bundle.task in tasks.names() else None

    def convert(clip: clips.Clip) -> Array:
        front_end.reset()
        samples = chosen(clip.samples) if chosen else clip.samples
        pause = front_end.pause(front_end.samples_for(wanted), samples)
        window = np.concatenate([front_end.push(samples), front_end.push(pause)])[:wanted]
        if len(window) < wanted:
            raise DataError(
                f"{folder / clip.name} holds nothing that {bundle.name} sees", "record it again"
            )
        return window.reshape(inputs[0].shape)

    return [Vector(clip.name, [convert(clip)]) for clip in clips.load([folder], front_end)]
