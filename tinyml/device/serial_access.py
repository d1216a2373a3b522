"""Serial port permissions: whether a person can use the ports here, and the command where not.

Looks only: no port is opened. What is said of groups, udev and ModemManager is about Linux.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml.device.ports import Port, available
from tinyml.firmware import boards
from tinyml.records import Board

PORT_GROUPS = ("dialout", "uucp")  # Debian's and Arch's names; Debian has both, for one purpose
RULES = (Path("/etc/udev/rules.d"), Path("/usr/lib/udev/rules.d"), Path("/lib/udev/rules.d"))
PROCESSES = Path("/proc")

_IGNORED = "ID_MM_DEVICE_IGNORE"
_RULE = 'ATTRS{{idVendor}}=="{}", ENV{{ID_MM_DEVICE_IGNORE}}="1"'


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and the command that changes it where it is not well."""

    name: str
    found: str
    fix: str = ""


def examine() -> list[Finding]:
    """Return what there is to say; on systems other than Linux only about boards."""
    ports = available()
    known = [boards.load(name) for name in boards.names()]
    findings = [*_waiting(ports, known)]
    if sys.platform == "linux":
        findings = [_access(ports), _modem_manager(known), *findings]
    return findings


def _access(ports: Iterable[Port], may: Callable[[str, int], bool] = os.access) -> Finding:
    """Whether the ports that are there can be opened, or else the user is in their group."""
    import grp  # which only Unix has

    name = "serial ports"
    plugged = [port.path for port in ports if port.usb_id]
    closed = [path for path in plugged if not may(path, os.R_OK | os.W_OK)]
    if closed:
        return Finding(name, f"no access to {', '.join(closed)}", _join(Path(closed[0]).group()))
    if plugged:
        return Finding(name, f"access to {', '.join(plugged)}")
    known = {group.gr_name: group for group in grp.getgrall()}
    groups = [known[name] for name in PORT_GROUPS if name in known]
    mine = {*os.getgroups(), os.getegid()}
    if os.geteuid() == 0 or not groups or any(group.gr_gid in mine for group in groups):
        return Finding(name, "none is plugged in; they can be opened")
    return Finding(name, f"not in group {groups[0].gr_name}", _join(groups[0].gr_name))


def _join(group: str) -> str:
    return f"sudo usermod -aG {group} $USER, then log in again"


def _modem_manager(known: Iterable[Board]) -> Finding:
    """Whether ModemManager, which tries every new port as a modem, leaves boards alone."""
    name = "ModemManager"
    if not _runs(name):
        return Finding(name, "does not run")
    vendors = {usb_id.partition(":")[0] for board in known for usb_id in _usb_ids(board)}
    rules = [text for text in _rules() if _IGNORED in text]
    missing = sorted(v for v in vendors if not any(v in text.lower() for text in rules))
    if not missing:
        return Finding(name, "runs, and ignores the boards")
    lines = "\\n".join(_RULE.format(vendor) for vendor in missing)
    return Finding(
        name,
        "runs, and holds a board's port for some seconds after it appears",
        f"printf '{lines}\\n' | sudo tee /etc/udev/rules.d/60-tinyml.rules "
        "&& sudo udevadm control --reload",
    )


def _waiting(ports: Sequence[Port], known: Iterable[Board]) -> list[Finding]:
    """Return the boards that wait in their bootloader."""
    waiting: dict[str, Finding] = {}
    for board in known:
        for port in ports:
            if port.usb_id in board.options.get("custom_usb_bootloader", "").lower().split():
                fix = f"press its reset button once, or: tinyml flash --board {board.id}"
                text = f"{port.path} waits in its bootloader and runs no firmware"
                waiting.setdefault(port.path, Finding(board.name, text, fix))
    return list(waiting.values())


def _usb_ids(board: Board) -> list[str]:
    return board.options.get("custom_usb", "").lower().split()


def _runs(program: str) -> bool:
    for file in PROCESSES.glob("[0-9]*/comm"):
        try:
            if file.read_text().strip() == program:
                return True
        except OSError:  # it has ended meanwhile
            continue
    return False


def _rules() -> list[str]:
    files = [file for folder in RULES for file in folder.glob("*.rules")]
    return [file.read_text(errors="replace") for file in files if os.access(file, os.R_OK)]
