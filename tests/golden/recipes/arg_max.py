"""ARG_MAX: see `extremum.py`."""

from builder import schema
from extremum import ArgExtremum

models = ArgExtremum("ARG_MAX", schema.ArgMaxOptionsT).models
