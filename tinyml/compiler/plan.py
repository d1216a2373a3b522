"""Static memory plan: buffers with sizes and lifetimes in, an offset for each in one arena out."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyml.compiler.call import Call
from tinyml.records import DTYPE_BYTES
from tinyml.tflite import Graph

_ALIGN = 4
_SCRATCH_ALIGN = 8
_MOVES = 200

Overlaps = Mapping[tuple[int, int], int]
_NO_OVERLAPS: Overlaps = {}


@dataclass(frozen=True)
class Buffer:
    """Memory that must stay intact from step `first` to step `last`, both included."""

    key: int
    bytes: int
    first: int
    last: int
    align: int = _ALIGN

    def overlaps(self, other: Buffer) -> bool:
        """True where both live at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Plan:
    """Offsets in the arena: `tensors` by the tensor that owns the bytes, `scratch` by step."""

    tensors: Mapping[int, int]
    scratch: Mapping[int, int]
    arena_bytes: int


def plan(graph: Graph, calls: Sequence[Call], scratch_bytes: Sequence[int]) -> Plan:
    """Place every run-time tensor of `graph` and the scratch memory of every step.

    `calls[i]` and `scratch_bytes[i]` belong to `graph.ops[i]`. Inputs are intact until their last
    reader has run, outputs from their step to the end.
    """
    buffers = _lifetimes(graph)
    owner = _share_in_place(graph, calls, buffers)
    scratch_key = {
        step: len(graph.tensors) + step for step, size in enumerate(scratch_bytes) if size > 0
    }
    for step, key in scratch_key.items():
        buffers[key] = Buffer(key, scratch_bytes[step], step, step, _SCRATCH_ALIGN)
    offsets = place(list(buffers.values()), _overlaps(graph, calls, buffers, owner))
    arena = max((offsets[key] + buffer.bytes for key, buffer in buffers.items()), default=0)
    return Plan(
        tensors={tensor: offsets[root] for tensor, root in owner.items()},
        scratch={step: offsets[key] for step, key in scratch_key.items()},
        arena_bytes=_aligned(arena, _SCRATCH_ALIGN),
    )


def place(buffers: Sequence[Buffer], overlaps: Overlaps = _NO_OVERLAPS) -> dict[int, int]:
    """Return an offset for each buffer's key, so that no two that live together overlap.

    `overlaps[input, output]` allows that pair to overlap where the output starts at least so many
    bytes before the input. First-fit in the best of several orders, improved by moving one buffer
    at a time (fixed seed: equal input, equal plan) until the arena reaches the lower bound or the
    moves are used up.
    """
    bound = lower_bound(buffers, overlaps)
    generator = random.Random(0)
    orders = [
        sorted(buffers, key=lambda b: (-b.bytes, b.first, b.key)),
        sorted(buffers, key=lambda b: (b.first, -b.bytes, b.key)),
        sorted(buffers, key=lambda b: (-b.last, -b.bytes, b.key)),
        sorted(buffers, key=lambda b: (b.first - b.last, -b.bytes, b.key)),
    ]
    best_order = min(orders, key=lambda order: _first_fit(order, overlaps)[1])
    best, best_bytes = _first_fit(best_order, overlaps)
    for _ in range(_MOVES):
        if best_bytes <= bound:
            break
        order = _moved(best_order, best, best_bytes, generator)
        offsets, arena = _first_fit(order, overlaps)
        if arena <= best_bytes:
            best, best_bytes, best_order = offsets, arena, order
    return best


def lower_bound(buffers: Sequence[Buffer], overlaps: Overlaps = _NO_OVERLAPS) -> int:
    """The largest sum of bytes that live at one step: no plan can do with less."""
    by_key = {buffer.key: buffer for buffer in buffers}
    saved: dict[int, int] = {}
    for (source, target), distance in overlaps.items():
        one, two = by_key[source], by_key[target]
        union = max(distance + one.bytes, two.bytes)
        saved[two.first] = saved.get(two.first, 0) + max(one.bytes + two.bytes - union, 0)
    steps = {buffer.first for buffer in buffers}
    sums = {
        step: sum(b.bytes for b in buffers if b.first <= step <= b.last) - saved.get(step, 0)
        for step in steps
    }
    return max(sums.values(), default=0)


