"""The namespace of generated C: one prefix of every name, so that two models link into one program.

C is written with `tml_` and `TML_`; here finished text gets another prefix. Names of files stay, so
that each model keeps its files in a folder of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from tinyml.errors import ConfigError

DEFAULT = "tml_"
_VALID = re.compile(r"[a-z][a-z0-9_]{0,30}_")
_NAME = re.compile(r"\b(tml_|TML_)(\w+)\b(?!\.(?:c|h|cpp|ld)\b)")
_SUFFIXES = frozenset({".c", ".h", ".cpp", ".ino", ".ld"})


def renamed(files: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    """Return `files` (path -> UTF-8 text) in which the names of C begin with `prefix`.

    Macros and file guards get it in upper case. Files that are no C, C++ or linker script stay as
    they are. Raises ConfigError for a prefix that is no lower-case C identifier with "_" at its
    end, which keeps it away from the names of the C library.
    """
    if not _VALID.fullmatch(prefix):
        raise ConfigError(
            f"{prefix!r} cannot begin every name: a prefix has lower-case letters, digits and _, "
            "begins with a letter, ends with _ and has at most 32 characters",
            "for example: --prefix door_",
        )
    if prefix == DEFAULT:
        return dict(files)

    def name(match: re.Match[str]) -> str:
        return (prefix if match[1] == DEFAULT else prefix.upper()) + match[2]

    return {
        path: _NAME.sub(name, content.decode()).encode()
        if PurePath(path).suffix in _SUFFIXES
        else content
        for path, content in files.items()
    }
