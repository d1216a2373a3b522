"""MAXIMUM: see `extremum.py`."""

from extremum import Extremum

_OP = Extremum("MAXIMUM")
models = _OP.models
grow = _OP.grow
