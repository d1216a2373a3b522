"""What would make a firmware fit: the smallest change of runtime, width or board that does.

A project and what its firmware needs in; sentences out, each with the figures that it rests on.
They are estimates: the application's own share is taken to stay what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyml import runtimes
from tinyml.errors import TinymlError
from tinyml.firmware import boards
from tinyml.records import Board, CSource, Project

# The application's own, without and with the system of a board whose memory is shared.
_CODE_BYTES = {False: 100_000, True: 300_000}
_STATIC_BYTES = 60_000
_WIDTH_STEP = 0.05
_LEAST_WIDTH = 0.1


@dataclass(frozen=True)
class Need:
    """What a firmware needs of a board, in bytes; `ram` counts what is in flash where memory is
    shared."""

    flash: int
    ram: int

    def fits(self, board: Board) -> bool:
        """Whether `board` has as much."""
        return self.flash <= board.flash_bytes and self.ram <= board.ram_bytes


def estimate(project: Project) -> Need:
    """Return about what the firmware of `project` needs, where it could not be linked."""
    flash = project.source.constant_bytes + _CODE_BYTES[project.board.shared_memory]
    ram = project.source.arena_bytes + _STATIC_BYTES
    return Need(flash, ram + (flash if project.board.shared_memory else 0))


def changes(project: Project, need: Need) -> list[str]:
    """Return what would make a firmware fit that needs `need`, the smallest change first."""
    found = [*_runtimes(project, need), *_widths(project, need), *_boards(project, need)]
    return found or [
        f"no board known here has {need.ram:,} bytes of RAM and {need.flash:,} of flash: "
        "use a model with a smaller input or fewer channels"
    ]


def _changed(project: Project, need: Need, arena: float, constants: float) -> Need:
    """Return the need with another arena and other constants, as far as the change is an estimate
    rounded up."""
    more_ram = int(arena + 0.5) - project.source.arena_bytes
    more_flash = int(constants + 0.5) - project.source.constant_bytes
    if project.board.shared_memory:
        more_ram += more_flash
    return Need(need.flash + more_flash, need.ram + more_ram)


def _runtimes(project: Project, need: Need) -> Iterator[str]:
    """Other runtimes; one with a library of its own is no way to save flash."""
    for name in runtimes.names():
        source = _other(project, name)
        if source is None or source.arena_bytes >= project.source.arena_bytes:
            continue
        if _changed(project, need, source.arena_bytes, source.constant_bytes).fits(project.board):
            yield (
                f"--runtime {name} needs an arena of {source.arena_bytes:,} bytes and "
                f"{source.constant_bytes:,} of constants, and would fit"
            )


def _other(project: Project, runtime: str) -> CSource | None:
    if runtime == project.source.runtime:
        return None
    try:
        return runtimes.load(runtime).generate(project.bundle, project.board)
    except TinymlError:
        return None


def _widths(project: Project, need: Need) -> Iterator[str]:
    """A narrower network of the same task: activations go with the width, weights with its
    square."""
    bundle, source = project.bundle, project.source
    width = bundle.card.width if bundle.task else None
    if width is None:
        return
    steps = int((width - _LEAST_WIDTH) / _WIDTH_STEP + 1e-6)
    for step in range(1, steps + 1):
        narrower = round(width - step * _WIDTH_STEP, 2)
        part = narrower / width
        arena, constants = source.arena_bytes * part, source.constant_bytes * part * part
        if _changed(project, need, arena, constants).fits(project.board):
            yield f"tinyml train {bundle.task} --width {narrower:g} (now {width:g}) would fit"
            return


def _boards(project: Project, need: Need) -> Iterator[str]:
    """Other boards; an emulated one is none to change to."""
    for name in boards.names():
        board = boards.load(name)
        if board.link == "qemu" or board.id == project.board.id:
            continue
        ram = need.ram
        if board.shared_memory and not project.board.shared_memory:
            ram += need.flash
        if Need(need.flash, ram).fits(board):
            yield (
                f"--board {board.id} has {board.ram_bytes:,} bytes of RAM"
                f"{' for code and data' if board.shared_memory else ''} and would fit"
            )
