"""Damaged `.tflite` files that still are files of the format: one or two fields hold other values.

A structure-aware fuzzer: the model is unpacked into its tables, fields are changed, and it is
packed again, so that what comes out gets past a check of the format and reaches what computes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_NUMBERS = (-(2**31), -129, -2, -1, 0, 1, 2, 3, 7, 128, 255, 4096, 32767, 65536, 2**31 - 1)
_FLOATS = (0.0, -1.0, 1e-30, 1e-7, 1.0, 3e38, float("inf"), float("nan"))


def mutants(model: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` variants of `model`; an equal seed yields equal ones."""
    draw = np.random.default_rng(seed)
    for _ in range(count):
        tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
        try:
            for _ in range(int(draw.integers(1, 3))):
                _change(tree, draw)
            builder = flatbuffers.Builder(len(model))
            builder.Finish(tree.Pack(builder), b"TFL3")
        except Exception:  # nothing left to change, or a value that its field cannot hold
            continue
        yield bytes(builder.Output())


def _change(tree: Any, draw: np.random.Generator) -> None:
    """Change a field of a random tensor, operator, buffer, or of the graph."""
    graph = tree.subgraphs[0]
    what = _one(draw, ("tensor", "tensor", "operator", "operator", "buffer", "graph", "code"))
    if what == "tensor":
        tensor = _one(draw, graph.tensors)
        inside = tensor.quantization
        places = [(tensor, name) for name in ("shape", "type", "buffer", "isVariable")]
        if inside is not None:
            places += [(inside, name) for name in ("scale", "zeroPoint", "quantizedDimension")]
    elif what == "operator":
        op = _one(draw, graph.operators)
        places = [(op, name) for name in ("inputs", "outputs", "opcodeIndex")]
        if op.builtinOptions is not None:
            places += [(op.builtinOptions, name) for name in vars(op.builtinOptions)] * 2
    elif what == "buffer":
        places = [(_one(draw, tree.buffers), "data")]
    elif what == "code":
        code = _one(draw, tree.operatorCodes)
        places = [(code, "builtinCode"), (code, "deprecatedBuiltinCode"), (code, "version")]
    else:
        places = [(graph, "inputs"), (graph, "outputs"), (graph, "operators"), (tree, "version")]
    holder, name = _one(draw, places)
    setattr(holder, name, _other(getattr(holder, name), draw))


def _other(value: Any, draw: np.random.Generator) -> Any:
    """Return another value of the same kind."""
    if value is None:
        return None
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return _one(draw, _FLOATS)
    if isinstance(value, int | np.integer):
        return _one(draw, (*_NUMBERS, int(value) + 1, int(value) - 1))
    if not len(value):
        return value
    changed = value.copy() if isinstance(value, np.ndarray) else list(value)
    place = int(draw.integers(len(changed)))
    action = _one(draw, ("other", "other", "shorter", "longer", "swapped"))
    if action == "shorter":
        return changed[:place]
    if action == "longer":
        return np.append(changed, changed[place]) if isinstance(changed, np.ndarray) else changed
    if action == "swapped" or not np.isscalar(changed[place]):
        other = int(draw.integers(len(changed)))
        changed[place], changed[other] = changed[other], changed[place]
        return changed
    if isinstance(changed, np.ndarray):
        if changed.dtype.kind == "f":
            changed[place] = _one(draw, _FLOATS)
        else:
            limits = np.iinfo(changed.dtype)
            changed[place] = np.clip(_one(draw, _NUMBERS), limits.min, limits.max)
        return changed
    changed[place] = _other(changed[place], draw)
    return changed


def _one(draw: np.random.Generator, choices: Any) -> Any:
    return choices[int(draw.integers(len(choices)))]
