"""AVERAGE_POOL_2D: see `pool.py`."""

from pool import Pool

_OP = Pool("AVERAGE_POOL_2D")
models = _OP.models
grow = _OP.grow
