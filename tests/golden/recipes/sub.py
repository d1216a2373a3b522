"""SUB: see `binary.py`."""

from binary import Binary
from builder import schema

_OP = Binary("SUB", schema.SubOptionsT)
models = _OP.models
grow = _OP.grow
