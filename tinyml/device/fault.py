"""Hard fault decoding: the registers of a Cortex-M in, what happened and in which line out.

Fault status bits: Armv7-M Architecture Reference Manual, B3.2.15 (CFSR) and B3.2.16 (HFSR).
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Bit of CFSR -> what happened; {mmfar} and {bfar} are the addresses that were accessed.
_CFSR = {
    0: "MemManage fault: executed code where there is none",
    1: "MemManage fault: accessed memory it may not",
    3: "MemManage fault while an exception returned",
    4: "MemManage fault: stack overflow (an exception found no room)",
    5: "MemManage fault while saving the floating-point state",
    8: "BusFault fetching an instruction",
    9: "BusFault accessing memory",
    10: "BusFault accessing memory (a buffered write)",
    11: "BusFault while an exception returned",
    12: "BusFault: stack overflow (an exception found no room)",
    13: "BusFault while saving the floating-point state",
    16: "UsageFault: undefined instruction",
    17: "UsageFault: jumped to an address that is not Thumb code",
    18: "UsageFault: bad return from an exception",
    19: "UsageFault: used a coprocessor that is absent or off",
    24: "UsageFault: unaligned access",
    25: "UsageFault: division by zero",
}
_MMFAR_VALID, _BFAR_VALID = 1 << 7, 1 << 15
_HFSR_VECTOR = 1 << 1


@dataclass(frozen=True)
class CodeLocation:
    """Where an address lies in a program; `file` is empty and `line` 0 where that is not known."""

    function: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.function} ({self.file}:{self.line})" if self.line else self.function


def explain(registers: tuple[int, ...], elf: Path | None = None) -> str:
    """Return what happened and where.

    `registers`: pc, lr, xpsr, cfsr, hfsr, mmfar, bfar, sp as the fault found them. With the `elf`
    that runs, addresses become functions and source lines.
    """
    pc, lr, xpsr, cfsr, hfsr, mmfar, bfar, sp = registers
    reason = _reason(cfsr, hfsr, mmfar, bfar)
    places = Symbols.load(elf)
    shown = " ".join(
        f"{name}={value:08x}"
        for name, value in (
            ("pc", pc), ("lr", lr), ("sp", sp), ("xpsr", xpsr), ("cfsr", cfsr), ("hfsr", hfsr),
        )
    )  # fmt: skip
    at, caller = places.find(pc), places.find((lr & ~1) - 2)
    where = f" in {at}" if at else ""
    if caller is not None and (at is None or caller.function != at.function):
        where += f", called from {caller}"
    return f"{reason} at 0x{pc:08x}{where} [{shown}]"


def _reason(cfsr: int, hfsr: int, mmfar: int, bfar: int) -> str:
    reasons = [text for bit, text in _CFSR.items() if cfsr >> bit & 1]
    if hfsr & _HFSR_VECTOR:
        reasons.append("BusFault reading the vector table")
    reason = "; ".join(reasons) or "HardFault"
    if cfsr & _MMFAR_VALID:
        reason += f" (address 0x{mmfar:08x})"
    elif cfsr & _BFAR_VALID:
        reason += f" (address 0x{bfar:08x})"
    return reason


class Symbols:
    """The functions and source lines of a program."""

    def __init__(
        self, functions: list[tuple[int, int, str]], lines: list[tuple[int, str, int]]
    ) -> None:
        """`functions`: (start, bytes, name); `lines`: (start, file, line); an end is line 0."""
        self._functions = sorted(functions)
        # Where one sequence ends and another starts, what starts counts.
        self._lines = sorted(lines, key=lambda entry: (entry[0], entry[2] != 0))

    @classmethod
    def load(cls, elf: Path | None) -> Symbols:
        """Read an ELF file; one that is missing or damaged has no symbols."""
        from elftools.common.exceptions import DWARFError, ELFError
        from elftools.elf.elffile import ELFFile

        if elf is None:
            return cls([], [])
        try:
            with elf.open("rb") as stream:
                file = ELFFile(stream)
                return cls(_functions(file), _lines(file))
        except (OSError, ELFError, DWARFError):
            return cls([], [])

    def find(self, address: int) -> CodeLocation | None:
        """Return where `address` lies, None outside of all functions."""
        index = bisect.bisect_right(self._functions, address, key=lambda entry: entry[0]) - 1
        if index < 0:
            return None
        start, size, name = self._functions[index]
        if address >= start + max(size, 1):
            return None
        at = bisect.bisect_right(self._lines, address, key=lambda entry: entry[0]) - 1
        _, file, line = self._lines[at] if at >= 0 else (0, "", 0)
        return CodeLocation(name, file, line)


def _functions(file: Any) -> list[tuple[int, int, str]]:
    table = file.get_section_by_name(".symtab")
    if table is None:
        return []
    return [
        (symbol["st_value"] & ~1, symbol["st_size"], symbol.name)  # bit 0 says Thumb
        for symbol in table.iter_symbols()
        if symbol["st_info"]["type"] == "STT_FUNC"
    ]


def _lines(file: Any) -> list[tuple[int, str, int]]:
    if not file.has_dwarf_info():
        return []
    dwarf = file.get_dwarf_info()
    rows = []
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        first = 0 if program["version"] >= 5 else 1
        names = program["file_entry"]
        for entry in program.get_entries():
            state = entry.state
            if state is None:
                continue
            number = state.file - first
            name = names[number].name.decode("utf-8", "replace") if number < len(names) else ""
            rows.append((state.address, Path(name).name, 0 if state.end_sequence else state.line))
    return rows
