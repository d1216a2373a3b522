"""Post-flash verification: the new firmware must answer, and be the one that was meant."""

from __future__ import annotations

from tinyml.device.client import Device
from tinyml.device.identity import printable
from tinyml.device.links import Link
from tinyml.device.refusal import ModelRefusal
from tinyml.errors import DeviceError
from tinyml.records import Firmware


def confirm(firmware: Firmware, link: Link, timeout_s: float) -> None:
    """Say HELLO over `link` until `firmware` answers; a failure closes the link.

    Raises DeviceTimeout or DeviceError, quoting what the board printed meanwhile, when it does not
    answer, DeviceError when it answers with another model, and ModelRefusal when its model did not
    start.
    """
    said: list[str] = []
    try:
        device = Device(
            link,
            firmware.project.board.id,
            elf=firmware.elf,
            timeout_s=timeout_s,
            on_text=said.append,
            on_log=said.append,
        )
    except DeviceError as error:
        raise quoting(error, "the firmware", "\n".join(said)) from error
    expected = firmware.project.bundle.sha256
    if device.info.sha256 != expected:
        device.close()
        raise DeviceError(
            f"{firmware.elf} holds model {device.info.sha256[:12]}, not {expected[:12]}",
            "build it again: tinyml build",
        )
    if (reason := device.model_state()) < 0:
        device.close()
        raise ModelRefusal(device.info.board, reason)


def quoting(error: DeviceError, who: str, output: str) -> DeviceError:
    """Return `error` with the end of what `who` printed before it happened."""
    lines = [printable(line) for line in output.splitlines() if line.strip()]
    if not lines or isinstance(error, ModelRefusal):  # the device itself said what is wrong
        return error
    quoted = "\n".join(f"  {line[:200]}" for line in lines[-15:])
    return type(error)(f"{error.message}\n{who} printed:\n{quoted}", error.hint)
