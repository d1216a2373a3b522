"""Proved arithmetic: what is called proved gives the exact bytes, on the steps and everywhere."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.compiler import proof, quant

_SHIFTS = st.integers(-31, -1)
_MULTIPLIERS = st.one_of(
    st.sampled_from([1 << 30, (1 << 30) + 1, (1 << 31) - 1]), st.integers(1 << 30, (1 << 31) - 1)
)
_SUMS = st.one_of(
    st.integers(-(1 << 22), 1 << 22), st.integers(-300, 300), st.integers(-(1 << 30), 1 << 30)
)
_CHANNELS = st.lists(st.tuples(_MULTIPLIERS, _SHIFTS, _SUMS, _SUMS), min_size=1, max_size=6)
_OFFSETS = st.one_of(st.just(-128), st.integers(-128, 127))
_ACTIVATIONS = st.one_of(
    st.just((-128, 127)),
    st.tuples(st.integers(-128, 127), st.integers(-128, 127)).map(lambda ends: tuple(sorted(ends))),
)


def _exact(rows: list[tuple[int, int, int, int]], offset: int, clamp: tuple[int, int]) -> object:
    columns = [np.array(column, np.int64) for column in zip(*rows, strict=True)]
    multipliers, shifts, one, two = columns
    low, high = np.minimum(one, two), np.maximum(one, two)
    return proof.Requantization(multipliers, shifts, low, high, offset, *clamp)


def _reference(row: tuple[int, int], total: int, offset: int, clamp: tuple[int, int]) -> int:
    return min(max(quant.requantize(total, *row) + offset, clamp[0]), clamp[1])


@settings(deadline=None, max_examples=200)
@given(_MULTIPLIERS, _SHIFTS, st.lists(_SUMS, min_size=1))
def test_the_array_twin_rounds_like_the_scalar_one(
    multiplier: int, shift: int, sums: list[int]
) -> None:
    got = proof.requantized(
        np.array(sums, np.int64), np.int64(multiplier), np.int64(shift)
    ).tolist()
    assert got == [quant.requantize(total, multiplier, shift) for total in sums]


@settings(deadline=None, max_examples=400)
@given(
    _CHANNELS,
    _OFFSETS,
    _ACTIVATIONS,
    st.integers(0, 8),
    st.integers(0, 14),
    st.data(),
)
def test_a_proved_line_is_the_function(
    rows: list[tuple[int, int, int, int]],
    offset: int,
    clamp: tuple[int, int],
    left: int,
    right: int,
    data: st.DataObject,
) -> None:
    exact = _exact(rows, offset, clamp)
    form = proof.linear_requantization(exact, left, right)
    for c in np.flatnonzero(form.proved).tolist():
        low, high = int(exact.lowest[c]), int(exact.highest[c])
        sums = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=20))
        # Around every step, found by bisection of the scalar function.
        for total in [low, high, *sums, *_steps(rows[c][:2], low, high, offset, clamp)]:
            scaled = (total << left) + int(form.bias[c])
            assert -(1 << 31) <= scaled < 1 << 31
            line = (scaled * int(form.multiplier[c])) >> (32 + right)
            expected = _reference(rows[c][:2], total, offset, clamp)
            assert min(max(line, -128), 127) == expected, (rows[c], total)


def _steps(
    row: tuple[int, int], low: int, high: int, offset: int, clamp: tuple[int, int]
) -> list[int]:
    """Both sides of up to 20 steps of the function between `low` and `high`."""
    first, last = (_reference(row, total, offset, clamp) for total in (low, high))
    sums = []
    for output in np.linspace(first + 1, last, 20).astype(int).tolist() if last > first else ():
        below, at = low, high
        while at - below > 1:
            middle = (below + at) // 2
            if _reference(row, middle, offset, clamp) >= output:
                at = middle
            else:
                below = middle
        sums += [below, at]
    return sums


def test_channels_of_real_layers_have_a_line() -> None:
    """A ReLU layer as networks have them: 64 taps, an output scale that uses the range."""
    generator = np.random.default_rng(5)
    multipliers = generator.integers(1 << 30, 1 << 31, 256)
    shifts = np.full(256, -7)
    reach = np.full(256, 400_000)
    exact = proof.Requantization(multipliers, shifts, -reach, reach, -128, -128, 127)
    form = proof.linear_requantization(exact, 8, 10)
    assert form.proved.mean() > 0.97
    assert (form.steps[form.proved] == 255).all()


def test_a_sum_beyond_32_bits_is_not_proved() -> None:
    wide = np.array([1 << 24])
    exact = proof.Requantization(np.array([1 << 30]), np.array([-10]), -wide, wide, -128, -128, 127)
    assert not proof.linear_requantization(exact, 8, 10).proved.any()


def test_halves_of_both_signs_have_no_single_line() -> None:
    reach = np.array([100_000])
    exact = proof.Requantization(np.array([1 << 30]), np.array([-7]), -reach, reach, 0, -128, 127)
    assert not proof.linear_requantization(exact, 8, 10).proved.any()


@settings(deadline=None, max_examples=30)
@given(
    st.floats(-2.0, 2.0).filter(lambda scale: abs(scale) > 0.01),
    st.floats(0.01, 2.0),
    st.integers(-128, 127),
    st.floats(0.0, 0.02),
    _ACTIVATIONS,
)
def test_a_sum_called_linear_is_so_on_all_pairs(
    scale1: float, scale2: float, offset: int, noise: float, clamp: tuple[int, int]
) -> None:
    """Also where rounding puts the function out of line: then there is a table, or nothing."""
    values = np.arange(-128, 128)
    rough = np.random.default_rng(3).normal(0, noise, 256)
    real = (values * scale1 + rough)[:, None] + (values * scale2)[None, :]
    outputs = np.clip(np.floor(real + 0.5).astype(np.int64) + offset, *clamp)
    form = proof.linear_sum(proof.PairFunction(outputs, scale1, scale2, *clamp))
    if form is None:
        return
    term = values * form.multiplier1 + form.bias if form.table is None else form.table
    total = term[:, None] + values[None, :] * form.multiplier2
    assert total.min() >= -(1 << 31)
    assert total.max() < 1 << 31
    assert (np.clip(total >> form.right, *clamp) == outputs).all()


def test_sums_of_real_layers_have_a_form() -> None:
    values = np.arange(-128, 128)
    for scale1, scale2 in ((0.84107, 2.12519), (0.66003, 1.70967), (0.5, 0.49813)):
        real = ((values - 4) * scale1)[:, None] + ((values + 128) * scale2)[None, :]
        outputs = np.sign(real) * np.floor(np.abs(real) + 0.5)  # halves away from zero
        outputs = np.clip(outputs.astype(np.int64) - 128, -128, 127)
        form = proof.linear_sum(proof.PairFunction(outputs, scale1, scale2, -128, 127))
        assert form is not None, (scale1, scale2)
