"""Static memory planning: buffers with sizes and lifetimes in, offsets in one arena out."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyml.compiler.call import Call
from tinyml.records import DTYPES, Placement
from tinyml.tflite import Graph

_ALIGN = 4
_SCRATCH_ALIGN = 8
_DISTANCE_ALIGN = 32  # keeps large buffers on boundaries where others can follow them
_MOVES = 200

IN_PLACE = -1

Pairs = Mapping[tuple[int, int], int]
_NO_PAIRS: Pairs = {}


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
    """Offsets in the arena: `tensors` by the tensor that owns the bytes, `scratch` by step.

    `scratch_bytes`: how much scratch memory those steps have. `placements` are the same with their
    lifetimes, by time and offset.
    """

    tensors: Mapping[int, int]
    scratch: Mapping[int, int]
    scratch_bytes: Mapping[int, int]
    arena_bytes: int
    placements: tuple[Placement, ...] = ()


def plan(graph: Graph, calls: Sequence[Call], scratch_bytes: Sequence[int]) -> Plan:
    """Place every run-time tensor of `graph` and the scratch memory of every step.

    `calls[i]` and `scratch_bytes[i]` belong to `graph.ops[i]`. Inputs are intact until their last
    reader has run, outputs from their step to the end.
    """
    buffers = _lifetimes(graph)
    pairs = _pairs(graph, calls, buffers)
    scratch_key = {
        step: len(graph.tensors) + step for step, size in enumerate(scratch_bytes) if size > 0
    }
    for step, key in scratch_key.items():
        buffers[key] = Buffer(key, scratch_bytes[step], step, step, _SCRATCH_ALIGN)
    offsets = place(list(buffers.values()), pairs)
    arena = max((offsets[key] + buffer.bytes for key, buffer in buffers.items()), default=0)
    return Plan(
        tensors={key: offset for key, offset in offsets.items() if key < len(graph.tensors)},
        scratch={step: offsets[key] for step, key in scratch_key.items()},
        scratch_bytes={step: scratch_bytes[step] for step in scratch_key},
        arena_bytes=_aligned(arena, _SCRATCH_ALIGN),
        placements=_placements(graph, buffers, offsets),
    )


def place(buffers: Sequence[Buffer], pairs: Pairs = _NO_PAIRS) -> dict[int, int]:
    """Return an offset for each buffer's key, so that no two that live together overlap.

    `pairs[input, output]` is the exception: with IN_PLACE both may start at the same offset, with
    a number they may overlap where the output starts at least so many bytes before the input.
    First-fit in the best of several orders, improved by moving one buffer at a time (fixed seed:
    equal input, equal plan) until the arena reaches the lower bound or the moves are used up.
    """
    live = _live_bytes(buffers, pairs)
    bound = max(live.values(), default=0)
    worst = max(live, key=lambda step: (live[step], -step), default=0)
    generator = random.Random(0)
    orders = [
        # From the worst step outwards, by size, by end of life, by length of life.
        sorted(buffers, key=lambda b: (max(b.first - worst, worst - b.last, 0), -b.bytes, b.key)),
        sorted(buffers, key=lambda b: (-b.bytes, b.first, b.key)),
        sorted(buffers, key=lambda b: (-b.last, -b.bytes, b.key)),
        sorted(buffers, key=lambda b: (b.first - b.last, -b.bytes, b.key)),
    ]
    best_order = min(orders, key=lambda order: _first_fit(order, pairs)[1])
    best, best_bytes = _first_fit(best_order, pairs)
    for _ in range(_MOVES):
        if best_bytes <= bound:
            break
        order = _moved(best_order, best, best_bytes, generator)
        offsets, arena = _first_fit(order, pairs)
        if arena <= best_bytes:
            best, best_bytes, best_order = offsets, arena, order
    return best


def lower_bound(buffers: Sequence[Buffer], pairs: Pairs = _NO_PAIRS) -> int:
    """The largest number of bytes that live at one step: no plan can do with less."""
    return max(_live_bytes(buffers, pairs).values(), default=0)


def _live_bytes(buffers: Sequence[Buffer], pairs: Pairs) -> dict[int, int]:
    """For each step at which a buffer is born, the bytes that live then, at the least."""
    by_key = {buffer.key: buffer for buffer in buffers}
    saved: dict[int, int] = {}
    for (source, target), distance in pairs.items():
        read, written = by_key[source], by_key[target]
        union = max(max(distance, 0) + read.bytes, written.bytes)
        gain = max(read.bytes + written.bytes - union, 0)
        saved[written.first] = saved.get(written.first, 0) + gain
    return {
        step: sum(b.bytes for b in buffers if b.first <= step <= b.last) - saved.get(step, 0)
        for step in {buffer.first for buffer in buffers}
    }


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
    for index in graph.initial:  # from one inference to the next
        first[index], last[index] = -1, end
    return {
        key: Buffer(key, graph.tensors[key].bytes, first[key], last[key], _tensor_align(graph, key))
        for key in first
    }


def _placements(
    graph: Graph, buffers: Mapping[int, Buffer], offsets: Mapping[int, int]
) -> tuple[Placement, ...]:
    def name(buffer: Buffer) -> str:
        if buffer.key < len(graph.tensors):
            return graph.tensors[buffer.key].name
        return f"scratch of {graph.ops[buffer.first].name}"

    placements = (
        Placement(name(buffer), offsets[key], buffer.bytes, buffer.first, buffer.last)
        for key, buffer in buffers.items()
    )
    return tuple(sorted(placements, key=lambda placed: (placed.first, placed.offset, placed.last)))


def _tensor_align(graph: Graph, key: int) -> int:
    return max(_ALIGN, DTYPES[graph.tensors[key].dtype].bytes)


def _pairs(
    graph: Graph, calls: Sequence[Call], buffers: Mapping[int, Buffer]
) -> dict[tuple[int, int], int]:
    """The exceptions for `place`: an input that dies where its output is born."""
    pairs: dict[tuple[int, int], int] = {}
    for step, (op, call) in enumerate(zip(graph.ops, calls, strict=True)):
        target = graph.storage(op.outputs[0])
        allowed = {**call.overlap, **dict.fromkeys(call.in_place, IN_PLACE)}
        for index, distance in allowed.items():
            source = graph.storage(index)
            if source in buffers and buffers[source].last == step == buffers[target].first:
                pairs[source, target] = (
                    _aligned(distance, _DISTANCE_ALIGN) if distance > 0 else distance
                )
    return pairs


def _first_fit(order: Sequence[Buffer], pairs: Pairs) -> tuple[dict[int, int], int]:
    """Give each buffer in turn the lowest offset that is free throughout its life."""
    placed: list[Buffer] = []
    offsets: dict[int, int] = {}
    arena = 0
    for buffer in order:
        rivals = [other for other in placed if buffer.overlaps(other)]
        taken = sorted(
            (*_forbidden(buffer, other, offsets[other.key], pairs), other.key) for other in rivals
        )
        offset = _lowest(taken, buffer.align)
        for other in rivals:
            at = offsets[other.key]
            if at < offset and IN_PLACE in (
                pairs.get((buffer.key, other.key)),
                pairs.get((other.key, buffer.key)),
            ):
                rest = [item for item in taken if item[2] != other.key]
                if at % buffer.align == 0 and not any(low < at < high for low, high, _ in rest):
                    offset = at
        offsets[buffer.key] = offset
        placed.append(buffer)
        arena = max(arena, offset + buffer.bytes)
    return offsets, arena


def _lowest(taken: Sequence[tuple[int, int, int]], align: int) -> int:
    """The lowest aligned offset in none of the open intervals, which are sorted."""
    offset = 0
    for low, high, _ in taken:
        if offset <= low:
            break
        if offset < high:
            offset = _aligned(high, align)
    return offset


def _forbidden(buffer: Buffer, other: Buffer, at: int, pairs: Pairs) -> tuple[int, int]:
    """The open interval of offsets that `buffer` must not have while `other` lies at `at`."""
    low, high = at - buffer.bytes, at + other.bytes
    as_output = pairs.get((other.key, buffer.key), IN_PLACE)
    as_input = pairs.get((buffer.key, other.key), IN_PLACE)
    if as_output != IN_PLACE:
        low = max(low, at - as_output)
    if as_input != IN_PLACE:
        high = min(high, at + as_input)
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
