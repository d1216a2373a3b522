"""Boards on a serial port of this computer."""

from __future__ import annotations

from tinyml.device import ports
from tinyml.device.channel import OnText, ignore
from tinyml.device.kinds import Attachment
from tinyml.device.links import SerialLink
from tinyml.errors import ToolError
from tinyml.records import Board, Firmware


def flash(firmware: Firmware, port: str | None, timeout_s: float, on_step: OnText = ignore) -> None:
    """Refuse, and say how PlatformIO does it: the board's own uploader is needed."""
    project = firmware.project
    option = f" --upload-port {port}" if port else ""
    raise ToolError(
        f"this tinyml cannot flash {project.board.name} itself",
        f"pio run -d {project.path} -e {project.board.id} -t upload{option}",
    )


def attach(board: Board, timeout_s: float) -> Attachment:
    """Open the only USB serial port there is; ConfigError listing them when there are more."""
    path = ports.resolve(None, ports.available())
    return Attachment(SerialLink(path), port=path)
