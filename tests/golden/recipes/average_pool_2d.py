"""AVERAGE_POOL_2D: see `pool.py`."""

from pool import Pool

models = Pool("AVERAGE_POOL_2D").models
