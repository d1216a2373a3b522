"""The memory plan: live buffers never overlap, and simple graphs reach the lower bound."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.compiler.plan import IN_PLACE, Buffer, lower_bound, place

_BUFFERS = st.lists(
    st.tuples(
        st.integers(1, 5000), st.integers(-1, 12), st.integers(0, 6), st.sampled_from([4, 8])
    ),
    min_size=1,
    max_size=14,
).map(
    lambda rows: [
        Buffer(key, size, first, first + life, align)
        for key, (size, first, life, align) in enumerate(rows)
    ]
)


@settings(deadline=None)
@given(_BUFFERS)
def test_live_buffers_never_overlap(buffers: list[Buffer]) -> None:
    offsets = place(buffers)
    assert set(offsets) == {buffer.key for buffer in buffers}
    for one in buffers:
        assert offsets[one.key] >= 0
        assert offsets[one.key] % one.align == 0
        for other in buffers:
            if one.key < other.key and one.overlaps(other):
                start, end = offsets[one.key], offsets[one.key] + one.bytes
                other_start = offsets[other.key]
                assert end <= other_start or other_start + other.bytes <= start


@settings(deadline=None)
@given(_BUFFERS)
def test_the_plan_depends_on_its_input_alone(buffers: list[Buffer]) -> None:
    assert place(buffers) == place(list(buffers))


@given(st.lists(st.integers(1, 1000).map(lambda n: 4 * n), min_size=2, max_size=12))
def test_a_chain_of_layers_needs_its_two_largest_neighbours(sizes: list[int]) -> None:
    chain = [Buffer(i, size, i - 1, i) for i, size in enumerate(sizes)]
    offsets = place(chain)
    arena = max(offsets[b.key] + b.bytes for b in chain)
    assert arena == lower_bound(chain) == max(a + b for a, b in pairwise(sizes))


def test_a_buffer_that_dies_makes_room() -> None:
    offsets = place([Buffer(0, 100, 0, 0), Buffer(1, 100, 1, 1)])
    assert offsets == {0: 0, 1: 0}


_CHAINS = st.lists(
    st.tuples(
        st.integers(1, 500).map(lambda n: 4 * n), st.sampled_from([None, IN_PLACE, 0, 32, 96])
    ),
    min_size=2,
    max_size=12,
)


@settings(deadline=None)
@given(_CHAINS, st.integers(0, 400))
def test_only_allowed_pairs_overlap(rows: list[tuple[int, int | None]], scratch: int) -> None:
    chain = [Buffer(i, size, i - 1, i) for i, (size, _) in enumerate(rows)]
    pairs = {(i, i + 1): allowed for i, (_, allowed) in enumerate(rows[:-1]) if allowed is not None}
    others = [Buffer(100 + i, scratch, i, i, 8) for i in range(len(rows))] if scratch else []
    offsets = place([*chain, *others], pairs)
    for one, two in combinations([*chain, *others], 2):
        start, end = offsets[one.key], offsets[one.key] + one.bytes
        if not one.overlaps(two) or end <= offsets[two.key]:
            continue
        if offsets[two.key] + two.bytes <= start:
            continue
        allowed = pairs[one.key, two.key]
        distance = start - offsets[two.key]
        assert distance == 0 if allowed == IN_PLACE else distance >= allowed


def test_in_place_operators_need_one_buffer() -> None:
    chain = [Buffer(i, 100, i - 1, i) for i in range(5)]
    offsets = place(chain, {(i, i + 1): IN_PLACE for i in range(4)})
    assert set(offsets.values()) == {0}


def test_an_overlapping_output_starts_before_its_input() -> None:
    offsets = place([Buffer(0, 1000, -1, 0), Buffer(1, 1000, 0, 1)], {(0, 1): 96})
    assert offsets == {0: 96, 1: 0}
