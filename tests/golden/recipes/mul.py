"""MUL: see `binary.py`."""

from binary import Binary
from builder import schema

_OP = Binary("MUL", schema.MulOptionsT)
models = _OP.models
grow = _OP.grow
