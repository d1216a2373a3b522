"""The arithmetic of tml_kernel.h against its twin in quant.py, on edge values and random ones."""

from __future__ import annotations

import ctypes
import itertools
import random
from pathlib import Path

import pytest

from tinyml import paths, proc
from tinyml.compiler import quant
from tinyml.compiler.ops import FOLDER

pytestmark = pytest.mark.needs_cc

_EXPORTS = """
#include "tml_kernel.h"
int32_t high_mul(int32_t a, int32_t b) { return tml_doubling_high_mul(a, b); }
int32_t shift_right(int32_t value, int exponent) {
  return tml_rounding_shift_right(value, exponent);
}
int32_t requantize(int32_t value, int32_t multiplier, int shift) {
  return tml_requantize(value, multiplier, shift);
}
int32_t channel_output(int32_t sum, int32_t multiplier, int shift, int offset, int clamp) {
  const tml_output_t to = {2 * offset + 1, -128, 127};
  return clamp ? tml_channel_output(sum, multiplier, shift - 1, &to, 1)
               : tml_channel_output(sum, multiplier, shift - 1, &to, 0);
}
"""
_EDGES = sorted(
    {sign * (1 << bit) + step for bit in range(31) for sign in (1, -1) for step in (-1, 0, 1)}
    | {quant.INT32_MAX, quant.INT32_MIN}
)
_MULTIPLIERS = (0, 1 << 30, (1 << 30) + 1, 1_518_500_250, (1 << 31) - 2, (1 << 31) - 1)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder: Path = tmp_path_factory.mktemp("arithmetic")
    (folder / "exports.c").write_text(_EXPORTS)
    built = folder / "exports.so"
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    proc.run(
        [
            "cc",
            *flags,
            f"-I{FOLDER}",
            f"-I{paths.shared('features')}",
            "-o",
            built,
            folder / "exports.c",
        ]
    )
    return ctypes.CDLL(str(built))


def test_the_high_half_of_products(library: ctypes.CDLL) -> None:
    for a, b in itertools.product(_EDGES, _EDGES):
        assert library.high_mul(a, b) == quant.doubling_high_mul(a, b), (a, b)


def test_rounding_shifts(library: ctypes.CDLL) -> None:
    for value, exponent in itertools.product(_EDGES, range(32)):
        expected = quant.rounding_shift_right(value, exponent)
        assert library.shift_right(value, exponent) == expected, (value, exponent)


def test_requantization(library: ctypes.CDLL) -> None:
    generator = random.Random(1)
    values = [*_EDGES, *(generator.randint(-(1 << 24), 1 << 24) for _ in range(500))]
    for value, multiplier, shift in itertools.product(values, _MULTIPLIERS, range(-31, 4)):
        if abs(value) << max(shift, 0) > quant.INT32_MAX:
            continue
        expected = quant.requantize(value, multiplier, shift)
        assert library.requantize(value, multiplier, shift) == expected, (value, multiplier, shift)


def test_the_short_way_to_an_output_is_the_long_one(library: ctypes.CDLL) -> None:
    generator = random.Random(2)
    values = [value for value in _EDGES if abs(value) < 1 << 30]
    values += [generator.randint(-(1 << 22), 1 << 22) for _ in range(300)]
    for value, multiplier, shift in itertools.product(values, _MULTIPLIERS, range(1, 32)):
        for offset in (-128, 0, 127):
            exact = quant.requantize(value, multiplier, -shift) + offset
            expected = max(-128, min(127, exact))
            for clamp in (0, 1):
                got = library.channel_output(value, multiplier, shift, offset, clamp)
                assert got == expected, (value, multiplier, shift, offset, clamp)
