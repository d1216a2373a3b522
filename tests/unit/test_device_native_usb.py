"""Flashing a board whose port vanishes and comes back: a fake bus, a fake uploader, a pty."""

from __future__ import annotations

import json
import os
import pty
import shutil
import threading
import tty
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fake_device
import pytest
from fake_device import FakeDevice

from tinyml.device import deadline, kinds, ports
from tinyml.device.kinds import native_usb
from tinyml.device.ports import Port
from tinyml.errors import ConfigError, DeviceError, DeviceTimeout, ToolError
from tinyml.firmware import boards
from tinyml.records import Bundle, CSource, Firmware, Project

BOARD = boards.load("nano33ble")
SERIAL = "B00B5"
APPLICATION, BOOTLOADER = (0x2341, 0x805A), (0x2341, 0x005A)
BUNDLE = Bundle("tiny", b"", bytes(fake_device.SHA256).hex(), Path("tiny"))

# Stands in for PlatformIO: runs the steps that the test wrote down.
UPLOADER = """
import json, pathlib, subprocess, sys, time
here = pathlib.Path(__file__).parent
(here / "arguments.json").write_text(json.dumps(sys.argv[1:]))
for step, *what in json.loads((here / "steps.json").read_text()):
    if step == "plug":
        bus, name, port = what
        pathlib.Path(bus, name + ".new").write_text(json.dumps(port))
        pathlib.Path(bus, name + ".new").rename(pathlib.Path(bus, name))
    elif step == "unplug":
        pathlib.Path(*what).unlink()
    elif step == "say":
        print(*what, flush=True)
    elif step == "hang":
        subprocess.run([sys.executable, "-c", "import time; time.sleep(100)"])
    elif step == "fail":
        sys.exit(1)
    time.sleep(0.05)
"""


