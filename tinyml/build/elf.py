"""Measures compiled code: an ELF file in, its bytes of flash and RAM and its largest symbols out.

Works for a linked firmware and, for symbols, for the object files of one that did not link.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SHF_ALLOC = 2

Contributors = tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class Sizes:
    """What a firmware occupies, in bytes.

    `flash`: code, constants and the initial values of variables. `ram`: variables and stack.
    """

    flash: int
    ram: int
    stack: int


def sizes(elf: Path, stack_symbol: str = "") -> Sizes:
    """Return what the linked firmware `elf` occupies.

    Its stack is the section `.stack` and the variable `stack_symbol`. A section `.heap` is what
    linker scripts call the RAM that they leave over: nothing of it is occupied.
    """
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as stream:
        file = ELFFile(stream)
        loads = [segment for segment in file.iter_segments() if segment["p_type"] == "PT_LOAD"]
        flash = ram = stack = 0
        for section in file.iter_sections():
            if not section["sh_flags"] & _SHF_ALLOC or section.name == ".heap":
                continue
            stored = section["sh_type"] != "SHT_NOBITS"
            flash += section["sh_size"] * stored
            ram += section["sh_size"] * (not stored or _is_copied(section, loads))
            stack += section["sh_size"] * (section.name == ".stack")
    if stack_symbol:
        stack += sum(size for name, _, size in _symbols(elf) if name == stack_symbol)
    return Sizes(flash, ram, stack)


def contributors(files: Iterable[Path], most: int = 30) -> Contributors:
    """Return the largest functions and variables of ELF `files` as (name, section, bytes)."""
    found = sorted(
        (symbol for file in files for symbol in _symbols(file)),
        key=lambda symbol: (-symbol[2], symbol[0]),
    )
    return tuple(found[:most])


def sections(elf: Path) -> tuple[tuple[str, int, str], ...]:
    """Return the sections that the linked firmware `elf` occupies as (name, bytes, memory).

    Largest first; what is stored at one place and runs at another is in "flash and RAM".
    """
    from elftools.elf.elffile import ELFFile

    found = []
    with elf.open("rb") as stream:
        file = ELFFile(stream)
        loads = [segment for segment in file.iter_segments() if segment["p_type"] == "PT_LOAD"]
        for section in file.iter_sections():
            taken = section["sh_flags"] & _SHF_ALLOC and section["sh_size"]
            if not taken or section.name == ".heap":
                continue
            stored = section["sh_type"] != "SHT_NOBITS"
            copied = stored and _is_copied(section, loads)
            memory = "flash and RAM" if copied else "flash" if stored else "RAM"
            found.append((str(section.name), int(section["sh_size"]), memory))
    return tuple(sorted(found, key=lambda one: (-one[1], one[0])))


def compiler(elf: Path) -> str:
    """Return what the compiler of `elf` calls itself, "" where it does not say."""
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".comment")
        text = section.data() if section is not None else b""
    return bytes(text).split(b"\0")[0].decode("utf-8", "replace")


def functions(file: Path) -> set[str]:
    """Return the names of all functions in the ELF `file`."""
    return {name for name, section, _ in _symbols(file) if section == ".text"}


def floats_in_hardware(file: Path) -> bool:
    """Return whether the ELF `file` was compiled, at least in part, for a floating point unit."""
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import ARMAttributesSection

    with file.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".ARM.attributes")
        if not isinstance(section, ARMAttributesSection):
            return False
        return any(
            attribute.value != 0
            for vendor in section.iter_subsections()
            for part in vendor.iter_subsubsections()
            for attribute in part.iter_attributes("TAG_FP_ARCH")
        )


def _symbols(file: Path) -> Iterator[tuple[str, str, int]]:
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    with file.open("rb") as stream:
        elf = ELFFile(stream)
        for table in elf.iter_sections():
            if not isinstance(table, SymbolTableSection):
                continue
            for symbol in table.iter_symbols():
                index = symbol["st_shndx"]
                sized = symbol["st_info"]["type"] in ("STT_FUNC", "STT_OBJECT")
                if sized and symbol["st_size"] and isinstance(index, int):
                    # An object file has a section per symbol: .rodata.weights means .rodata.
                    section = elf.get_section(index).name
                    kind = "." + section.removeprefix(".").split(".")[0]
                    yield symbol.name, kind, symbol["st_size"]


def _is_copied(section: Any, loads: Iterable[Any]) -> bool:
    """Whether a stored section runs at another place than it is stored at, hence in RAM."""
    return any(
        load.section_in_segment(section) and load["p_vaddr"] != load["p_paddr"] for load in loads
    )
