"""SUM: see `reduction.py`."""

from reduction import Reduction

_OP = Reduction("SUM", rescales=True)
models = _OP.models
grow = _OP.grow
