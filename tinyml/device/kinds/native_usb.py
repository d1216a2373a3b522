"""Flashing over native USB (Arduino Nano 33 BLE): a bootloader that is a USB device of its own.

The port vanishes on the way into the bootloader and again on the way out, and may come back under
another path: only USB ids and the serial number tell which it is. PlatformIO's uploader makes the
way in (it opens the port at 1200 baud) and writes the program; here the way out is watched.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from tinyml.build import pio
from tinyml.device import ports
from tinyml.device.channel import OnText, ignore
from tinyml.device.client import Device
from tinyml.device.confirm import confirm
from tinyml.device.deadline import Deadline
from tinyml.device.kinds import Attachment
from tinyml.device.links import SerialLink, open_hint
from tinyml.device.ports import Port
from tinyml.errors import ConfigError, DeviceError, DeviceTimeout, ToolError
from tinyml.records import Board, Firmware

UPLOAD_S = 300.0  # of the uploader, which may have to be downloaded first
_LOOK_S = 0.2

_DOUBLE_TAP = (
    "press the board's reset button twice, quickly, so that its bootloader waits (the LED fades in "
    "and out), then flash again"
)


def flash(firmware: Firmware, port: str | None, timeout_s: float, on_step: OnText = ignore) -> None:
    """Upload, wait up to `timeout_s` for the port to come back, and have the new firmware answer.

    A board that waits in its bootloader is flashed as well. Raises ConfigError when not exactly one
    board is meant, ToolError when the uploader fails, DeviceTimeout when the board does not come
    back, DeviceError when something else than `firmware` answers.
    """
    board = firmware.project.board
    before = ports.available()
    used = _port(board, port, before)
    started = time.monotonic()
    on_step(f"uploading through {used.path}")
    try:
        pio.upload(firmware.project, used.path, UPLOAD_S)
    except ToolError as error:
        hint = error.hint or open_hint(error) or _DOUBLE_TAP
        raise ToolError(f"{board.name} was not flashed: {error.message}", hint) from error
    on_step("waiting for the board to come back")
    deadline = Deadline(timeout_s)
    link = _open(_returned(board, used, before, deadline), deadline)
    try:
        confirm(firmware, link, deadline.left())
        up_s = Device(link, board.id, elf=firmware.elf).status().uptime_us / 1e6
        if up_s > time.monotonic() - started:
            raise DeviceError(f"{board.name} still runs what it ran before", _DOUBLE_TAP)
    finally:
        link.close()


def attach(board: Board, timeout_s: float) -> Attachment:
    """Open the only port with the board's USB id; ConfigError listing them where more are."""
    found = ports.available()
    waiting = [port for port in found if port.usb_id in _ids(board, "usb_bootloader")]
    if waiting and not any(port.usb_id in _ids(board, "usb") for port in found):
        raise DeviceError(
            f"{waiting[0].path}: {board.name} waits in its bootloader and runs no firmware",
            f"press its reset button once, or: tinyml flash --board {board.id}",
        )
    path = ports.resolve(None, found, _ids(board, "usb"))
    return Attachment(SerialLink(path), port=path)


def _ids(board: Board, field: str) -> list[str]:
    return board.options.get(f"custom_{field}", "").lower().split()


def _port(board: Board, wanted: str | None, found: Sequence[Port]) -> Port:
    """Return the port that is meant, with what is known of it."""
    path = ports.resolve(wanted, found, _ids(board, "usb") + _ids(board, "usb_bootloader"))
    for port in found:
        if os.path.realpath(port.path) == os.path.realpath(path):
            return port
    raise ConfigError(
        f"{path} is no serial port of this computer", "is the board connected and powered?"
    )


def _returned(board: Board, used: Port, before: Sequence[Port], deadline: Deadline) -> Port:
    """Return the port at which the application is, once it is there.

    It has the serial number of the port that was `used`, or, as bootloaders may have one of their
    own or none, was not there `before`.
    """
    while True:
        found = [
            port
            for port in ports.available()
            if port.usb_id in _ids(board, "usb")
            and (port.serial_number == used.serial_number != "" or port not in before)
        ]
        if len(found) == 1:
            return found[0]
        if deadline.passed:
            raise DeviceTimeout(
                f"{board.name} was flashed but did not come back as a serial port", _DOUBLE_TAP
            )
        time.sleep(_LOOK_S)


def _open(port: Port, deadline: Deadline) -> SerialLink:
    """Open a port that has just appeared: access rights and other programs may need a moment."""
    while True:
        try:
            return SerialLink(port.path)
        except DeviceError:
            if deadline.passed:
                raise
            time.sleep(_LOOK_S)
