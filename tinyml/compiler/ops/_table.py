"""Functions of one byte, computed offline for all 256 values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinyml.compiler.call import Call, Const, Ref
from tinyml.compiler.ops import unsupported
from tinyml.compiler.quant import quantize_multiplier, requantize
from tinyml.errors import ModelError
from tinyml.tflite import Op, Tensor

Table = NDArray[np.uint8]
_MAX_SHIFT = {8: 22, 16: 14}  # (input - zero point) << shift fits into int32


def tabulate(source: Tensor, function: Callable[[int], int]) -> Table:
    """The table of `function`, in the order of the bytes of `source` read as unsigned.

    `function` gets the int8 or uint8 value and returns one of the output's dtype.
    """
    values = np.arange(256, dtype=np.uint8).view(source.dtype).tolist()
    return np.array([function(value) & 0xFF for value in values], np.uint8)


def byte_table(source: Tensor, target: Tensor, ratio: float, low: int | None = None) -> Table:
    """The table that changes scale by `ratio` and zero point, from `low` (default: all) upwards."""
    return rescaled(source, target, lambda _: ratio, low)


def rescaled(
    source: Tensor, target: Tensor, ratio: Callable[[int], float], low: int | None = None
) -> Table:
    """The table that multiplies each value less its zero point by the `ratio` of that value."""
    limits = np.iinfo(target.dtype)
    floor = limits.min if low is None else max(limits.min, low)

    def output(value: int) -> int:
        centred = value - source.zero_point
        multiplier, shift = quantize_multiplier(ratio(centred))
        scaled = requantize(centred, multiplier, shift) + target.zero_point
        return min(max(scaled, floor), limits.max)

    return tabulate(source, output)


def table_call(kernel: str, source: Tensor, target: Tensor, table: Table) -> Call:
    """The call of a kernel (input, table, output, count), which may work in place."""
    args = (Ref(source.index), Const(table, "table"), Ref(target.index), target.elements)
    return Call(kernel, args, in_place=(source.index,))


def check_same_shape(op: Op, source: Tensor, target: Tensor) -> None:
    """Raise ModelError unless an element-wise operator can turn `source` into `target`."""
    if source.elements != target.elements:
        raise ModelError(f"operator {op} cannot turn {source} into {target}")


def check_requantize(op: Op, target: Tensor, ratio: float, bits: int = 8) -> None:
    """Raise UnsupportedOpError where an input of `bits` bits times `ratio` may exceed int32."""
    if quantize_multiplier(ratio)[1] > _MAX_SHIFT[bits]:
        raise unsupported(op, target, f"{ratio:.3g} times finer than the input")
