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
