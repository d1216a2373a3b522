"""The DSP operations: the Cortex-M4's instructions and their portable twins give the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import paths, proc

pytestmark = [pytest.mark.needs_cc, pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu]

FOLDER = Path(__file__).with_name("front_end")
CORE = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
QEMU = ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none",
        "-serial", "none", "-semihosting-config", "enable=on,target=native"]  # fmt: skip
STRICT = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror"]
ON_THE_HOST = """
#include <stdio.h>
#include "dsp_sums.h"
int main(void) {
  static uint32_t words[1024];
  uint32_t sums[DSP_OPERATIONS];
  dsp_sums(words, (uint32_t)fread(words, sizeof *words, 1024, stdin), sums);
  for (int i = 0; i < DSP_OPERATIONS; i++) printf("%08x\\n", (unsigned)sums[i]);
  return 0;
}
"""


def words() -> bytes:
    """Words whose bytes and halves are every edge, and random ones."""
    edges = np.array([-32768, -32767, -129, -128, -1, 0, 1, 127, 128, 255, 32766, 32767], np.int16)
    pairs = np.array([(a, b) for a in edges for b in edges], np.int16).reshape(-1)
    return np.concatenate(
        [pairs, np.random.default_rng(1).integers(-32768, 32768, 200).astype(np.int16)]
    ).tobytes()


def test_instructions_and_twins_agree(tmp_path: Path) -> None:
    (tmp_path / "samples").write_bytes(words())
    (tmp_path / "host.c").write_text(ON_THE_HOST)
    include = ["-I", str(paths.shared("features")), "-I", str(FOLDER)]
    proc.run(["cc", *STRICT, "-fsanitize=undefined", "-fno-sanitize-recover=all", *include,
              "host.c", "-o", "host"], cwd=tmp_path)  # fmt: skip
    proc.run(["arm-none-eabi-gcc", "-std=gnu99", *STRICT[1:], "-Wno-unused-function", *CORE,
              "-nostdlib",
              "-T", FOLDER / "link.ld", *include, '-DSAMPLES="\\"samples\\""',
              FOLDER / "dsp.c", "-lgcc", "-o", "dsp.elf"], cwd=tmp_path)  # fmt: skip
    host = proc.run(["sh", "-c", "./host < samples"], cwd=tmp_path).output.split()
    board = proc.run([*QEMU, "-kernel", "dsp.elf"], cwd=tmp_path, timeout_s=60).output.split()
    assert len(host) == 18
    assert board == host
