"""ADD: see `binary.py`."""

from binary import Binary
from builder import schema

_OP = Binary("ADD", schema.AddOptionsT)
models = _OP.models
grow = _OP.grow
