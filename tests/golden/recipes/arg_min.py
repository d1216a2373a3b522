"""ARG_MIN: see `extremum.py`."""

from builder import schema
from extremum import ArgExtremum

models = ArgExtremum("ARG_MIN", schema.ArgMinOptionsT).models
