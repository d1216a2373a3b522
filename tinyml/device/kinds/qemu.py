"""Flashing an emulated board: that starts QEMU; attaching finds the one that runs."""

from __future__ import annotations

from tinyml.device import emulator
from tinyml.device.channel import OnText, ignore
from tinyml.device.confirm import confirm
from tinyml.device.deadline import Deadline
from tinyml.device.kinds import Attachment
from tinyml.device.links import SocketLink
from tinyml.errors import ConfigError
from tinyml.records import Board, Firmware


def flash(firmware: Firmware, port: str | None, timeout_s: float, on_step: OnText = ignore) -> None:
    """Start an emulator with `firmware`, in place of the one that ran, and have it answer.

    Raises ConfigError with a `port`: an emulated board has none to flash through.
    """
    board = firmware.project.board
    if port is not None:
        raise ConfigError(f"{board.id} is emulated and has no port {port!r}", "leave --port away")
    deadline = Deadline(timeout_s)
    on_step("starting the emulator")

    def answers(link: SocketLink) -> None:
        confirm(firmware, link, deadline.left())

    emulator.start(firmware, timeout_s, answers)


def attach(board: Board, timeout_s: float) -> Attachment:
    """Connect to the emulated `board` that runs.

    Its program is known as long as its file has not been built anew since.
    """
    link, emulated = emulator.connect(board.id, Deadline(timeout_s))
    try:
        unchanged = emulator.hash_of(emulated.elf) == emulated.firmware
    except ConfigError:
        unchanged = False
    return Attachment(link, emulated.elf if unchanged else None)
