"""Faults in words: registers to reasons, addresses to functions and lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml.device.fault import Symbols, explain


def registers(cfsr: int = 0, hfsr: int = 0, mmfar: int = 0, bfar: int = 0) -> tuple[int, ...]:
    return (0x2000, 0x1001, 0x01000003, cfsr, hfsr, mmfar, bfar, 0x20000100)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (registers(cfsr=0x8200, bfar=0xDEAD), "BusFault accessing memory (address 0x0000dead)"),
        (registers(cfsr=0x0400), "BusFault accessing memory (a buffered write)"),
        (
            registers(cfsr=0x82, mmfar=16),
            "MemManage fault: accessed memory it may not (address 0x00",
        ),
        (registers(cfsr=1 << 16), "UsageFault: undefined instruction"),
        (registers(cfsr=1 << 25), "UsageFault: division by zero"),
        (registers(cfsr=1 << 12), "BusFault: stack overflow"),
        (registers(hfsr=2), "BusFault reading the vector table"),
        (registers(hfsr=1 << 30), "HardFault at 0x00002000"),
        (registers(cfsr=0x0101), "MemManage fault: executed code where there is none; BusFault f"),
    ],
)
def test_reasons(given: tuple[int, ...], reason: str) -> None:
    assert explain(given).startswith(reason)


def test_all_registers_that_help_are_shown() -> None:
    assert explain(registers(cfsr=0x0400)).endswith(
        "[pc=00002000 lr=00001001 sp=20000100 xpsr=01000003 cfsr=00000400 hfsr=00000000]"
    )


def test_an_address_is_found_in_the_function_that_holds_it() -> None:
    symbols = Symbols(
        [(0x200, 16, "second"), (0x100, 32, "first")],
        [(0x100, "a.c", 10), (0x104, "a.c", 12), (0x200, "z.c", 0), (0x200, "b.c", 3)],
    )
    assert str(symbols.find(0x106)) == "first (a.c:12)"
    assert str(symbols.find(0x100)) == "first (a.c:10)"
    assert str(symbols.find(0x20F)) == "second (b.c:3)"
    assert symbols.find(0x120) is None
    assert symbols.find(0x50) is None
    assert str(Symbols([(0, 8, "bare")], []).find(4)) == "bare"


@pytest.mark.parametrize("contents", [None, b"", b"\x7fELF", b"\x7fELF" + bytes(300)])
def test_a_program_that_cannot_be_read_has_no_symbols(
    tmp_path: Path, contents: bytes | None
) -> None:
    elf = tmp_path / "firmware.elf"
    if contents is not None:
        elf.write_bytes(contents)
    assert "BusFault" in explain(registers(cfsr=0x0400), elf)
