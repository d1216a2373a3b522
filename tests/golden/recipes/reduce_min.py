"""REDUCE_MIN: see `reduction.py`."""

from reduction import Reduction

_OP = Reduction("REDUCE_MIN", rescales=False)
models = _OP.models
grow = _OP.grow
