"""SQUEEZE: its input without axes of one element; nothing runs."""

from __future__ import annotations

from tinyml.compiler.ops.reshape import RENAMES, evaluate

__all__ = ["RENAMES", "evaluate"]
