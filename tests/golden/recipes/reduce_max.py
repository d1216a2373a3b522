"""REDUCE_MAX: see `reduction.py`."""

from reduction import Reduction

_OP = Reduction("REDUCE_MAX", rescales=False)
models = _OP.models
grow = _OP.grow
