"""Serial port discovery: what a user wrote and the ports there are in, the one that is meant out.

Never guesses: several matches are listed, not chosen from.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import ConfigError, DeviceError

AUTO = "auto"  # the port that would be taken where none is named
_USB_ID = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{4}")


@dataclass(frozen=True)
class Port:
    """A serial port of this computer; USB fields are empty or None for others."""

    path: str
    description: str = ""
    serial_number: str = ""
    vid: int | None = None
    pid: int | None = None

    @property
    def usb_id(self) -> str:
        """VID:PID in hex as `lsusb` writes it, empty for a port that is not on USB."""
        return "" if self.vid is None or self.pid is None else f"{self.vid:04x}:{self.pid:04x}"

    def __str__(self) -> str:
        parts = (self.path, self.usb_id, self.serial_number, self.description)
        return "  ".join(part for part in parts if part)


def available() -> list[Port]:
    """Return the serial ports of this computer, by path."""
    from serial.tools import list_ports

    ports = [
        Port(
            path=port.device,
            description=port.description if port.description != "n/a" else "",
            serial_number=port.serial_number or "",
            vid=port.vid,
            pid=port.pid,
        )
        for port in list_ports.comports()
    ]
    return sorted(ports, key=lambda port: port.path)


def resolve(name: str | None, ports: Sequence[Port], usb_ids: Sequence[str] = ()) -> str:
    """Return the path or URL of the one port that `wanted` names.

    `wanted`: a path (returned as it is, listed or not), a pyserial URL, a glob of paths, VID:PID in
    hex, a USB serial number, or None for the only port with one of `usb_ids`, or where none are
    given, on USB. Raises DeviceError where none fits and ConfigError where several do, with the
    ports found.
    """
    if name is not None and ("://" in name or _is_path(name)):
        return name
    fitting = [port for port in ports if _fits(name, port, usb_ids)]
    if not fitting and name is not None and "/" in name:  # links to ports are not listed
        fitting = [Port(path) for path in sorted(glob.glob(name))]  # noqa: PTH207 - absolute
    if len(fitting) == 1:
        return fitting[0].path
    what = f"matches {name!r}"
    if name is None:
        what = f"has the USB id {' or '.join(usb_ids)}" if usb_ids else "is a USB serial port"
    if fitting:
        raise ConfigError(f"more than one port {what}:\n{_listing(fitting)}", "choose: --port PATH")
    others = f"; there are:\n{_listing(ports)}" if ports else "; there are no serial ports"
    raise DeviceError(f"no port {what}{others}", "is the board connected and powered?")


def named(port: str | None) -> str | None:
    """Return the port that a user names, None where that is AUTO; ConfigError for an empty name."""
    if port is not None and not port.strip():
        raise ConfigError(
            "--port is empty",
            f"leave it away or say --port {AUTO} for the port that fits the board; tinyml doctor "
            "lists those there are",
        )
    return None if port == AUTO else port


def is_address(port: str | None) -> bool:
    """Whether `port` is a URL or a Unix socket: no board can be flashed through one."""
    return port is not None and ("://" in port or Path(port).is_socket())


def serial_number(path: str, ports: Sequence[Port]) -> str:
    """Return the USB serial number that finds the port at `path` also under another path.

    "" where it has none, or one that another port has as well.
    """
    real = os.path.realpath(path)
    numbers = [port.serial_number for port in ports]
    for port in ports:
        if os.path.realpath(port.path) == real and numbers.count(port.serial_number) == 1:
            return port.serial_number
    return ""


def _is_path(name: str) -> bool:
    return ("/" in name or name.upper().startswith("COM")) and not set(name) & set("*?[")


def _fits(name: str | None, port: Port, usb_ids: Sequence[str]) -> bool:
    if name is None:
        return port.usb_id in usb_ids if usb_ids else port.usb_id != ""
    if _USB_ID.fullmatch(name):
        return port.usb_id == name.lower()
    if "/" in name:
        return fnmatch.fnmatchcase(port.path, name)
    return name == port.serial_number


def _listing(ports: Sequence[Port]) -> str:
    return "\n".join(f"  {port}" for port in ports)
