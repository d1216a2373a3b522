"""Access to the compiled C: `ffi` and `lib` of the extension, or a ToolError with the remedy."""

from __future__ import annotations

import importlib
from typing import Any

from tinyml.errors import ToolError

try:
    _native: Any = importlib.import_module("tinyml.features._native")
except ImportError as error:
    raise ToolError(
        f"the compiled part of tinyml's features is missing ({error})",
        "pip install --force-reinstall tinyml (in a checkout: pip install -e .)",
    ) from error

ffi, lib = _native.ffi, _native.lib
