"""RESIZE_BILINEAR: see `resize.py`."""

from builder import schema
from resize import Resize

_OP = Resize("RESIZE_BILINEAR", schema.ResizeBilinearOptionsT)
models = _OP.models
grow = _OP.grow
