"""SUB: see `binary.py`."""

from binary import Binary
from builder import schema

models = Binary("SUB", schema.SubOptionsT).models
