"""One file per kind of connection; `custom_link` in a board file names the one that a board has.

To add a kind, add a file that defines

* `flash(firmware: Firmware, port: str | None, timeout_s: float, on_step: OnText) -> None`: put the
  firmware on the board and see it answer, or leave nothing behind and raise; `on_step` hears what
  is being done, in a few words at a time;
* `attach(board: Board, timeout_s: float) -> Attachment`: reach the board where the user names no
  port.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tinyml.device.channel import OnText, ignore
from tinyml.device.links import Link
from tinyml.errors import ConfigError, nearest
from tinyml.records import Board, Firmware
from tinyml.registry import Registry

_KINDS = Registry(__name__, "kind of connection")


@dataclass(frozen=True)
class Attachment:
    """A link to a board, its serial port if it has one, and the program known to run there."""

    link: Link
    elf: Path | None = None
    port: str = ""


class DeviceKind(Protocol):
    """What each file of this folder defines."""

    def flash(
        self, firmware: Firmware, port: str | None, timeout_s: float, on_step: OnText = ignore
    ) -> None:
        """Put firmware on its board."""

    def attach(self, board: Board, timeout_s: float) -> Attachment:
        """Reach a board."""


def names() -> tuple[str, ...]:
    """Return the kinds there are."""
    return _KINDS.names()


def of(board: Board) -> DeviceKind:
    """Return the kind of `board`; ConfigError where its file names none that there is."""
    if board.link not in names():
        raise ConfigError(
            f"{board.path}: custom_link is {board.link!r}", nearest(board.link, names())
        )
    kind: DeviceKind = _KINDS.load(board.link)
    return kind
