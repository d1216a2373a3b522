"""MAX_POOL_2D: see `pool.py`."""

from pool import Pool

models = Pool("MAX_POOL_2D").models
