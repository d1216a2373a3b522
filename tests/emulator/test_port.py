"""The emulated board's start-up and port on their own: faults, counter, time, sleep, reset."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyml.build import pio
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle
from tinyml.records import Firmware

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]

HERE = Path(__file__).parent
MODEL = next(iter(sorted((HERE.parent / "golden" / "conv_2d").glob("*.tflite"))))
RAM, STACK_BYTES = 0x20000000, 8192
FORCED = 1 << 30  # in HFSR: escalated from another fault, which CFSR names


class Machine:
    """An emulator with its line on a socket: `ask` sends a letter and returns what comes back."""

    def __init__(self, elf: Path, folder: Path) -> None:
        path = folder / "line"
        self.process = subprocess.Popen(
            ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none",
             "-icount", "shift=6,sleep=off", "-echr", "0x100",
             "-chardev", f"socket,id=line,path={path},server=on,wait=on,mux=on",
             "-serial", "chardev:line", "-kernel", elf],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(120)
        deadline = time.monotonic() + 30
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                assert time.monotonic() < deadline
                assert self.process.poll() is None
                time.sleep(0.02)
        self._lines = self._socket.makefile("rb")
        assert self.line() == "ready"

    def line(self) -> str:
        return self._lines.readline().decode().strip()

    def ask(self, letter: str) -> list[int]:
        self._socket.sendall(letter.encode())
        return [int(word, 16) for word in self.line().removeprefix("fault").split()]

    def reset(self) -> None:
        self._socket.sendall(b"r")
        assert self.line() == "ready"

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")")[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def close(self) -> None:
        self._lines.close()
        self._socket.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    board = boards.load(boards.DEFAULT)
    out = tmp_path_factory.mktemp("port") / "project"
    project = render.generate(plan.resolve(bundle.load(str(MODEL)), board, board.runtime), out)
    headers = {name: out / "src" / "app" / name for name in ("tml_port.h", "tml_fault.h")}
    kept = {name: file.read_bytes() for name, file in headers.items()}
    for folder in (out / "src").iterdir():
        if folder.name != "board":
            shutil.rmtree(folder)
    (out / "src" / "app").mkdir()
    for name, contents in kept.items():
        (out / "src" / "app" / name).write_bytes(contents)
    (out / "src" / "app" / "tml_app.h").write_text(
        "void tml_app_start(void);\nvoid tml_app_turn(void);\n"
    )
    shutil.copy(HERE / "port" / "app.c", out / "src" / "app")
    return pio.build(project)


@pytest.fixture(scope="module")
def machine(built: Firmware) -> Iterator[Machine]:
    # Sockets have short names only: pytest's folders may be too deep.
    folder = Path(tempfile.mkdtemp(prefix="tml"))
    machine = Machine(built.elf, folder)
    yield machine
    machine.close()
    shutil.rmtree(folder)


def function(built: Firmware, name: str) -> range:
    listed = subprocess.run(
        ["arm-none-eabi-nm", "-S", built.elf], capture_output=True, text=True, check=True
    ).stdout
    fields = next(line.split() for line in listed.splitlines() if line.endswith(f" {name}"))
    return range(int(fields[0], 16), int(fields[0], 16) + int(fields[1], 16))


def test_the_counter_is_exact_to_the_instruction(machine: Machine) -> None:
    for _ in range(8):  # at eight phases of the timer, which does not tick per instruction
        nothing, one, three = machine.ask("c")
        assert nothing <= 2  # what the caller does with the result is counted, the call is not
        assert (one - nothing, three - nothing) == (1, 3)


@pytest.mark.parametrize(
    ("letter", "cfsr", "address"),
    [
        ("n", 0x82, 0x0),  # flash cannot be written
        ("e", 0x82, 0x20040000),  # nothing lies behind RAM
        ("d", 1 << 25, None),  # division by zero
        ("u", 1 << 16, None),  # undefined instruction, with interrupts masked
    ],
)
def test_a_fault_tells_where_and_why(
    machine: Machine, built: Firmware, letter: str, cfsr: int, address: int | None
) -> None:
    pc, _, xpsr, found, hfsr, mmfar, _, sp = machine.ask(letter)
    assert (found, hfsr) == (cfsr, FORCED)
    assert any(pc in function(built, name) for name in ("tml_app_turn", "main"))
    assert address is None or mmfar == address
    assert xpsr & 0x1FF == 0  # it happened in thread mode
    assert RAM < sp <= RAM + STACK_BYTES
    machine.reset()


def test_jumping_into_ram_is_a_fault(machine: Machine) -> None:
    pc, _, _, cfsr, hfsr, *_ = machine.ask("x")
    assert (pc, cfsr, hfsr) == (0x20001000, 1, FORCED)
    machine.reset()


def test_a_stack_overflow_is_a_fault_and_is_reported(machine: Machine) -> None:
    *_, cfsr, hfsr, mmfar, _, sp = machine.ask("s")
    assert cfsr & 0x90 == 0x90  # the push failed, and MMFAR tells where
    assert hfsr == FORCED
    assert RAM - 0x200 <= mmfar < RAM
    assert sp < RAM
    assert machine.ask("t")[2] > STACK_BYTES - 512  # and the firmware still answers
    machine.reset()


def test_the_stack_is_measured(machine: Machine) -> None:
    _, stack, used = machine.ask("t")
    assert stack == STACK_BYTES
    assert 0 < used < 1024


def test_idling_costs_the_host_nothing_and_time_stands_still(machine: Machine) -> None:
    before, cpu = machine.ask("t")[0], machine.cpu_s()
    time.sleep(1)
    assert machine.cpu_s() - cpu <= 0.1
    assert machine.ask("t")[0] - before < 100_000


def test_the_counter_goes_on_when_the_timer_goes_round(machine: Machine) -> None:
    counted, us, left = machine.ask("w")
    machine.reset()  # writing the timer moved it against the instructions, of which 5 are 8 ticks
    assert left > 1 << 31  # it has gone round
    assert 0 <= counted - 2_000_000 < 50  # the timer's interrupt is counted
    assert 0 <= us - counted * 64 // 1000 < 50_000  # and for time also the sending of the count
