"""Access to the compiled C: `ffi` and `lib` of the extension, or a ToolError that says what to do."""

from __future__ import annotations

from typing import Any

from tinyml.errors import ToolError

try:
    from tinyml.features import _native
except ImportError as error:
    raise ToolError(
        f"the compiled part of tinyml's features is missing ({error})",
        "pip install --force-reinstall tinyml (in a checkout: pip install -e .)",
    ) from error

ffi: Any = _native.ffi
lib: Any = _native.lib
