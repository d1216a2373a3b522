"""CUMSUM: running sums along an axis; under TFLM only."""

from __future__ import annotations

from tinyml.compiler.ops import Registration

TFLM = Registration("CumSum")
