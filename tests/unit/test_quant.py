"""Fixed-point rules against exact rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml.compiler.fixed_point import exp_on_negative_values
from tinyml.compiler.quant import (
    INT32_MAX,
    INT32_MIN,
    activation_range,
    doubling_high_mul,
    quantize_multiplier,
    requantize,
    rounding_shift_right,
)
from tinyml.errors import ModelError, UnsupportedOpError
from tinyml.tflite import Op, Tensor

_INT32 = st.integers(INT32_MIN, INT32_MAX)


@given(st.floats(1e-9, 1e9))
def test_a_multiplier_is_normalized_and_near(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 1 << 30 <= multiplier < 1 << 31
    assert math.isclose(multiplier * 2.0 ** (shift - 31), real, rel_tol=2**-30)


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (0.0, (0, 0)),
        (0.5, (1 << 30, 0)),
        (1.0, (1 << 30, 1)),
        (math.nextafter(1.0, 0.0), (1 << 30, 1)),  # rounds up to the next power of two
        (2.0**-32, (1 << 30, -31)),
        (2.0**-33, (0, 0)),
    ],
)
def test_multipliers_at_the_edges(real: float, expected: tuple[int, int]) -> None:
    assert quantize_multiplier(real) == expected


@given(_INT32, _INT32)
def test_a_doubled_product_rounds_halves_up(a: int, b: int) -> None:
    exact = Fraction(a * b, 1 << 31)
    assert doubling_high_mul(a, b) == min(math.floor(exact + Fraction(1, 2)), INT32_MAX)


@given(_INT32, st.integers(0, 31))
def test_a_shift_rounds_halves_away_from_zero(value: int, exponent: int) -> None:
    exact = Fraction(abs(value), 1 << exponent)
    rounded = math.floor(exact + Fraction(1, 2))
    assert rounding_shift_right(value, exponent) == (rounded if value >= 0 else -rounded)


def test_two_roundings_are_not_one() -> None:
    # 3 * 0.5 = 1.5 -> 2, then 2 / 4 = 0.5 -> 1; in one step 3 / 8 would be 0.
    assert requantize(3, 1 << 30, -2) == 1


@given(st.integers(-(1 << 26) * 31, 0))
def test_exp_is_near_the_real_one(raw: int) -> None:
    exact = math.exp(raw / (1 << 26))
    assert abs(exp_on_negative_values(raw, 5) / 2**31 - exact) < 3e-7


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "expected"),
    [
        (0, 0.1, 3, (-128, 127)),
        (1, 0.1, 3, (3, 127)),
        (2, 0.1, 3, (-7, 13)),
        (3, 0.1, 3, (3, 63)),
        (3, 6 / 255, -128, (-128, 127)),
        (3, 4.0, 0, (0, 2)),  # 6 / 4 = 1.5 rounds away from zero
    ],
)
def test_activation_ranges(
    activation: int, scale: float, zero_point: int, expected: tuple[int, int]
) -> None:
    assert activation_range(_op(activation), _tensor(scale, zero_point)) == expected


def test_an_activation_that_tflm_ignores_is_refused() -> None:
    with pytest.raises(UnsupportedOpError, match="activation 4"):
        activation_range(_op(4), _tensor(0.1, 0))


def test_a_vanishing_scale_is_refused() -> None:
    with pytest.raises(ModelError, match="scale"):
        activation_range(_op(3), _tensor(1e-40, 0))


def _op(activation: int) -> Op:
    return Op(0, "ADD", (), (), {"fused_activation_function": activation})


def _tensor(scale: float, zero_point: int) -> Tensor:
    return Tensor(0, "t", "int8", (1,), (float(np.float32(scale)),), (zero_point,))
