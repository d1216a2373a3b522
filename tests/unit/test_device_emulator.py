"""The life of an emulated board, with a Python program in place of QEMU."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import fake_device
import numpy as np
import pytest

from tinyml import device
from tinyml.device import emulator, running
from tinyml.device.deadline import Deadline
from tinyml.device.qmp import Qmp
from tinyml.errors import ConfigError, DeviceError, DeviceTimeout, ToolError
from tinyml.records import Board, Bundle, CSource, Firmware, Project

HERE = Path(__file__).parent
BOARD = Board(
    "fake-m4", "Fake", "fake", "cortex-m4", 1, 1, "qemu", "instructions", "compiled", {},
    Path("boards/fake-m4.ini"),
)  # fmt: skip
INPUT = np.zeros(fake_device.INPUT_SHAPE, np.int8)


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fake QEMU on PATH and a runtime folder of the test's own, short enough for a socket."""
    program = tmp_path / "qemu-system-arm"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE / "fake_qemu.py"} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(HERE.parents[1]))
    with tempfile.TemporaryDirectory(prefix="tml") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder) / "tinyml"
        for pid in emulators(Path(folder)):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def firmware(tmp_path: Path) -> Firmware:
    elf = tmp_path / "firmware.elf"
    elf.write_bytes(b"not really")
    bundle = Bundle("tiny", b"", bytes(fake_device.SHA256).hex(), tmp_path)
    source = CSource("compiled", {}, (), (), (), (), 0, 0)
    return Firmware(Project(tmp_path, BOARD, bundle, source), elf, 0, 0, 0)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def emulators(folder: Path) -> list[int]:
    """Every process whose command line names the folder, by asking the system, not the state."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in command and b"fake_qemu" in command:
                found.append(int(entry.name))
    return found


def test_the_command_line(runtime: Path) -> None:
    assert emulator.command(Path("x.elf"), running.Files("b", Path("/r"))) == [
        "qemu-system-arm", "-M", "mps2-an386", "-nodefaults", "-display", "none",
        "-monitor", "none", "-icount", "shift=6,sleep=off",
        "-chardev", "socket,id=line,path=/r/b.line,server=on,wait=off,mux=on", "-echr", "0x100",
        "-serial", "chardev:line",
        "-chardev", "socket,id=qmp,path=/r/b.qmp,server=on,wait=off",
        "-mon", "chardev=qmp,mode=control", "-pidfile", "/r/b.pid", "-S", "-kernel", "x.elf",
    ]  # fmt: skip


def test_a_flashed_board_runs_on_is_listed_answers_and_is_stopped(
    runtime: Path, firmware: Firmware
) -> None:
    device.flash(firmware)
    (one,) = device.devices()
    assert (one.board, one.model, one.elf) == ("fake-m4", "tiny", firmware.elf)
    assert alive(one.pid)
    assert one.line == runtime / "fake-m4.line"
    with device.connect(BOARD) as connection:
        assert connection.info.model == "tiny"
        connection.infer([INPUT])
    with device.connect(BOARD) as again:
        again.infer([INPUT])
    device.stop("fake-m4")
    assert not alive(one.pid)
    assert device.devices() == []
    assert emulators(runtime) == []


def test_the_folder_is_private(runtime: Path, firmware: Firmware) -> None:
    device.flash(firmware)
    assert runtime.stat().st_mode & 0o777 == 0o700


def test_the_next_flash_replaces_the_emulator(runtime: Path, firmware: Firmware) -> None:
    device.flash(firmware)
    (first,) = device.devices()
    device.flash(firmware)
    (second,) = device.devices()
    assert not alive(first.pid)
    assert emulators(runtime) == [second.pid]


def test_nothing_of_the_boot_is_lost(runtime: Path, firmware: Firmware) -> None:
    heard: list[str] = []

    def answers(link: device.Link) -> None:
        connection = device.Device(link, "fake", on_text=heard.append)
        connection.status()

    emulator.start(firmware, 10, answers)
    assert "".join(heard) == "booting\r\n"


@pytest.mark.parametrize(
    ("mood", "kind", "words"),
    [
        (
            "crash",
            DeviceError,
            "ended with code 1\nqemu-system-arm printed:\n  qemu-system-arm: could",
        ),
        (
            "silent",
            DeviceTimeout,
            "fake-m4 does not answer\nthe firmware printed:\n  booting\nqemu-system-arm p",
        ),
        ("fault", DeviceError, "fake-m4 stopped: BusFault"),
    ],
    ids=["crash", "silent", "fault"],
)
def test_a_failed_flash_says_why_and_leaves_no_emulator(
    runtime: Path,
    firmware: Firmware,
    monkeypatch: pytest.MonkeyPatch,
    mood: str,
    kind: type[DeviceError],
    words: str,
) -> None:
    monkeypatch.setenv("FAKE_QEMU", mood)
    with pytest.raises(kind) as caught:
        device.flash(firmware, timeout_s=2)
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert emulators(runtime) == []
    assert device.devices() == []
    assert sorted(file.name for file in runtime.iterdir()) == ["fake-m4.lock", "fake-m4.log"]


def test_an_interrupted_flash_leaves_no_emulator(runtime: Path, firmware: Firmware) -> None:
    def answers(link: device.Link) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        emulator.start(firmware, 10, answers)
    assert emulators(runtime) == []


def test_firmware_with_another_model_is_not_flashed(runtime: Path, firmware: Firmware) -> None:
    bundle = replace(firmware.project.bundle, sha256="ab" * 32)
    other = replace(firmware, project=replace(firmware.project, bundle=bundle))
    with pytest.raises(DeviceError, match="holds model 000102030405, not abababababab"):
        device.flash(other)
    assert emulators(runtime) == []


def test_firmware_that_is_not_there(runtime: Path, firmware: Firmware) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*gone\.elf"):
        device.flash(replace(firmware, elf=Path("gone.elf")))


def test_an_emulated_board_takes_no_port(runtime: Path, firmware: Firmware) -> None:
    with pytest.raises(ConfigError, match="is emulated and has no port '/dev/ttyS0'"):
        device.flash(firmware, port="/dev/ttyS0")


def test_without_qemu_the_error_says_how_to_get_it(
    runtime: Path, firmware: Firmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match="qemu-system-arm is not installed") as caught:
        device.flash(firmware)
    assert "apt-get install qemu-system-arm" in caught.value.hint


def test_an_emulator_that_does_not_want_to_end_is_ended(
    runtime: Path, firmware: Firmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator, "_QUIT_S", 0.2)
    monkeypatch.setattr(emulator, "_TERM_S", 0.2)
    monkeypatch.setenv("FAKE_QEMU", "stubborn")
    device.flash(firmware)
    (one,) = device.devices()
    device.stop("fake-m4")
    assert not alive(one.pid)


def test_a_second_client_is_told_who_has_the_board(runtime: Path, firmware: Firmware) -> None:
    device.flash(firmware)
    with device.connect(BOARD):
        with pytest.raises(DeviceError) as caught:
            device.connect(BOARD)
        assert f"fake-m4 is in use by process {os.getpid()} (" in caught.value.message
        with pytest.raises(DeviceError, match="in use"):
            device.flash(firmware)
        with pytest.raises(DeviceError, match="in use"):
            device.connect(BOARD, str(runtime / "fake-m4.line"))
    device.connect(BOARD).close()
    device.connect(BOARD, str(runtime / "fake-m4.line")).close()


def test_the_lock_of_a_killed_client_is_free(runtime: Path, firmware: Firmware) -> None:
    device.flash(firmware)
    code = (
        "from tinyml.device import emulator\n"
        "from tinyml.device.deadline import Deadline\n"
        "held = emulator.connect('fake-m4', Deadline(5))\n"
        "print('held', flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DeviceError, match=f"in use by process {holder.pid} "):
            device.connect(BOARD)
        holder.kill()
    device.connect(BOARD).close()


def test_a_board_that_does_not_run(runtime: Path) -> None:
    with pytest.raises(DeviceError, match="no fake-m4 runs") as caught:
        device.connect(BOARD)
    assert caught.value.hint == "start one with: tinyml flash --board fake-m4"
    with pytest.raises(ConfigError, match="no fake-m4 runs"):
        device.stop("fake-m4")


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    while alive(pid):
        time.sleep(0.01)


def test_an_emulator_killed_in_mid_conversation_is_an_error_at_once(
    runtime: Path, firmware: Firmware
) -> None:
    device.flash(firmware)
    (one,) = device.devices()
    with device.connect(BOARD) as connection:
        killed(one.pid)
        with pytest.raises(DeviceError, match="fake-m4 has gone") as caught:
            connection.infer([INPUT])
    assert not isinstance(caught.value, DeviceTimeout)
    assert device.devices() == []
    device.flash(firmware)
    device.connect(BOARD).close()


def test_a_process_id_that_now_belongs_to_another_is_left_alone(
    runtime: Path, firmware: Firmware
) -> None:
    device.flash(firmware)
    (one,) = device.devices()
    killed(one.pid)
    with subprocess.Popen(["sleep", "60"]) as other:
        (runtime / "fake-m4.pid").write_text(f"{other.pid}\n")
        assert device.devices() == []
        device.flash(firmware)
        assert other.poll() is None
        other.kill()


def test_reset_keeps_the_connection_and_is_noticed(runtime: Path, firmware: Firmware) -> None:
    device.flash(firmware)
    with device.connect(BOARD) as connection:
        connection.infer([INPUT])
        device.reset("fake-m4")
        connection.infer([INPUT])  # a whole inference of the restarted device is as good
        device.reset("fake-m4")
        with pytest.raises(DeviceError, match="fake-m4 restarted"):
            connection.bench(1)
        connection.infer([INPUT])


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"model": 1}'])
def test_a_damaged_state_is_no_running_board_and_the_next_flash_mends_it(
    runtime: Path, firmware: Firmware, damage: bytes
) -> None:
    device.flash(firmware)
    (one,) = device.devices()
    (runtime / "fake-m4.json").write_bytes(damage)
    assert device.devices() == []
    device.flash(firmware)
    assert len(emulators(runtime)) == 1
    assert not alive(one.pid)


def test_a_folder_that_others_may_enter_is_refused(runtime: Path, firmware: Firmware) -> None:
    runtime.mkdir(mode=0o755)
    runtime.chmod(0o755)
    with pytest.raises(ConfigError, match="is open to other users"):
        device.flash(firmware)


def test_a_path_too_long_for_a_socket_is_refused(
    runtime: Path, firmware: Firmware, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    with pytest.raises(ConfigError, match="too long for a socket"):
        device.flash(firmware)


def test_a_runtime_folder_that_cannot_be_used_gives_way_to_the_temporary_one(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/of-nobody")
    monkeypatch.setattr(tempfile, "tempdir", str(runtime.parent))
    assert running.files("b").folder == runtime.parent / f"tinyml-{os.getuid()}"


def qmp_server(path: Path, lines: list[bytes]) -> Callable[[], None]:
    """Serve one QMP client: a line of `lines` for the greeting and for each command."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        client, _ = listener.accept()
        client.sendall(lines[0])
        for line in lines[1:]:
            client.recv(4096)
            client.sendall(line)
        with contextlib.suppress(ConnectionResetError):
            client.recv(4096)
        client.close()
        listener.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return lambda: thread.join(5)


GREETING = b'{"QMP": {}}\r\n'
DONE = b'{"return": {}}\r\n'


def test_qmp_skips_events_and_returns_results(tmp_path: Path) -> None:
    answer = b'{"event": "STOP"}\r\n{"return": {"running": true}}\r\n'
    join = qmp_server(tmp_path / "q", [GREETING, DONE, answer])
    with Qmp(tmp_path / "q", Deadline(5)) as qmp:
        assert qmp.execute("query-status", Deadline(5)) == {"running": True}
    join()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"error": {"class": "CommandNotFound"}}\r\n', "refused boom: .*CommandNotFound"),
        (b"what?\r\n", "sends b'what"),
        (b"x" * 70000, "sends no lines"),
        (b"", "does not answer"),
    ],
)
def test_qmp_says_what_went_wrong(tmp_path: Path, answer: bytes, words: str) -> None:
    join = qmp_server(tmp_path / "q", [GREETING, DONE, answer])
    with (
        pytest.raises(DeviceError, match=words),
        Qmp(tmp_path / "q", Deadline(5)) as qmp,
    ):
        qmp.execute("boom", Deadline(0.2))
    join()
