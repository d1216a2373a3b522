"""What keeps a person from a board's port is found, with the command that changes it."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from tinyml.cli import doctor
from tinyml.device import serial_access
from tinyml.device.ports import Port
from tinyml.device.serial_access import Finding
from tinyml.firmware import boards

NANO = Port("/dev/ttyACM0", "Nano 33 BLE", "B00B5", 0x2341, 0x805A)
NANO_WAITS = Port("/dev/ttyACM1", "Nano 33 BLE", "B00B5", 0x2341, 0x005A)
BOARDS = [boards.load(name) for name in boards.names()]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer where ModemManager runs, in a folder."""
    for folder in ("rules", "proc/1", "proc/2"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/1/comm").write_text("init\n")
    (tmp_path / "proc/2/comm").write_text("ModemManager\n")
    monkeypatch.setattr(serial_access, "PROCESSES", tmp_path / "proc")
    monkeypatch.setattr(serial_access, "RULES", (tmp_path / "rules",))
    return tmp_path


def test_a_port_that_may_not_be_opened_names_its_group(tmp_path: Path) -> None:
    (tmp_path / "port").touch()
    port = Port(str(tmp_path / "port"), vid=0x2341, pid=0x805A)
    found = serial_access._access([port], lambda path, mode: False)
    group = (tmp_path / "port").group()
    assert found.found == f"no access to {port.path}"
    assert found.fix.startswith(f"sudo usermod -aG {group} ")


def test_a_port_that_may_be_opened_is_well() -> None:
    found = serial_access._access([NANO], lambda path, mode: True)
    assert found == Finding("serial ports", "access to /dev/ttyACM0")


def test_without_a_port_the_group_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", lambda: [1000])
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    dialout = grp.struct_group(("dialout", "x", 20, []))
    monkeypatch.setattr(grp, "getgrall", lambda: [dialout])
    assert "usermod -aG dialout" in serial_access._access([]).fix
    monkeypatch.setattr(os, "getgroups", lambda: [1000, 20])
    assert serial_access._access([]).fix == ""


def test_modem_manager_gets_a_rule_that_names_every_board(machine: Path) -> None:
    found = serial_access._modem_manager(BOARDS)
    assert "holds a board's port" in found.found
    for vendor in ("2341", "10c4"):
        assert f'ATTRS{{idVendor}}=="{vendor}"' in found.fix
    (machine / "rules" / "60-tinyml.rules").write_text(found.fix)
    assert serial_access._modem_manager(BOARDS).fix == ""


def test_without_modem_manager_nothing_is_asked_for(machine: Path) -> None:
    (machine / "proc/2/comm").write_text("other\n")
    assert serial_access._modem_manager(BOARDS) == Finding("ModemManager", "does not run")


def test_a_board_that_waits_in_its_bootloader_is_told_once() -> None:
    found = serial_access._waiting([NANO, NANO_WAITS], BOARDS)
    assert [one.found for one in found] == [
        "/dev/ttyACM1 waits in its bootloader and runs no firmware"
    ]
    assert "reset button once" in found[0].fix


def test_doctor_tells_it_and_requires_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Finding("serial ports", "no access", "do something")
    monkeypatch.setattr(serial_access, "examine", lambda: [bad])
    checks = [check for check in doctor.examine() if check.name == "serial ports"]
    assert [(check.ok, check.level, check.fix) for check in checks] == [
        (False, doctor.OPTIONAL, "do something")
    ]
