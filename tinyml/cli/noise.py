"""How quantization noise looks on the screen; the same figures as in cards and JSON documents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.training.layer_noise import LayerNoise

_NAME = 48


def show(layers: Sequence[LayerNoise], console: Console) -> None:
    """Print a table of layers."""
    console.table(
        ("op", "operator", "SQNR dB", "adds", "clipped", "tensor"),
        [
            (
                one.index,
                one.operator,
                f"{one.sqnr_db:.1f}" if math.isfinite(one.sqnr_db) else "exact",
                f"{one.added:.3%}" if one.added else "-",
                f"{one.clipped:.2%}" if one.clipped else "-",
                one.tensor[:_NAME],
            )
            for one in layers
        ],
        right=("op", "SQNR dB", "adds", "clipped"),
    )
