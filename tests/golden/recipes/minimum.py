"""MINIMUM: see `extremum.py`."""

from extremum import Extremum

_OP = Extremum("MINIMUM")
models = _OP.models
grow = _OP.grow
