"""What a build must have been, read from what it left: neither slow by mistake nor mixed.

A flag that is lost on its way through a vendor's build files costs speed in silence. An ELF file
cannot be wrong about how it was compiled.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tinyml import runtimes
from tinyml.build import elf
from tinyml.errors import ToolError
from tinyml.records import CSource

_SHOWN = 3


def check(firmware: Path, objects: Iterable[Path], source: CSource) -> None:
    """Raise ToolError unless the build is what its board and runtime promise.

    `firmware`: the linked ELF. `objects`: what it was linked from, as far as it was compiled here.
    """
    _check_floats(firmware, sorted(objects))
    _check_functions(firmware, source)


def _check_floats(firmware: Path, objects: list[Path]) -> None:
    """All code calculates with floats in hardware, or none does."""
    if not elf.floats_in_hardware(firmware):
        return
    soft = [file for file in objects if not elf.floats_in_hardware(file)]
    if soft:
        names = ", ".join(file.name for file in soft[:_SHOWN])
        raise ToolError(
            f"{len(soft)} of {len(objects)} files were compiled for floating point in software, "
            f"the rest for the processor's own: {names}{', ...' if len(soft) > _SHOWN else ''}",
            "keep `build_unflags = -mfloat-abi=soft` in the board file",
        )


def _check_functions(firmware: Path, source: CSource) -> None:
    """The functions that the runtime counts on are there."""
    linked = elf.functions(firmware)
    missing = [
        start for start in source.functions if not any(name.startswith(start) for name in linked)
    ]
    if missing:
        library = runtimes.load(source.runtime).library
        raise ToolError(
            f"the {source.runtime} runtime's fast functions are not in the firmware: "
            f"{', '.join(f'{start}...' for start in missing)}",
            f"name a library that has them, with {library.option if library else ''} DIR",
        )
