"""Objects and firmware of a real compiler: what a build must have been is read from them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tinyml.build import elf, link_checks
from tinyml.errors import ToolError
from tinyml.records import CSource

pytestmark = pytest.mark.needs_arm_gcc

SOURCE = CSource("tflm", {}, (), (), (), (), 0, 0)
SOFT, SOFTFP, HARD = (
    ("-mfpu=fpv4-sp-d16", f"-mfloat-abi={abi}") for abi in ("soft", "softfp", "hard")
)
LINKER_SCRIPT = """
SECTIONS {
  .text 0x10000 : { *(.text*) }
  .bss 0x20000000 : { *(.bss*) }
  .heap (NOLOAD) : { . = . + 0x8000; }
  .stack (NOLOAD) : { . = . + 0x400; }
}
"""


def compiled(folder: Path, name: str, text: str, *flags: str) -> Path:
    (folder / f"{name}.c").write_text(text)
    cpu = ("-mcpu=cortex-m4", "-mthumb", *flags)
    subprocess.run(
        ["arm-none-eabi-gcc", *cpu, "-c", f"{name}.c", "-o", f"{name}.o"], cwd=folder, check=True
    )
    return folder / f"{name}.o"


def linked(folder: Path, *objects: Path) -> Path:
    (folder / "script.ld").write_text(LINKER_SCRIPT)
    command = ["arm-none-eabi-ld", "-T", "script.ld", "-e", "0", *objects, "-o", "firmware.elf"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "firmware.elf"


@pytest.mark.parametrize("flags", [SOFTFP, HARD])
def test_floats_in_hardware_pass(tmp_path: Path, flags: tuple[str, ...]) -> None:
    model = compiled(tmp_path, "model", "float f(float x) { return 2 * x; }", *flags)
    assert elf.floats_in_hardware(model)
    link_checks.check(linked(tmp_path, model), [model], SOURCE)


def test_a_flag_that_comes_last_and_takes_the_floats_away_is_found(tmp_path: Path) -> None:
    model = compiled(tmp_path, "model", "int f(int x) { return 2 * x; }", *SOFTFP, *SOFT)
    core = compiled(tmp_path, "core", "float g(float x) { return 3 * x; }", *SOFTFP)
    with pytest.raises(ToolError, match=r"1 of 1 files .* software.*: model\.o") as caught:
        link_checks.check(linked(tmp_path, model, core), [model], SOURCE)
    assert "build_unflags = -mfloat-abi=soft" in caught.value.hint


def test_a_processor_without_floats_has_nothing_to_prove(tmp_path: Path) -> None:
    model = compiled(tmp_path, "model", "int f(int x) { return x; }", *SOFT)
    link_checks.check(linked(tmp_path, model), [model], SOURCE)


def test_fast_functions_must_be_linked(tmp_path: Path) -> None:
    slow = compiled(tmp_path, "slow", "int convolve(int x) { return x; }")
    fast = compiled(tmp_path, "fast", "int arm_convolve_s8(int x) { return x; }")
    source = replace(SOURCE, functions=("arm_convolve",))
    link_checks.check(linked(tmp_path, slow, fast), [], source)
    with pytest.raises(ToolError, match=r"not in the firmware: arm_convolve\.\.\.") as caught:
        link_checks.check(linked(tmp_path, slow), [], source)
    assert "--tflm-dir" in caught.value.hint


def test_a_heap_that_takes_what_is_left_is_not_used_and_a_stack_may_be_a_variable(
    tmp_path: Path,
) -> None:
    text = "char _main_stack[4096], other[100]; int f(void) { return 1; }"
    file = linked(tmp_path, compiled(tmp_path, "rtos", text, "-fno-common"))
    size = elf.sizes(file, "_main_stack")
    assert size.ram == 4096 + 100 + 0x400
    assert size.stack == 4096 + 0x400
    assert elf.sizes(file).stack == 0x400
