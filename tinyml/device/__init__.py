"""Talks to a board: links, flashing, the emulator, streams.

Devices: put firmware on one, connect to it, list and stop those that are emulated.

A built `Firmware` or a `Board` goes in, a `Device` comes out. How a board is reached is a file of
`kinds`; what carries the bytes is a class of `links`. No other room opens ports.
"""

from __future__ import annotations

from pathlib import Path

from tinyml.device import emulator, kinds, ports
from tinyml.device.channel import OnText, ignore
from tinyml.device.client import CONNECT_S, Device, Inference, LayerResult
from tinyml.device.deadline import Deadline
from tinyml.device.identity import DeviceInfo
from tinyml.device.links import Link, OnBytes, SerialLink, SocketLink, TappedLink
from tinyml.device.recording import SensorRecording
from tinyml.device.running import Emulated
from tinyml.device.stream import Reading, ReadingStream, StreamTotals
from tinyml.device.terminal import Terminal
from tinyml.errors import ConfigError
from tinyml.records import Board, Firmware

__all__ = [
    "Device",
    "DeviceInfo",
    "Emulated",
    "Inference",
    "LayerResult",
    "Reading",
    "ReadingStream",
    "SensorRecording",
    "StreamTotals",
    "Terminal",
    "connect",
    "devices",
    "flash",
    "open_port",
    "open_terminal",
    "reset",
    "stop",
]

FLASH_S = 30.0


def flash(
    firmware: Firmware,
    port: str | None = None,
    timeout_s: float = FLASH_S,
    on_step: OnText = ignore,
) -> None:
    """Put `firmware` on its board and see it answer; an emulated board starts anew.

    `on_step` hears what is being done, in a few words at a time.
    Raises DeviceTimeout when it does not answer in time, DeviceError when it faults, ToolError when
    a program is missing. A failed start of an emulated board leaves none running.
    """
    kinds.of(firmware.project.board).flash(firmware, ports.named(port), timeout_s, on_step)


def connect(
    board: Board,
    port: str | None = None,
    timeout_s: float = CONNECT_S,
    *,
    restart: bool = False,
    on_text: OnText = ignore,
    on_log: OnText = ignore,
    on_bytes: OnBytes | None = None,
) -> Device:
    """Connect to `board`: the one that runs emulated or is plugged in, or the one at `port`.

    `restart` has its firmware start anew first, also after a fault. `on_text` gets what the
    firmware prints between frames, `on_log` its LOG events, `on_bytes` all that travels.
    `info.sha256` tells which model it runs. Raises DeviceError when it is not there or in use,
    DeviceTimeout when it does not answer, ConfigError when `port` does not name exactly one; AUTO
    is as None.
    """
    deadline = Deadline(timeout_s)
    port = ports.named(port)
    if port is None:
        attached = kinds.of(board).attach(board, timeout_s)
    else:
        link, path = _open(port, deadline)
        attached = kinds.Attachment(link, port=path)
    return Device(
        attached.link if on_bytes is None else TappedLink(attached.link, on_bytes),
        port or board.id,
        elf=attached.elf,
        serial_number=(
            ports.serial_number(attached.port, ports.available()) if attached.port else ""
        ),
        timeout_s=deadline.left(),
        restart=restart,
        on_text=on_text,
        on_log=on_log,
    )


def open_port(port: str, deadline: Deadline) -> Link:
    """Open what a user names: whatever `ports.resolve` takes, `socket://HOST:PORT`, a Unix socket.

    Raises ConfigError when it does not name exactly one port, DeviceError when it cannot be opened.
    """
    return _open(port, deadline)[0]


def _open(port: str, deadline: Deadline) -> tuple[Link, str]:
    """Open it and return with it the path of the serial port that it is, if it is one."""
    if port.startswith("socket://"):
        host, _, number = port.removeprefix("socket://").rpartition(":")
        if not host or not number.isdecimal():
            raise ConfigError(f"{port!r} is no address", "write socket://HOST:PORT")
        return SocketLink.tcp(host, int(number), deadline), ""
    if Path(port).is_socket():
        return _open_socket(Path(port), deadline), ""
    path = ports.resolve(port, ports.available())
    return SerialLink(path), "" if "://" in path else path


def _open_socket(path: Path, deadline: Deadline) -> Link:
    for emulated in devices():
        if emulated.line == path.resolve():  # there may be only one client: take the lock
            return emulator.connect(emulated.board, deadline)[0]
    return SocketLink.unix(path, str(path), deadline)


def devices() -> list[Emulated]:
    """Return the emulated boards that run."""
    return emulator.devices()


def stop(board: str) -> None:
    """End an emulated board; ConfigError when no such one runs."""
    emulator.stop(board)


def open_terminal(board: str, timeout_s: float = CONNECT_S) -> Terminal:
    """Return the line of an emulated board as a terminal device, for other programs to open.

    Raises DeviceError when it does not run or is in use.
    """
    return Terminal(emulator.connect(board, Deadline(timeout_s))[0])


def reset(board: str) -> None:
    """Press the reset button of an emulated board; connections to it stay open."""
    emulator.reset(board)
