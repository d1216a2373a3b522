"""What an optional part of tinyml needs, as the command that installs it."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
import sys

_EXTRA = re.compile(r"""^(?P<what>[^;]+?)\s*;.*extra\s*==\s*["'](?P<extra>[^"']+)["']""")


def install(extra: str) -> str:
    """Return the command that installs what `extra` of pyproject.toml lists.

    It names the packages, not `tinyml[extra]`, since an index may have another project of that
    name; and this interpreter's pip, since the one on PATH may belong to another.
    """
    try:
        required = importlib.metadata.requires("tinyml") or ()
    except importlib.metadata.PackageNotFoundError:  # run from its folder, not installed
        return f"pip install '.[{extra}]'"
    found = [one["what"] for one in map(_EXTRA.match, required) if one and one["extra"] == extra]
    return shlex.join([sys.executable, "-m", "pip", "install", *found])
