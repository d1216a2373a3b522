"""ADD: see `binary.py`."""

from binary import Binary
from builder import schema

models = Binary("ADD", schema.AddOptionsT).models
