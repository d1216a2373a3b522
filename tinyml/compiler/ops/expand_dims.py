"""EXPAND_DIMS: its input with an axis of one element more; nothing runs."""

from __future__ import annotations

from tinyml.compiler.ops.reshape import RENAMES, evaluate

__all__ = ["RENAMES", "evaluate"]
