"""UNIDIRECTIONAL_SEQUENCE_LSTM: a recurrent layer over time; under TFLM only."""

from __future__ import annotations

from tinyml.compiler.ops import Registration

TFLM = Registration("UnidirectionalSequenceLSTM")
