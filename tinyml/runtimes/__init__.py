"""What runs a model on a board: a bundle to the C that implements `model.h`.

The runtimes that can implement `model.h`: one file each, named as `--runtime` names it.

A runtime is a module with `generate(bundle, board, options) -> CSource`, which returns the C files
that give the functions of `firmware_templates/common/model.h` for that model. What is the same for
every model lies in `firmware_templates/<runtime>`, where the runtime needs any.
"""

from __future__ import annotations

from typing import Protocol, cast

from tinyml.records import DEFAULT_OPTIONS, Board, Bundle, CSource, RuntimeOptions
from tinyml.registry import Registry

_RUNTIMES = Registry(__name__, "runtime")


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
    return _RUNTIMES.names()


def load(name: str) -> Runtime:
    """Return the runtime `name`; raises ConfigError, naming the nearest, where there is none."""
    return cast(Runtime, _RUNTIMES.load(name))
