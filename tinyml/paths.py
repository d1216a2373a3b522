"""Where the files that travel with the package lie: beside it in a checkout, else inside it."""

from __future__ import annotations

import os
from pathlib import Path

from tinyml.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent


def shared(folder: str) -> Path:
    """Return this installation's `boards`, `firmware_templates`, `models` or `platforms` folder.

    A wheel carries the first three in `tinyml/share`; a checkout has them beside the package.
    Raises ConfigError when the installation is incomplete.
    """
    for candidate in (_PACKAGE / "share" / folder, _PACKAGE.parent / folder, _PACKAGE / folder):
        if candidate.is_dir():
            return candidate
    raise ConfigError(
        f"this tinyml installation has no folder {folder!r} (looked beside {_PACKAGE})",
        "reinstall it: pip install --force-reinstall tinyml",
    )


def cache() -> Path:
    """Return the user's cache folder: $TINYML_CACHE, $XDG_CACHE_HOME/tinyml or ~/.cache/tinyml."""
    if own := os.environ.get("TINYML_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tinyml"
