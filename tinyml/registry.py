"""The files of a folder as a registry: a file's name is its name, and no list is edited."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml.errors import ConfigError, nearest


def stems(folder: Path, pattern: str = "*.py") -> tuple[str, ...]:
    """Return the names that files of `folder` define, sorted.

    `pattern`: a glob of file names. A file whose name begins with an underscore is shared by its
    neighbours and defines nothing.
    """
    return tuple(sorted(f.stem for f in folder.glob(pattern) if not f.stem.startswith("_")))


@dataclass(frozen=True)
class Registry:
    """The modules of one package, each of which defines a thing of the same kind.

    `package`: the package's dotted name. `noun`: what one of its modules is, for messages.
    `command`: what lists the names for a user, or "".
    """

    package: str
    noun: str
    command: str = ""

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        root = Path(__file__).parent.parent
        return root.joinpath(*self.package.split("."))

    def names(self) -> tuple[str, ...]:
        """Return the names there are, sorted. Imports nothing."""
        return stems(self.folder)

    def check(self, name: str) -> None:
        """Raise ConfigError, with the nearest known names, for a name that there is not."""
        if name not in self.names():
            see = f" (see: {self.command})" if self.command else ""
            raise ConfigError(
                f"there is no {self.noun} {name!r}", f"{nearest(name, self.names())}{see}"
            )

    def load(self, name: str) -> Any:
        """Import and return the module `name`; raises what `check` raises."""
        self.check(name)
        return importlib.import_module(f"{self.package}.{name}")
