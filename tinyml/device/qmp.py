"""QMP, QEMU's control protocol: connect, execute a command, close.

Protocol: https://qemu.readthedocs.io/en/latest/interop/qmp-spec.html
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from tinyml.device.deadline import Deadline
from tinyml.device.links import SocketLink, write_all
from tinyml.errors import DeviceError, DeviceTimeout

_MAX_LINE = 1 << 16


class Qmp:
    """A connection in command mode; use it in a `with` block."""

    def __init__(self, path: Path, deadline: Deadline) -> None:
        """Raises DeviceError when nobody listens at `path`, DeviceTimeout when it says nothing."""
        self._buffer = bytearray()
        self._link = SocketLink.unix(path, "the emulator's control socket", deadline)
        try:
            self._message(deadline)  # the greeting
            self.execute("qmp_capabilities", deadline)
        except BaseException:
            self._link.close()
            raise

    def __enter__(self) -> Qmp:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._link.close()

    def execute(self, command: str, deadline: Deadline) -> Any:
        """Execute a command without arguments and return its result; events are skipped.

        Raises DeviceError when the emulator refuses it.
        """
        line = json.dumps({"execute": command}).encode() + b"\n"
        write_all(self._link, line, deadline, "the emulator's control socket")
        while True:
            message = self._message(deadline)
            if "error" in message:
                raise DeviceError(f"the emulator refused {command}: {message['error']}")
            if "return" in message:
                return message["return"]

    def _message(self, deadline: Deadline) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            data = self._link.read(4096, deadline)
            if not data:
                raise DeviceTimeout("the emulator does not answer on its control socket")
            self._buffer += data
            if len(self._buffer) > _MAX_LINE:
                raise DeviceError("the emulator's control socket sends no lines")
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer[:] = rest
        try:
            message = json.loads(line)
        except ValueError as error:
            raise DeviceError(f"the emulator's control socket sends {line[:80]!r}") from error
        return message if isinstance(message, dict) else {}
