"""Every kernel header stands alone and compiles without a warning, on the host and for Cortex-M."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml import paths, proc
from tinyml.compiler import ops
from tinyml.errors import ToolError

FEATURES = paths.shared("features")
FLAGS = (
    "-std=c99", "-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wpedantic",
    "-Wundef", "-Wdouble-promotion", "-Werror",
)  # fmt: skip
CORTEX_M = ("-mthumb", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")


@pytest.mark.parametrize(
    ("compiler", "target"),
    [
        pytest.param("cc", (), marks=pytest.mark.needs_cc, id="host"),
        pytest.param(
            "arm-none-eabi-gcc", CORTEX_M, marks=pytest.mark.needs_arm_gcc, id="cortex-m4"
        ),
        pytest.param(
            "arm-none-eabi-gcc",
            ("-mthumb", "-mcpu=cortex-m3"),
            marks=pytest.mark.needs_arm_gcc,
            id="cortex-m3",
        ),
    ],
)
def test_headers_compile_alone(compiler: str, target: tuple[str, ...], tmp_path: Path) -> None:
    headers = sorted({*(path.name for path in ops.FOLDER.glob("*.h")), "tml_dsp.h"})
    assert headers
    for name in headers:
        # Included twice: the guard must work.
        (tmp_path / name).with_suffix(".c").write_text(f'#include "{name}"\n' * 2)
    units = sorted(path.name for path in tmp_path.glob("*.c"))
    proc.run([compiler, *FLAGS, *target, f"-I{ops.FOLDER}", f"-I{FEATURES}", *units], cwd=tmp_path)


@pytest.mark.needs_cc
@pytest.mark.parametrize(
    ("pretence", "words"),
    [
        (("-U__GNUC__",), "GCC or Clang"),
        (("-U__SIZEOF_INT__", "-D__SIZEOF_INT__=2"), "32 bits"),
        (("-U__BYTE_ORDER__", "-D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__"), "little-endian"),
    ],
)
def test_a_target_that_breaks_an_assumption_is_refused(
    pretence: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    unit = tmp_path / "unit.c"
    unit.write_text('#include "tml_kernel.h"\n')
    with pytest.raises(ToolError) as caught:
        proc.run(["cc", "-w", "-fsyntax-only", *pretence, f"-I{ops.FOLDER}", f"-I{FEATURES}", unit])
    assert words in str(caught.value)
