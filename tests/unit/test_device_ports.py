"""Which port a user means: exactly one, or an error that lists them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinyml.device import kinds, ports
from tinyml.device.ports import Port, resolve
from tinyml.errors import ConfigError, DeviceError, ToolError
from tinyml.records import Board, Bundle, CSource, Firmware, Project

NANO = Port("/dev/ttyACM0", "Nano 33 BLE", "B00B5", 0x2341, 0x805A)
OTHER_NANO = Port("/dev/ttyACM1", "Nano 33 BLE", "CAFE", 0x2341, 0x805A)
SPRESENSE = Port("/dev/ttyUSB0", "CP2102N", "7c1", 0x10C4, 0xEA60)
BUILT_IN = Port("/dev/ttyS0")
ALL = [NANO, OTHER_NANO, SPRESENSE, BUILT_IN]

BOARD = Board(
    "some", "Some Board", "some", "cortex-m4", 1, 1, "serial", "cycles", "compiled", {},
    Path("boards/some.ini"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/dev/ttyACM1", "/dev/ttyACM1"),
        ("/dev/serial/by-id/not-listed", "/dev/serial/by-id/not-listed"),
        ("COM3", "COM3"),
        ("/dev/ttyUSB*", "/dev/ttyUSB0"),
        ("/dev/tty[TU]S*", "/dev/ttyUSB0"),
        ("10c4:ea60", "/dev/ttyUSB0"),
        ("10C4:EA60", "/dev/ttyUSB0"),
        ("CAFE", "/dev/ttyACM1"),
        ("rfc2217://host:4000", "rfc2217://host:4000"),
    ],
)
def test_what_names_one_port_is_that_port(wanted: str, path: str) -> None:
    assert resolve(wanted, ALL) == path


def test_no_name_is_the_only_usb_port() -> None:
    assert resolve(None, [BUILT_IN, SPRESENSE]) == "/dev/ttyUSB0"


@pytest.mark.parametrize("wanted", [None, "2341:805a", "/dev/ttyACM*"])
def test_several_ports_are_listed_not_chosen_from(wanted: str | None) -> None:
    with pytest.raises(ConfigError, match="more than one port") as caught:
        resolve(wanted, ALL)
    assert "/dev/ttyACM0  2341:805a  B00B5  Nano 33 BLE" in caught.value.message
    assert "/dev/ttyACM1" in caught.value.message
    assert "/dev/ttyS0" not in caught.value.message


@pytest.mark.parametrize("wanted", ["1234:5678", "beef", "/dev/ttyX*"])
def test_a_name_of_no_port_lists_those_there_are(wanted: str) -> None:
    with pytest.raises(DeviceError, match="no port matches") as caught:
        resolve(wanted, ALL)
    assert "/dev/ttyS0" in caught.value.message


def test_no_ports_at_all() -> None:
    with pytest.raises(DeviceError, match="no port is a USB serial port; there are no serial"):
        resolve(None, [])


def test_this_computers_ports_can_be_listed() -> None:
    assert all(port.path for port in ports.available())


def test_every_kind_has_what_its_folder_asks_for() -> None:
    assert {"qemu", "serial"} <= set(kinds.names())
    for name in kinds.names():
        kind = kinds.of(replace(BOARD, link=name))
        assert callable(kind.flash)
        assert callable(kind.attach)


def test_an_unknown_kind_names_the_board_file() -> None:
    with pytest.raises(ConfigError, match=r"boards/some\.ini: custom_link is 'serail'") as caught:
        kinds.of(replace(BOARD, link="serail"))
    assert caught.value.hint == "did you mean serial?"


def test_a_real_board_is_flashed_by_platformio() -> None:
    source = CSource("compiled", {}, (), (), (), (), 0, 0)
    project = Project(Path("out"), BOARD, Bundle("m", b"", "", Path("m")), source)
    with pytest.raises(ToolError) as caught:
        kinds.of(BOARD).flash(Firmware(project, Path("x.elf"), 0, 0, 0), "/dev/ttyACM0", 1)
    assert caught.value.hint == "pio run -d out -e some -t upload --upload-port /dev/ttyACM0"


def test_a_glob_finds_links_that_are_not_listed_as_ports(tmp_path: Path) -> None:
    (tmp_path / "usb-Nano-if00").symlink_to("/dev/null")
    pattern = f"{tmp_path}/usb-Nano*"
    assert resolve(pattern, ALL) == f"{tmp_path}/usb-Nano-if00"
    (tmp_path / "usb-Nano-if01").symlink_to("/dev/null")
    with pytest.raises(ConfigError, match="more than one port"):
        resolve(pattern, ALL)


def test_a_port_is_found_again_by_its_serial_number_where_it_has_one(tmp_path: Path) -> None:
    assert ports.serial_number("/dev/ttyACM1", ALL) == "CAFE"
    assert ports.serial_number("/dev/ttyS0", ALL) == ""
    assert ports.serial_number("/dev/ttyX", ALL) == ""
    twin = replace(OTHER_NANO, path="/dev/ttyACM2")
    assert ports.serial_number("/dev/ttyACM1", [*ALL, twin]) == ""


def test_auto_is_as_no_name_and_an_empty_name_is_refused() -> None:
    assert ports.named(None) is None
    assert ports.named("auto") is None
    assert ports.named("/dev/ttyACM0") == "/dev/ttyACM0"
    for empty in ("", "  "):
        with pytest.raises(ConfigError, match="--port is empty") as caught:
            ports.named(empty)
        assert "--port auto" in caught.value.hint
