"""Functions on fixed-point numbers as gemmlowp's fixedpoint.h defines them, for offline tables.

A number is its raw int32; "Qm.n" has m integer bits and n = 31 - m fractional bits.
"""

from __future__ import annotations

from tinyml.compiler.quant import (
    INT32_MAX,
    INT32_MIN,
    doubling_high_mul,
    rounding_shift_right,
)

_EXP_MINUS_EIGHTH = 1895147668  # exp(-1/8) in Q0.31
_ONE_THIRD = 715827883  # 1/3 in Q0.31
_ONE_IN_Q2 = 1 << 29
_THREE_HALVES_IN_Q3 = (1 << 28) + (1 << 27)
_HALF_ROOT_OF_TWO = 1518500250  # sqrt(2) / 2 in Q0.31
_DIVIDE_START, _DIVIDE_SLOPE = 1515870810, -1010580540  # 48/17 and -32/17 in Q2
# exp(-2**k) in Q0.31 for k = -2..4
_EXP_MINUS_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def shift_left_saturating(value: int, bits: int) -> int:
    """value * 2**bits, clamped to int32."""
    return max(INT32_MIN, min(INT32_MAX, value << bits))


def exp_on_negative_values(raw: int, integer_bits: int) -> int:
    """exp of the Q`integer_bits` number `raw` <= 0, in Q0.31; `integer_bits` is 0..5."""
    if raw == 0:
        return INT32_MAX
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    # raw = below - remainder with below in [-1/4, 0) and remainder a multiple of 1/4.
    below = (raw & (quarter - 1)) - quarter
    remainder = below - raw
    result = _exp_between_minus_quarter_and_zero(shift_left_saturating(below, integer_bits))
    for exponent, factor in enumerate(_EXP_MINUS_POWERS, start=-2):
        if integer_bits > exponent and remainder & (1 << (fraction_bits + exponent)):
            result = doubling_high_mul(result, factor)
    return result


def saturation_radius(integer_bits: int, shift: int) -> int:
    """The size of an input from which on a Q`integer_bits` function has its last value.

    The input reaches fixed point by a multiplier and this left shift (CalculateInputRadius).
    """
    return (((1 << integer_bits) - 1) << (31 - integer_bits)) >> shift


def logistic(raw: int, integer_bits: int) -> int:
    """1 / (1 + exp(-x)) in Q0.31 of the Q`integer_bits` number x."""
    if raw == 0:
        return 1 << 30
    quotient = _divide_by_one_plus(exp_on_negative_values(-abs(raw), integer_bits))
    positive = shift_left_saturating(quotient, 1)
    return positive if raw > 0 else INT32_MAX - positive


def tanh(raw: int, integer_bits: int) -> int:
    """The hyperbolic tangent of the Q`integer_bits` number `raw`, in Q0.31."""
    if raw == 0:
        return 0
    # The same bits with one integer bit more are 2 * x.
    quotient = _divide_by_one_plus(exp_on_negative_values(-abs(raw), integer_bits + 1))
    positive = shift_left_saturating(quotient - _ONE_IN_Q2, 2)
    return positive if raw > 0 else -positive


def inverse_square_root(value: int) -> tuple[int, int]:
    """1 / sqrt(value) of an integer of at least 1, as a multiplier and a right shift.

    It is multiplier * 2**(-31 - shift): GetInvSqrtQuantizedMultiplierExp of TFLite, five steps of
    Newton in Q3.
    """
    if value == 1:
        return INT32_MAX, 0
    shift = 11
    while value >= 1 << 29:
        value //= 4
        shift += 1
    pairs = (32 - value.bit_length() - 1) // 2 - 1
    shift -= pairs
    half_input = rounding_shift_right(value << (2 * pairs) >> 1, 1)
    root = 1 << 28
    for _ in range(5):
        cube = shift_left_saturating(doubling_high_mul(doubling_high_mul(root, root), root), 6)
        step = doubling_high_mul(_THREE_HALVES_IN_Q3, root) - doubling_high_mul(half_input, cube)
        root = shift_left_saturating(step, 3)
    root = doubling_high_mul(root, _HALF_ROOT_OF_TWO)
    return (root << -shift, 0) if shift < 0 else (root, shift)


def _divide_by_one_plus(x: int) -> int:
    """2 / (1 + x) in Q2 for 0 <= x < 1 in Q0: three steps of Newton's division."""
    half = (x + INT32_MAX + 1) // 2
    guess = _DIVIDE_START + doubling_high_mul(half, _DIVIDE_SLOPE)
    for _ in range(3):
        error = _ONE_IN_Q2 - doubling_high_mul(half, guess)
        guess += shift_left_saturating(doubling_high_mul(guess, error), 2)
    return guess


def _exp_between_minus_quarter_and_zero(raw: int) -> int:
    """exp of the Q0.31 number `raw` in [-1/4, 0): a Taylor polynomial around -1/8."""
    x = raw + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4 = doubling_high_mul(x2, x2)
    x4_over_4 = rounding_shift_right(x4, 2)
    inner = doubling_high_mul(x4_over_4 + x3, _ONE_THIRD) + x2
    polynomial = x + rounding_shift_right(inner, 1)
    return _EXP_MINUS_EIGHTH + doubling_high_mul(_EXP_MINUS_EIGHTH, polynomial)
