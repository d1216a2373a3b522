"""`saved_model.pb` without TensorFlow: its signature, and every operator that its graphs have.

A reader of the protocol buffers wire format (protobuf.dev/programming-guides/encoding) for the few
fields of tensorflow/core/protobuf/{saved_model,meta_graph}.proto that are needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Field = tuple[int, "bytes | int"]
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Field numbers: SavedModel, MetaGraphDef, GraphDef, NodeDef, FunctionDef, SignatureDef, TensorInfo.
_META_GRAPHS, _GRAPH, _SIGNATURES = 2, 2, 5
_NODES, _LIBRARY, _FUNCTIONS, _FUNCTION_NODES, _OPERATOR = 1, 2, 1, 3, 2
_INPUTS, _OUTPUTS, _TENSOR_DTYPE, _TENSOR_SHAPE, _DIMENSION, _SIZE = 1, 2, 2, 3, 2, 1


@dataclass(frozen=True)
class Signature:
    """A signature: shapes of inputs by name in order of names, -1 or None for unknown sizes."""

    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    outputs: int


def read(contents: bytes) -> tuple[dict[str, Signature], frozenset[str]]:
    """Return the signatures by name, and the names of all operators; raises ValueError."""
    signatures: dict[str, Signature] = {}
    operators: set[str] = set()
    for graph in _messages(contents, _META_GRAPHS):
        for entry in _messages(graph, _SIGNATURES):
            name, value = _entry(entry)
            signatures[name] = _signature(value)
        for definition in _messages(graph, _GRAPH):
            operators |= {_operator(node) for node in _messages(definition, _NODES)}
            for library in _messages(definition, _LIBRARY):
                for function in _messages(library, _FUNCTIONS):
                    nodes = _messages(function, _FUNCTION_NODES)
                    operators |= {_operator(node) for node in nodes}
    return signatures, frozenset(operators)


def _signature(message: bytes) -> Signature:
    inputs = []
    for entry in _messages(message, _INPUTS):
        name, info = _entry(entry)
        shape = [
            _signed(size)
            for dimensions in _messages(info, _TENSOR_SHAPE)
            for dimension in _messages(dimensions, _DIMENSION)
            for size in _numbers(dimension, _SIZE)
        ]
        inputs.append((name, tuple(shape)))
    return Signature(tuple(sorted(inputs)), len(list(_messages(message, _OUTPUTS))))


def _operator(node: bytes) -> str:
    return _last(node, _OPERATOR).decode()


def _entry(message: bytes) -> tuple[str, bytes]:
    """Return key and value of an entry of a map."""
    return _last(message, 1).decode(), _last(message, 2)


def _last(message: bytes, number: int) -> bytes:
    """Return a field that is there once: of several, protobuf's own readers take the last one."""
    return next(iter([*_messages(message, number)][-1:]), b"")


def _messages(message: bytes, number: int) -> Iterator[bytes]:
    return (value for field, value in _fields(message) if field == number and type(value) is bytes)


def _numbers(message: bytes, number: int) -> Iterator[int]:
    return (value for field, value in _fields(message) if field == number and type(value) is int)


def _fields(message: bytes) -> Iterator[Field]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {at:,}")
        if at + length > len(message):
            raise ValueError(f"a field of {length:,} bytes at byte {at:,} of {len(message):,}")
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError(f"a number that does not end, at byte {at:,}")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
