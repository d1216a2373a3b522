"""What runs a model on a board: a bundle to the C that implements `model.h`.

One file a runtime, named as `--runtime` names it, which defines `RUNTIME`. What is the same for
every model of a runtime lies in `firmware_templates/<runtime>`, where it needs any. Nobody else
compares names of runtimes: what differs between them, a `Runtime` says of itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from tinyml.model.arena_cache import Subject
from tinyml.records import DEFAULT_OPTIONS, Board, Bundle, CSource, RuntimeOptions
from tinyml.registry import Registry

_RUNTIMES = Registry(__name__, "runtime")


class Generate(Protocol):
    """How a runtime turns a model into C."""

    def __call__(
        self, bundle: Bundle, board: Board, options: RuntimeOptions = DEFAULT_OPTIONS
    ) -> CSource:
        """Return the C source of `bundle`'s model for `board`: the functions of `model.h`.

        Raises ModelError for the model, ConfigError for options that the runtime does not have.
        """
        ...


@dataclass(frozen=True)
class Library:
    """The library that the C of a runtime is compiled with.

    `option`: of the command line, names a folder that has it. `folder`: the one that the user
    named, None for the board's own, which the key `board_key` of its file specifies for PlatformIO.
    `is_in`: whether a folder holds it. `arena_bound`: an arena in bytes that it cannot exceed on a
    32-bit core. `arena_subject`: what an arena that was measured with it, in a folder or as the
    board has it (None), holds for.
    """

    option: str
    board_key: str
    folder: Callable[[RuntimeOptions], Path | None]
    is_in: Callable[[Path], bool]
    arena_bound: Callable[[Bundle], int]
    arena_subject: Callable[[Bundle, Board, Path | None], Subject]


@dataclass(frozen=True)
class Runtime:
    """What a file of this folder defines as `RUNTIME`.

    `slot_rule`: what a model must have in common with the firmware to take its slot, as a sentence.
    `library`: None where the C needs none; it then also runs on this computer, and its arena is
    planned to the byte.
    """

    generate: Generate
    slot_rule: str
    library: Library | None = None

    @property
    def stands_alone(self) -> bool:
        """Whether its C needs nothing but a C compiler, of which nothing need be measured."""
        return self.library is None


def names() -> tuple[str, ...]:
    """The runtimes that exist, sorted."""
    return _RUNTIMES.names()


def load(name: str) -> Runtime:
    """Return the runtime `name`; raises ConfigError, naming the nearest, where there is none."""
    return cast(Runtime, _RUNTIMES.load(name).RUNTIME)


def standing_alone() -> str:
    """Return the name of the runtime whose C also runs on this computer."""
    return next(name for name in names() if load(name).stands_alone)
