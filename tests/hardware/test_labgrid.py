"""Our suite through labgrid: QEMU as its driver starts it, and a farm on this computer.

labgrid needs an environment of its own (see `labgrid/README.md`); TINYML_LABGRID names its folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyml.device.deadline import Deadline
from tinyml.firmware import boards
from tinyml.records import Board, Bundle, Firmware

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BIN = Path(os.environ.get("TINYML_LABGRID", "")) / "bin"
STARTED_S = 60.0

pytestmark = [
    pytest.mark.needs_arm_gcc,
    pytest.mark.needs_pio,
    pytest.mark.needs_qemu,
    pytest.mark.skipif(
        "TINYML_LABGRID" not in os.environ, reason="TINYML_LABGRID names no environment of labgrid"
    ),
]


@pytest.fixture(scope="module")
def firmware(
    tinyml_build: Callable[[Bundle, Board, str], Firmware], tinyml_model: Bundle
) -> Firmware:
    board = boards.load(boards.DEFAULT)
    return tinyml_build(tinyml_model, board, board.runtime)


def suite(file: str, **environment: str) -> dict[str, int]:
    """Run the tests of any board with labgrid's environment `file`; return counts by outcome."""
    arguments = ["-m", "pytest", "-q", "--color=no", "tests/hardware/test_board.py"]
    done = subprocess.run(
        [BIN / "python", *arguments, "--lg-env", HERE / "labgrid" / file],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=900,
    )
    print(done.stdout, done.stderr)
    last = done.stdout.strip().splitlines()[-1]
    return {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", last)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def emulator(elf: Path, port: int) -> list[str | Path]:
    """The emulated board behind a raw TCP port, as a serial server has it."""
    line = f"socket,id=line,host=127.0.0.1,port={port},server=on,wait=off,mux=on"
    return [
        "qemu-system-arm", "-M", "mps2-an386", "-nodefaults", "-display", "none",
        "-icount", "shift=6,sleep=off", "-chardev", line, "-echr", "0x100",
        "-serial", "chardev:line", "-kernel", elf,
    ]  # fmt: skip


class Farm:
    """Coordinator, exporter and an emulated board on this computer; `stack` ends them."""

    def __init__(self, elf: Path, folder: Path, stack: contextlib.ExitStack) -> None:
        line, port = free_port(), free_port()
        self.environment = {
            "LG_COORDINATOR": f"127.0.0.1:{port}",
            "LG_PLACE": "emulated",
            "TINYML_LINE_PORT": str(line),
        }
        self._folder = folder
        self._start(stack, *emulator(elf, line))
        self._start(stack, BIN / "labgrid-coordinator", "--listen", f"127.0.0.1:{port}")
        self._until(lambda: self.client("places") is not None)
        self._start(
            stack, BIN / "labgrid-exporter", "--name", "bench", "--hostname", "localhost",
            HERE / "labgrid" / "exporter.yaml",
        )  # fmt: skip
        self._until(lambda: "NetworkSerialPort" in (self.client("resources") or ""))

    def client(self, *arguments: str) -> str | None:
        """Run labgrid-client; return what it printed, None where it failed."""
        done = subprocess.run(
            [BIN / "labgrid-client", *arguments],
            cwd=self._folder, env={**os.environ, **self.environment}, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        print(arguments, done.stdout)
        return done.stdout if done.returncode == 0 else None

    def _start(self, stack: contextlib.ExitStack, *command: str | Path) -> None:
        log = stack.enter_context((self._folder / f"{Path(command[0]).name}.log").open("wb"))
        process = subprocess.Popen(
            command, cwd=self._folder, env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.terminate)

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = Deadline(STARTED_S)
        while not done():
            assert not deadline.passed, [file.read_text() for file in self._folder.glob("*.log")]
            time.sleep(0.5)


def test_qemu_as_labgrid_starts_it(firmware: Firmware) -> None:
    counted = suite("qemu.yaml", LG_FIRMWARE=str(firmware.elf.resolve()))
    assert counted.keys() == {"passed"}
    assert counted["passed"] >= 8


def test_a_board_of_a_farm(firmware: Firmware, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        farm = Farm(firmware.elf, tmp_path, stack)
        for command in (["create"], ["add-match", "bench/emulated/*"], ["acquire"]):
            assert farm.client(*command) is not None
        counted = suite("remote.yaml", **farm.environment)
        assert farm.client("release") is not None
    assert counted.keys() == {"passed"}
    assert counted["passed"] >= 8
