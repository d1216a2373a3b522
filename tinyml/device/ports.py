"""Which serial port is meant: what a user wrote and the ports there are in, one port out.

Never guesses: several matches are listed, not chosen from.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tinyml.errors import ConfigError, DeviceError

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

    found = [
        Port(
            path=port.device,
            description=port.description if port.description != "n/a" else "",
            serial_number=port.serial_number or "",
            vid=port.vid,
            pid=port.pid,
        )
        for port in list_ports.comports()
    ]
    return sorted(found, key=lambda port: port.path)


def resolve(wanted: str | None, ports: Sequence[Port], usb_ids: Sequence[str] = ()) -> str:
    """Return the path or URL of the one port that `wanted` names.

    `wanted`: a path (returned as it is, listed or not), a pyserial URL, a glob of paths, VID:PID in
    hex, a USB serial number, or None for the only port with one of `usb_ids`, or where none are
    given, on USB. Raises DeviceError where none fits and ConfigError where several do, with the
    ports found.
    """
    if wanted is not None and ("://" in wanted or _is_path(wanted)):
        return wanted
    fitting = [port for port in ports if _fits(wanted, port, usb_ids)]
    if not fitting and wanted is not None and "/" in wanted:  # links to ports are not listed
        fitting = [Port(path) for path in sorted(glob.glob(wanted))]  # noqa: PTH207 - absolute
    if len(fitting) == 1:
        return fitting[0].path
    what = f"matches {wanted!r}"
    if wanted is None:
        what = f"has the USB id {' or '.join(usb_ids)}" if usb_ids else "is a USB serial port"
    if fitting:
        raise ConfigError(f"more than one port {what}:\n{_listing(fitting)}", "choose: --port PATH")
    found = f"; there are:\n{_listing(ports)}" if ports else "; there are no serial ports"
    raise DeviceError(f"no port {what}{found}", "is the board connected and powered?")


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


def _is_path(wanted: str) -> bool:
    return ("/" in wanted or wanted.upper().startswith("COM")) and not set(wanted) & set("*?[")


def _fits(wanted: str | None, port: Port, usb_ids: Sequence[str]) -> bool:
    if wanted is None:
        return port.usb_id in usb_ids if usb_ids else port.usb_id != ""
    if _USB_ID.fullmatch(wanted):
        return port.usb_id == wanted.lower()
    if "/" in wanted:
        return fnmatch.fnmatchcase(port.path, wanted)
    return wanted == port.serial_number


def _listing(ports: Sequence[Port]) -> str:
    return "\n".join(f"  {port}" for port in ports)
