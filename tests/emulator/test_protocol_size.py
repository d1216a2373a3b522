"""What the serial line costs on a Cortex-M4: at most 4 KB of code and 2 KB of buffers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml import proc, runtimes
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle
from tinyml.records import Board, Bundle, CSource, TensorInfo

BOARD = Board("b", "A board", "qemu_m4", "cortex-m4", 983040, 262144, "qemu", "instructions",
              "compiled", {}, Path("b.ini"))  # fmt: skip
PROTOCOL = ("tml_line", "tml_commands", "tml_info", "tml_run", "tml_crc", "tml_fault")
FLAGS = ["-Os", "-std=c99", "-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]


@pytest.mark.needs_arm_gcc
def test_the_protocol_is_small(tmp_path: Path) -> None:
    source = CSource(
        "compiled", {}, (TensorInfo("in", "int8", (1, 16)),), (TensorInfo("out", "int8", (1, 4)),),
        (), (), 0, 0,
    )  # fmt: skip
    model = Bundle("m", b"", "00" * 32, Path("m.tflite"))
    for name, contents in render.render(plan.of_source(model, BOARD, source)).items():
        if name.startswith("src/app/"):
            (tmp_path / Path(name).name).write_bytes(contents)
    code = data = 0
    for name in PROTOCOL:
        compiled = tmp_path / f"{name}.o"
        proc.run(["arm-none-eabi-gcc", *FLAGS, "-c", tmp_path / f"{name}.c", "-o", compiled])
        size = proc.run(["arm-none-eabi-size", compiled]).output.splitlines()[1].split()
        code += int(size[0])
        data += int(size[1]) + int(size[2])
    assert code <= 4096
    assert data <= 2048


@pytest.mark.needs_arm_gcc
def test_recording_is_small_too(tmp_path: Path) -> None:
    model, board = bundle.load("gesture"), boards.load("qemu-m4")
    source = runtimes.load(board.runtime).generate(model, board)
    for name, contents in render.render(plan.of_source(model, board, source)).items():
        if name.startswith(("src/app/", "src/stream/")) and name.endswith((".h", "capture.c")):
            (tmp_path / Path(name).name).write_bytes(contents)
    compiled = tmp_path / "capture.o"
    proc.run(["arm-none-eabi-gcc", *FLAGS, "-c", tmp_path / "tml_capture.c", "-o", compiled])
    code, *data = proc.run(["arm-none-eabi-size", compiled]).output.splitlines()[1].split()[:3]
    assert int(code) <= 1024
    assert sum(map(int, data)) <= 64  # samples wait in memory that is borrowed
