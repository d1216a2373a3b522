"""RESIZE_NEAREST_NEIGHBOR: see `resize.py`."""

from builder import schema
from resize import Resize

_OP = Resize("RESIZE_NEAREST_NEIGHBOR", schema.ResizeNearestNeighborOptionsT)
models = _OP.models
grow = _OP.grow
