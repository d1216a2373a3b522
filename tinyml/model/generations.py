"""Generations of TensorFlow Lite Micro, and where they do not compute the same.

A real multiplier is a quotient or product of scales. Kernels of one generation compute it in double
precision where those of another round each step to float32; the fixed-point multiplier made from it
then differs in its last bits, and now and then an output by 1. All else that int8 kernels compute
is integer arithmetic, which is the same in each. With a scale per channel, FULLY_CONNECTED is in
double everywhere, and so are all operators that are not named here.

Found in the sources of each generation, and in the machine code of the interpreter's wheel; 46
kinds of operators in 300 random models each agree with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyml.errors import ConfigError, nearest


@dataclass(frozen=True)
class Generation:
    """A state of TFLM's kernels.

    `name`: as `--tflm-generation` takes it, the year and month of the state. `about`: what has
    these kernels. `float32`: operators, by TFLite enum name, whose multipliers it computes in
    float32 where the reference uses double.
    """

    name: str
    about: str
    float32: frozenset[str]


_IN_FLOAT32 = frozenset(
    (
        "ABS",
        "BATCH_MATMUL",
        "DIV",
        "FULLY_CONNECTED",
        "HARD_SWISH",
        "LEAKY_RELU",
        "RELU",
        "RSQRT",
        "SUB",
        "SVDF",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
    )
)
GENERATIONS: Mapping[str, Generation] = {
    generation.name: generation
    for generation in (
        Generation("2023", "the Arduino library of 2023", _IN_FLOAT32),
        Generation("2026-08", "the source of August 2026", _IN_FLOAT32),
        Generation("2026-10", "the interpreter of October 2026, tinyml's oracle", frozenset()),
    )
}
REFERENCE = GENERATIONS["2026-10"]


def load(name: str) -> Generation:
    """Return the generation `name`; raises ConfigError, naming the nearest, where there is none."""
    if name not in GENERATIONS:
        raise ConfigError(
            f"there is no generation {name!r} of TFLM", nearest(name, tuple(GENERATIONS))
        )
    return GENERATIONS[name]
