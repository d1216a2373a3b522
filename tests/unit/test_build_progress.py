"""How far a build is, from the lines of PlatformIO, also where objects come from a cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml.build import pio


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Compiling .pio/build/qemu_m4/src/app/tml_app.o", "compiling 1 of 1: tml_app"),
        (
            "Retrieved `.pio/build/qemu_m4/src/app/tml_app.o' from cache",
            "compiling 1 of 1: tml_app",
        ),
        ("Linking .pio/build/qemu_m4/firmware.elf", "linking"),
        ("Retrieved `.pio/build/qemu_m4/firmware.elf' from cache", "linking"),
        ("Checking size .pio/build/qemu_m4/firmware.elf", None),
    ],
)
def test_a_line_becomes_a_step(line: str, shown: str | None, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "tml_app.c").touch()
    steps: list[str] = []
    pio.progress(tmp_path / "src", steps.append)(line)
    assert steps == ([] if shown is None else [shown])
