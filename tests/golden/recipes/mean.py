"""MEAN: see `reduction.py`."""

from reduction import Reduction

_OP = Reduction("MEAN", rescales=True)
models = _OP.models
grow = _OP.grow