class Bus:
    """The serial ports of a computer: a folder with a file for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: list[list[object]] = []
        self._stop = threading.Event()

    def ports(self) -> list[Port]:
        files = sorted(file for file in self.folder.iterdir() if file.suffix != ".new")
        return [Port(**json.loads(file.read_text())) for file in files]

    def port(
        self, path: Path | str, ids: tuple[int, int], serial: str = SERIAL
    ) -> dict[str, object]:
        return {"path": str(path), "serial_number": serial, "vid": ids[0], "pid": ids[1]}

    def plug(self, name: str, port: dict[str, object]) -> None:
        (self.folder / name).write_text(json.dumps(port))

    def then_plug(self, name: str, port: dict[str, object]) -> None:
        self.steps.append(["plug", str(self.folder), name, port])

    def then_unplug(self, name: str) -> None:
        self.steps.append(["unplug", str(self.folder), name])

    def then(self, *step: str) -> None:
        self.steps.append(list(step))

    def application(self, firmware: FakeDevice) -> str:
        """Return the path of a terminal behind which `firmware` answers."""
        master, slave = pty.openpty()
        tty.setraw(slave)

        def run() -> None:
            while not self._stop.is_set():
                os.write(master, firmware.feed(os.read(master, 4096)))

        threading.Thread(target=run, daemon=True).start()
        return os.ttyname(slave)

    def close(self) -> None:
        self._stop.set()


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """One board with an old firmware, at a port of its own."""
    (tmp_path / "bus").mkdir()
    bus = Bus(tmp_path / "bus")
    bus.plug("old", bus.port("/dev/ttyACM0", APPLICATION))
    monkeypatch.setattr(ports, "available", bus.ports)
    monkeypatch.setattr(native_usb, "_LOOK_S", 0.02)
    # The uploader is one of the test's own.
    monkeypatch.setattr(native_usb.pio.offline_check, "require", lambda *_, **__: None)
    yield bus
    bus.close()


def flash(bus: Bus, tmp_path: Path, port: str | None = None, timeout_s: float = 5.0) -> list[str]:
    """Flash, with the bus's steps for an uploader; return the uploader's arguments."""
    project = tmp_path / "project"
    fake = project / "platformio"
    shutil.rmtree(fake, ignore_errors=True)
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    (fake / "__main__.py").write_text(UPLOADER)
    (fake / "steps.json").write_text(json.dumps(bus.steps))
    source = CSource("compiled", {}, (), (), (), (), 0, 0)
    firmware = Firmware(Project(project, BOARD, BUNDLE, source), project / "firmware.elf", 1, 1, 1)
    native_usb.flash(firmware, port, timeout_s)
    arguments: list[str] = json.loads((fake / "arguments.json").read_text())
    return arguments


def dance(bus: Bus, application: dict[str, object], bootloader_serial: str = SERIAL) -> None:
    """What a Nano does: into the bootloader, written, and back under another name."""
    bus.then_unplug("old")
    bus.then_plug("boot", bus.port("/dev/ttyACM1", BOOTLOADER, bootloader_serial))
    bus.then("say", "Write 100 bytes to flash")
    bus.then_unplug("boot")
    bus.then_plug("new", application)


@pytest.mark.parametrize("port", [None, "/dev/ttyACM0", SERIAL, "2341:805a", "/dev/ttyACM*"])
def test_the_board_is_found_again_under_its_new_name(
    bus: Bus, tmp_path: Path, port: str | None
) -> None:
    dance(bus, bus.port(bus.application(FakeDevice()), APPLICATION))
    arguments = flash(bus, tmp_path, port)
    assert arguments == ["run", "--environment", "nano33ble", "--target", "upload",
                         "--upload-port", "/dev/ttyACM0"]  # fmt: skip


def test_another_board_of_the_same_kind_is_left_alone(bus: Bus, tmp_path: Path) -> None:
    bus.plug("other", bus.port("/dev/ttyACM7", APPLICATION, "CAFE"))
    with pytest.raises(ConfigError, match="more than one port has the USB id 2341:805a"):
        flash(bus, tmp_path)
    dance(bus, bus.port(bus.application(FakeDevice()), APPLICATION))
    flash(bus, tmp_path, SERIAL)


def test_a_board_that_waits_in_its_bootloader_is_flashed(bus: Bus, tmp_path: Path) -> None:
    (bus.folder / "old").unlink()
    bus.plug("boot", bus.port("/dev/ttyACM1", BOOTLOADER, ""))
    bus.then_unplug("boot")
    bus.then_plug("new", bus.port(bus.application(FakeDevice()), APPLICATION))
    assert flash(bus, tmp_path)[-1] == "/dev/ttyACM1"


def test_a_board_that_does_not_come_back_is_an_error(bus: Bus, tmp_path: Path) -> None:
    bus.then_unplug("old")
    with pytest.raises(DeviceTimeout, match="did not come back") as caught:
        flash(bus, tmp_path, timeout_s=0.3)
    assert "reset button twice" in caught.value.hint


def test_a_board_stuck_in_its_bootloader_is_an_error(bus: Bus, tmp_path: Path) -> None:
    bus.then_unplug("old")
    bus.then_plug("boot", bus.port("/dev/ttyACM1", BOOTLOADER))
    with pytest.raises(DeviceTimeout, match="did not come back"):
        flash(bus, tmp_path, timeout_s=0.3)


def test_a_stranger_that_appears_meanwhile_is_not_the_board(bus: Bus, tmp_path: Path) -> None:
    bus.then_plug("stranger", bus.port("/dev/ttyUSB0", (0x10C4, 0xEA60), "1"))
    bus.then_unplug("old")
    with pytest.raises(DeviceTimeout, match="did not come back"):
        flash(bus, tmp_path, timeout_s=0.3)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("No device found on ttyACM0", "reset button twice"),
        ("could not open port /dev/ttyACM0: Permission denied", "dialout"),
        ("could not open port: Device or resource busy", "close that first"),
        ("Write 150 blocks: SAM-BA operation failed", "reset button twice"),
    ],
)
def test_an_uploader_that_fails_is_quoted(bus: Bus, tmp_path: Path, said: str, hint: str) -> None:
    bus.then("say", said)
    bus.then("fail")
    with pytest.raises(ToolError, match="was not flashed") as caught:
        flash(bus, tmp_path)
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_an_uploader_that_hangs_is_ended_with_all_it_started(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native_usb, "UPLOAD_S", 0.5)
    bus.then("hang")
    with pytest.raises(ToolError, match="did not finish within"):
        flash(bus, tmp_path)


def test_an_uploader_that_does_nothing_is_not_believed(bus: Bus, tmp_path: Path) -> None:
    old = FakeDevice()
    old.uptime_us = 3600 * 1_000_000
    bus.plug("old", bus.port(bus.application(old), APPLICATION))
    with pytest.raises(DeviceError, match="still runs what it ran before"):
        flash(bus, tmp_path)


def test_another_model_than_the_one_flashed_is_an_error(bus: Bus, tmp_path: Path) -> None:
    other = FakeDevice()
    identity = other._records(fake_device.p.InfoSection.IDENTITY)[0]
    other.claims = {fake_device.p.InfoSection.IDENTITY: [replace(identity, sha256=(9,) * 32)]}
    dance(bus, bus.port(bus.application(other), APPLICATION))
    with pytest.raises(DeviceError, match=r"holds model 0909.*, not 0001|not 0001"):
        flash(bus, tmp_path)


def test_a_port_that_needs_a_moment_to_open_gets_it(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refusals = native_usb.SerialLink, iter(range(3))

    def reluctant(path: str) -> object:
        if next(refusals, None) is not None:
            raise DeviceError(f"cannot open {path}: Permission denied")
        return real(path)

    monkeypatch.setattr(native_usb, "SerialLink", reluctant)
    dance(bus, bus.port(bus.application(FakeDevice()), APPLICATION))
    flash(bus, tmp_path)


def test_a_port_that_is_not_there_is_named(bus: Bus, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="/dev/ttyACM9 is no serial port"):
        flash(bus, tmp_path, "/dev/ttyACM9")


def test_attaching_takes_the_board_and_nothing_else(bus: Bus) -> None:
    bus.plug("stranger", bus.port("/dev/ttyUSB0", (0x10C4, 0xEA60), "1"))
    path = bus.application(FakeDevice())
    bus.plug("old", bus.port(path, APPLICATION))
    attachment = kinds.of(BOARD).attach(BOARD, 1.0)
    attachment.link.write(b"\0", deadline.Deadline(1))
    attachment.link.close()


def test_attaching_to_a_bootloader_says_what_to_press(bus: Bus) -> None:
    bus.plug("old", bus.port("/dev/ttyACM1", BOOTLOADER))
    with pytest.raises(DeviceError, match="waits in its bootloader") as caught:
        kinds.of(BOARD).attach(BOARD, 1.0)
    assert "tinyml flash --board nano33ble" in caught.value.hint
