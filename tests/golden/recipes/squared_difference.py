"""SQUARED_DIFFERENCE: see `binary.py`."""

from binary import Binary
from builder import schema

_OP = Binary("SQUARED_DIFFERENCE", schema.SquaredDifferenceOptionsT, fused=False)
models = _OP.models
grow = _OP.grow
