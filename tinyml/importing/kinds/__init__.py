"""What can be imported: one file a kind of recording.

A kind defines

    SUFFIXES: tuple[str, ...]
        How the files that it reads end, in lower case, with the dot.

    ENDING: str
        How the files end that it writes.

    pieces(files: Sequence[Source], wish: Wish) -> Iterator[Imported | Refusal]
        What becomes of `files`: recordings to write, each with what was done to it, and files that
        cannot be used, with the option that says what cannot be known. All files of an import come
        together: what one of them does not say, those beside it may. Raises ToolError where a
        package is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, cast

from tinyml.importing import Imported, Refusal, Source, Wish
from tinyml.registry import Registry

_KINDS = Registry(__name__, "kind of recording")


class RecordingKind(Protocol):
    """What a file of this folder defines."""

    SUFFIXES: tuple[str, ...]
    ENDING: str

    def pieces(self, files: Sequence[Source], wish: Wish) -> Iterator[Imported | Refusal]:
        """Yield what becomes of `files`."""


def names() -> tuple[str, ...]:
    """Return the kinds that there are, sorted."""
    return _KINDS.names()


def load(name: str) -> RecordingKind:
    """Return the kind `name`; raises ConfigError, with the nearest, for an unknown one."""
    return cast(RecordingKind, _KINDS.load(name))
