"""MUL: see `binary.py`."""

from binary import Binary
from builder import schema

models = Binary("MUL", schema.MulOptionsT).models
