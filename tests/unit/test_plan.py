"""The memory plan: live buffers never overlap, and simple graphs reach the lower bound."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.compiler.plan import Buffer, lower_bound, place

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
