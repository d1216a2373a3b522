"""SVDF: a recurrent layer by singular value decomposition; under TFLM only."""

from __future__ import annotations

from tinyml.compiler.ops import Registration

TFLM = Registration(int8_functions="arm_svdf")
