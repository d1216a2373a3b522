"""Sony's Spresense: flashed through the updater that its loader has, on its one serial line."""

from __future__ import annotations

import os

from tinyml.device import ports
from tinyml.device.channel import OnText, ignore
from tinyml.device.confirm import confirm
from tinyml.device.kinds import Attachment
from tinyml.device.links import SerialLink, open_hint
from tinyml.errors import ConfigError, DeviceError, ToolError
from tinyml.platforms.spresense import updater
from tinyml.records import Board, Firmware

_EXTENSION = "054c:0bc2"  # the extension board's own USB port
_NOT_MAIN = "is the extension board's USB port; the loader and the firmware are not on it"
_USE_MAIN = "connect the micro-USB port of the main board"
_SPEED = "upload_speed"  # PlatformIO's option, so that `pio run -t upload` takes the same rate


def flash(firmware: Firmware, port: str | None, timeout_s: float, on_step: OnText = ignore) -> None:
    """Install the firmware's .spk, restart the board and have it answer within `timeout_s`.

    A transfer that fails at the board file's `upload_speed` is tried again at 115200 baud, so a
    cable that is too long costs time only. The installation has deadlines of its own for each step.
    Raises DeviceError saying which step failed, or DeviceTimeout when the new firmware is silent.
    """
    spk = firmware.elf.with_suffix(".spk")
    if not spk.is_file():
        raise ToolError(f"{firmware.elf} has no {spk.name} beside it", "tinyml build")
    board = firmware.project.board
    path = _path(board, port)
    # Other devices have the same USB chip: a person can tell by the serial number.
    on_step(f"installing through {_described(path)}")
    try:
        install(path, spk.read_bytes(), _baud(board), on_step)
    except updater.UpdaterError as error:
        raise DeviceError(f"{path}: {error}", error.hint) from error
    on_step("waiting for the firmware to answer")
    link = SerialLink(path)  # may reset the board once more; the loader's text is skipped
    try:
        confirm(firmware, link, timeout_s)
    finally:
        link.close()


def attach(board: Board, timeout_s: float) -> Attachment:
    """Open the only port with the USB id of a Spresense; ConfigError listing them where more are.

    Which firmware answers there is for the caller to check: other devices have the same chip.
    """
    path = _path(board, None)
    return Attachment(SerialLink(path), port=path)


def install(
    path: str,
    image: bytes,
    baud: int,
    on_step: OnText = ignore,
    timings: updater.Timings = updater.TIMINGS,
) -> None:
    """Send `image` through the port at `path`; raises UpdaterError, DeviceError for the port."""
    import serial

    def progress(sent: int, total: int) -> None:
        on_step(f"{sent * 100 // total} % of {total:,} bytes")
        if sent == total:
            on_step("the board checks and saves it, which can take minutes")

    on_step("waiting for the board's loader")
    try:
        with updater.open_port(path) as port:
            try:
                updater.install(port, image, transfer_baud=baud, progress=progress, timings=timings)
            except updater.TransferError as error:
                if baud == updater.BAUD:
                    raise
                on_step(f"again at {updater.BAUD} baud: {error}")
                updater.install(port, image, progress=progress, timings=timings)
    except (serial.SerialException, OSError) as error:
        raise DeviceError(f"{path} cannot be used: {error}", open_hint(error)) from error


def _path(board: Board, wanted: str | None) -> str:
    """Return the port that is meant; ConfigError for the extension board's, which is another."""
    found = ports.available()
    usb_ids = board.options.get("custom_usb", "").lower().split()
    extension = [port for port in found if port.usb_id == _EXTENSION]
    if wanted is None and extension and not any(port.usb_id in usb_ids for port in found):
        raise ConfigError(f"{extension[0].path} {_NOT_MAIN}", _USE_MAIN)
    path = ports.resolve(wanted, found, usb_ids)
    if any(os.path.realpath(path) == os.path.realpath(port.path) for port in extension):
        raise ConfigError(f"{path} {_NOT_MAIN}", _USE_MAIN)
    return path


def _described(path: str) -> str:
    return next((str(port) for port in ports.available() if port.path == path), path)


def _baud(board: Board) -> int:
    text = board.options.get(_SPEED, str(updater.BAUD)).strip()
    if not text.isdecimal():
        raise ConfigError(f"{board.path}: {_SPEED} is {text!r}", f"write a rate: {updater.BAUD}")
    return int(text)
