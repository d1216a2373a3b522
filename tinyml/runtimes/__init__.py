"""The runtimes that can implement `model.h`: one file each, named as `--runtime` names it.

A runtime is a module with `generate(bundle, board, options) -> CSource`, which returns the C files
that give the functions of `firmware_templates/common/model.h` for that model. What is the same for
every model lies in `firmware_templates/<runtime>`, where the runtime needs any.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol, cast

from tinyml.errors import ConfigError, nearest
from tinyml.records import DEFAULT_OPTIONS, Board, Bundle, CSource, RuntimeOptions


class Runtime(Protocol):
    """What a file of this folder defines."""

    def generate(
        self, bundle: Bundle, board: Board, options: RuntimeOptions = DEFAULT_OPTIONS
    ) -> CSource:
        """Return the C source of `bundle`'s model for `board`.

        Raises ModelError for the model, ConfigError for options that the runtime does not have.
        """
        ...


def names() -> tuple[str, ...]:
    """The runtimes that exist, sorted."""
    stems = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return tuple(sorted(stem for stem in stems if stem != "__init__"))


def load(name: str) -> Runtime:
    """Return the runtime `name`; raises ConfigError, naming the nearest, where there is none."""
    if name not in names():
        raise ConfigError(f"no runtime {name!r}", nearest(name, names()))
    return cast(Runtime, importlib.import_module(f"{__name__}.{name}"))