def _lifetimes(graph: Graph) -> dict[int, Buffer]:
    """One buffer for each tensor that owns memory, keyed by its index. Inputs live from -1 on."""
    end = len(graph.ops)
    first = {graph.storage(index): -1 for index in graph.inputs}
    last = {graph.storage(index): -1 for index in graph.inputs}
    for step, op in enumerate(graph.ops):
        for index in (*op.inputs, *op.outputs):
            if index < 0 or graph.tensors[index].is_constant:
                continue
            owner = graph.storage(index)
            first.setdefault(owner, step)
            last[owner] = step
    for index in graph.outputs:
        last[graph.storage(index)] = end
    return {
        key: Buffer(key, graph.tensors[key].bytes, first[key], last[key], _tensor_align(graph, key))
        for key in first
    }


def _tensor_align(graph: Graph, key: int) -> int:
    return max(_ALIGN, DTYPE_BYTES[graph.tensors[key].dtype])


def _share_in_place(
    graph: Graph, calls: Sequence[Call], buffers: dict[int, Buffer]
) -> dict[int, int]:
    """Merge buffers where a kernel may write onto an input nobody needs any more.

    Changes `buffers`; returns for each tensor that owned one the key of the merged buffer.
    """
    owner = {key: key for key in buffers}
    for step, (op, call) in enumerate(zip(graph.ops, calls, strict=True)):
        for index in call.in_place:
            source = owner.get(graph.storage(index), -1)
            target = owner.get(graph.storage(op.outputs[0]), -1)
            if source < 0 or target < 0 or source == target:
                continue
            old, new = buffers[source], buffers[target]
            if old.last != step or new.first != step or old.bytes < new.bytes:
                continue
            buffers[source] = Buffer(
                source, old.bytes, old.first, new.last, max(old.align, new.align)
            )
            del buffers[target]
            owner = {key: source if root == target else root for key, root in owner.items()}
            break
    return owner


def _overlaps(
    graph: Graph, calls: Sequence[Call], buffers: Mapping[int, Buffer], owner: Mapping[int, int]
) -> dict[tuple[int, int], int]:
    """The pairs that `place` may let overlap: an input that dies where its output is born."""
    pairs: dict[tuple[int, int], int] = {}
    for step, (op, call) in enumerate(zip(graph.ops, calls, strict=True)):
        for index, distance in call.overlap.items():
            source = owner.get(graph.storage(index), -1)
            target = owner.get(graph.storage(op.outputs[0]), -1)
            if source < 0 or target < 0 or source == target:
                continue
            if buffers[source].last == step and buffers[target].first == step:
                pairs[source, target] = distance
    return pairs


def _first_fit(order: Sequence[Buffer], overlaps: Overlaps) -> tuple[dict[int, int], int]:
    """Give each buffer in turn the lowest offset that is free throughout its life."""
    placed: list[Buffer] = []
    offsets: dict[int, int] = {}
    arena = 0
    for buffer in order:
        taken = sorted(
            _forbidden(buffer, other, offsets[other.key], overlaps)
            for other in placed
            if buffer.overlaps(other)
        )
        offset = 0
        for low, high in taken:
            if offset <= low:
                break
            if offset < high:
                offset = _aligned(high, buffer.align)
        offsets[buffer.key] = offset
        placed.append(buffer)
        arena = max(arena, offset + buffer.bytes)
    return offsets, arena


def _forbidden(buffer: Buffer, other: Buffer, at: int, overlaps: Overlaps) -> tuple[int, int]:
    """The open interval of offsets that `buffer` must not have while `other` lies at `at`."""
    low, high = at - buffer.bytes, at + other.bytes
    if (other.key, buffer.key) in overlaps:
        low = max(low, at - overlaps[other.key, buffer.key])
    if (buffer.key, other.key) in overlaps:
        high = min(high, at + overlaps[buffer.key, other.key])
    return low, high


def _moved(
    order: Sequence[Buffer], offsets: Mapping[int, int], arena: int, generator: random.Random
) -> list[Buffer]:
    """A copy of `order` with one buffer moved: one that ends highest to the front, or any."""
    copy = list(order)
    highest = [i for i, b in enumerate(copy) if offsets[b.key] + b.bytes == arena]
    if generator.random() < 0.5 and highest[-1] > 0:
        buffer = copy.pop(highest[-1])
        copy.insert(generator.randrange(highest[-1]), buffer)
    else:
        buffer = copy.pop(generator.randrange(len(copy)))
        copy.insert(generator.randrange(len(copy) + 1), buffer)
    return copy


def _aligned(value: int, align: int) -> int:
    return -(-value // align) * align
