"""Board farms (labgrid): a target in, a Link to its console out.

Any driver with labgrid's ConsoleProtocol will do: a serial port, one on the network, QEMU. Its
failures are OSErrors and pexpect's TIMEOUT, which labgrid brings along.
"""

from __future__ import annotations

import time
from typing import Any

from tinyml.device.deadline import Deadline
from tinyml.errors import DeviceError

_POLL_S = 0.001


class ConsoleLink:
    """An active console driver, which stays its target's: closing this leaves it active."""

    def __init__(self, console: Any, name: str) -> None:
        from pexpect import TIMEOUT

        self._silence: type[Exception] = TIMEOUT
        self._console = console
        self._name = name

    def read(self, n: int, deadline: Deadline) -> bytes:
        """See Link."""
        try:
            data = self._wait(n, deadline.left())
            if data and len(data) < n:  # drivers of sockets give one byte when asked to wait
                data += self._wait(n - len(data), 0.0)
        except OSError as error:
            raise self._gone(f": {error}") from error
        return data

    def write(self, data: bytes, deadline: Deadline) -> int:
        """See Link."""
        try:
            while not (taken := self._offer(data)) and not deadline.passed:
                time.sleep(_POLL_S)
        except OSError as error:
            raise self._gone(f": {error}") from error
        return taken

    def close(self) -> None:
        """See Link."""

    def _wait(self, n: int, seconds: float) -> bytes:
        """Return up to `n` bytes: what is there now with 0 `seconds`, else when there are any."""
        size = 1 if seconds else n
        try:
            data: bytes = self._console.read(size=size, timeout=seconds, max_size=n)
        except self._silence:
            return b""
        if not data:
            raise self._gone()
        return data

    def _offer(self, data: bytes) -> int:
        try:
            taken: int = self._console.write(data)
        except BlockingIOError:
            return 0
        return taken

    def _gone(self, reason: str = "") -> DeviceError:
        return DeviceError(
            f"{self._name} has gone{reason}", "see whether the farm has it: labgrid-client who"
        )


def open_console(target: Any) -> ConsoleLink:
    """Switch the board of a labgrid `target` on, where that is possible, and return its console.

    Raises DeviceError saying what the target lacks.
    """
    from labgrid.driver.exception import ExecutionError
    from labgrid.exceptions import NoDriverFoundError, NoResourceFoundError

    name = f"labgrid target {target.name}"
    try:
        console = target.get_driver("ConsoleProtocol")
        try:
            power = target.get_driver("PowerProtocol")
        except NoDriverFoundError:
            power = None
        if power is not None:
            power.on()
    except (NoDriverFoundError, NoResourceFoundError, ExecutionError, OSError) as error:
        raise DeviceError(f"{name}: {error}", "see the environment file of --lg-env") from error
    return ConsoleLink(console, name)
