"""Conversion of a network of one's own: a model file and examples in, int8 and float `.tflite` out.

Model files are opened in a process of their own, confined to a copy of them, in which a crash of a
library is a message here. It is started twice: first, without TensorFlow, for what the file says of
itself; then to convert, when examples were found to fit.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import proc, tflite
from tinyml.errors import ConfigError, ModelError, TinymlError, ToolError
from tinyml.model import confinement, npz
from tinyml.training import importers
from tinyml.training.importers import Description, NetworkInput

Floats = npt.NDArray[np.float32]
_DESCRIBE_S, _CONVERT_S = 120.0, 3600.0
_MEMORY_BYTES = 8 << 30  # to describe; TensorFlow reserves more address space than it uses
_INT8, _FLOAT, _EXAMPLES, _ANSWER = "int8.tflite", "float.tflite", "examples.npz", "answer.json"
# The converter's quantizer visits operators in the order of their addresses: of the same unrolled
# network it left a SPLIT in float in some tries, once in three in a row. A try takes seconds.
_TRIES = 10
_HINT = "replace that layer by one that TensorFlow Lite knows in int8"


@dataclass(frozen=True)
class Converted:
    """A network as int8 and as float `.tflite`, with the same operators.

    `unrolled`: whether its recurrent layers became one step after the other.
    """

    int8: bytes
    floating: bytes
    unrolled: bool = False


def describe(path: Path) -> Description:
    """Return what a model file says of itself, without TensorFlow.

    Raises ModelError for a file that is none, that is damaged, or that holds code.
    """
    importers.find(path)
    with tempfile.TemporaryDirectory(prefix="tinyml-") as folder:
        answer = _in_process("describe", _copied(path, Path(folder)), Path(folder), path.name)
    return Description(
        kind=str(answer["kind"]),
        inputs=tuple(
            NetworkInput(str(each["name"]), tuple(each["shape"])) for each in answer["inputs"]
        ),
        outputs=int(answer["outputs"]),
        recurrent=bool(answer["recurrent"]),
        classifies=answer["classifies"],
    )


def convert(path: Path, description: Description, examples: Sequence[Floats]) -> Converted:
    """Return the network in a model file as int8 and as float `.tflite`.

    `examples`: of each input float32 [n, *shape], real ones, from which the ranges of all
    activations are measured. Weights have a scale per channel. Recurrent layers that the converter
    cannot take are unrolled. Raises ModelError where int8 cannot express a layer, operators that
    need floats remain, or the converter crashes.
    """
    try:
        return _converted(path, examples, unroll=False)
    except ModelError as error:
        if not description.recurrent:
            raise
        first = error
    for _ in range(_TRIES):
        try:
            return _converted(path, examples, unroll=True)
        except ModelError as error:
            last = error
    raise ModelError(f"{first.message}; unrolled: {last.message}", last.hint) from last


def _converted(path: Path, examples: Sequence[Floats], unroll: bool) -> Converted:
    with tempfile.TemporaryDirectory(prefix="tinyml-") as name:
        folder = Path(name)
        copy = _copied(path, folder)
        with (folder / _EXAMPLES).open("wb") as file:
            arrays: dict[str, Any] = {f"in{i}": array for i, array in enumerate(examples)}
            np.savez(file, **arrays)
        _in_process("unroll" if unroll else "convert", copy, folder, path.name)
        int8, floating = ((folder / part).read_bytes() for part in (_INT8, _FLOAT))
    _check_int8(path.name, int8)
    return Converted(int8, floating, unroll)


def _check_int8(name: str, model: bytes) -> None:
    graph = tflite.read(model, name)
    floats: dict[str, int] = {}
    for op in graph.ops:
        tensors = [graph.tensors[index] for index in (*op.inputs, *op.outputs) if index >= 0]
        if any(tensor.dtype.startswith("float") for tensor in tensors):
            floats.setdefault(op.name, op.index)
    if floats:
        named = ", ".join(f"operator {index} ({kind})" for kind, index in floats.items())
        raise ModelError(f"{name} keeps floats: {named} has no int8 form", _HINT)


def _copied(path: Path, folder: Path) -> Path:
    """Return a copy of a model file that nobody else can exchange; links are left out."""
    copy = folder / "network" / path.name.lstrip("-")
    copy.parent.mkdir()
    try:
        if not path.is_dir():
            shutil.copyfile(path, copy)
            return copy
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.is_symlink():
                target = copy / file.relative_to(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        copy.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    return copy


def _in_process(what: str, copy: Path, folder: Path, name: str) -> dict[str, Any]:
    """Do `what` with the network `copy` in a confined process; return what it answers."""
    command: list[str | Path] = [*proc.python(__name__), what, copy, folder]
    limit_s = _DESCRIBE_S if what == "describe" else _CONVERT_S
    done = proc.run(command, cwd=folder, timeout_s=limit_s, check=False)
    answer = folder / _ANSWER
    if done.code != 0 or not answer.is_file():
        how = proc.ended_by(done.code)
        if not how.startswith("SIG"):
            tail = "\n".join(done.output.splitlines()[-5:])
            raise ToolError(f"the process that reads {name} ended: {how}\n{tail}")
        library = "its reader" if what == "describe" else "TensorFlow's converter"
        raise ModelError(f"{name} cannot become int8: {library} dies of it ({how})", _HINT)
    result: dict[str, Any] = json.loads(answer.read_bytes())
    if "error" in result:
        kind = ToolError if result["tool"] else ModelError
        raise kind(str(result["error"]), str(result["hint"]))
    return result


def main() -> None:
    """Describe or convert, in the confined process: WHAT NETWORK FOLDER are its arguments."""
    what, path, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    confinement.confine(folder, memory_bytes=_MEMORY_BYTES if what == "describe" else 0)
    try:
        answer = _described(path) if what == "describe" else _written(path, folder, what)
    except TinymlError as error:
        is_tool = isinstance(error, ToolError)
        answer = {"error": error.message, "hint": error.hint, "tool": is_tool}
    (folder / _ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _described(path: Path) -> dict[str, Any]:
    return asdict(importers.find(path).describe(path))


def _written(path: Path, folder: Path, what: str) -> dict[str, Any]:
    """Convert the network `path` and write both forms into `folder`."""
    from tinyml.training import quantize, silenced, tensorflow

    loaded = npz.arrays(folder / _EXAMPLES, most_bytes=1 << 40)
    chosen = [quantize.spread(loaded[f"in{number}"]) for number in range(len(loaded))]
    tf = tensorflow()

    def batches() -> Iterator[list[Any]]:
        for row in zip(*chosen, strict=True):
            yield [values[np.newaxis] for values in row]

    def converter(function: importers.Function) -> Any:
        return tf.lite.TFLiteConverter.from_concrete_functions([function.concrete], function.source)

    try:
        with silenced():
            function = importers.find(path).load(path, what == "unroll")
    except TinymlError:
        raise
    except Exception as error:  # what TensorFlow and Keras raise is of every kind
        raise ModelError(
            f"{path.name} cannot be read as a model: {_first_line(error)}",
            "save it again, whole: model.save(FILE), or export it: model.export(FOLDER)",
        ) from error
    try:
        int8 = quantize.integer(converter(function), batches)
        with silenced():
            floating = bytes(converter(function).convert())
    except Exception as error:  # the converter raises all kinds
        raise ModelError(f"{path.name} cannot become int8: {_first_line(error)}", _HINT) from error
    (folder / _INT8).write_bytes(int8)
    (folder / _FLOAT).write_bytes(floating)
    return {}


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else 'no reason given'}"
