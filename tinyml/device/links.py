"""Transports: byte streams to a device, a contract of three methods and what fulfils it.

To add a link, write a class with `read`, `write` and `close`; nothing else knows which one it has.
Nothing here knows frames: those are `channel`'s.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from tinyml.device.deadline import Deadline
from tinyml.errors import DeviceError, DeviceTimeout

_SLICE_S = 0.05  # how late a serial read may notice its deadline
BAUD = 115200

OnClose = Callable[[], None]
OnBytes = Callable[[bool, bytes], None]  # whether they went to the device, and the bytes


class Link(Protocol):
    """A connection to a device."""

    def read(self, n: int, deadline: Deadline) -> bytes:
        """Return 1 to `n` bytes as soon as there are any, or b"" when the deadline passes first.

        After the deadline it returns what has already arrived.
        Raises DeviceError when the other end has gone.
        """

    def write(self, data: bytes, deadline: Deadline) -> int:
        """Hand over what the other end takes of `data` now; return how many bytes that was.

        Waits for room until the deadline, and returns 0 when there was none. Never waits for all of
        `data`: who sends much must read in between, or both ends wait for room for ever.
        Raises DeviceError when the other end has gone.
        """

    def close(self) -> None:
        """Give the connection up; may be called twice."""


def write_all(link: Link, data: bytes, deadline: Deadline, name: str) -> None:
    """Hand over all of `data` to a device that sends little, which errors call `name`.

    Raises DeviceTimeout when it does not take all in time (some may have gone), DeviceError when it
    has gone.
    """
    while data:
        data = data[link.write(data, deadline) :]
        if data and deadline.passed:
            raise DeviceTimeout(f"{name} does not take what is sent to it")


class SocketLink:
    """A connected stream socket: an emulated board, or a serial server on the network.

    `name` is what errors call the device, `hint` what to do when it has gone; `on_close` is called
    when the link is closed.
    """

    def __init__(
        self, connected: socket.socket, name: str, hint: str = "", on_close: OnClose | None = None
    ) -> None:
        self._socket = connected
        self._name = name
        self._hint = hint
        self._on_close = on_close

    @classmethod
    def tcp(cls, host: str, port: int, deadline: Deadline) -> SocketLink:
        """Connect to a TCP server. Raises DeviceError where nobody listens."""
        name = f"{host}:{port}"
        try:
            connected = socket.create_connection((host, port), timeout=max(deadline.left(), 0.001))
        except OSError as error:
            raise DeviceError(f"cannot connect to {name}: {_reason(error)}") from error
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connected, name)

    @classmethod
    def unix(
        cls,
        path: Path,
        name: str,
        deadline: Deadline,
        hint: str = "",
        on_close: OnClose | None = None,
    ) -> SocketLink:
        """Connect to a Unix socket. Raises DeviceError where nobody listens."""
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connected.settimeout(max(deadline.left(), 0.001))
        try:
            connected.connect(str(path))
        except OSError as error:
            connected.close()
            raise DeviceError(f"cannot connect to {name}: {_reason(error)}", hint) from error
        return cls(connected, name, hint, on_close)

    def read(self, n: int, deadline: Deadline) -> bytes:
        """See Link."""
        try:
            self._socket.settimeout(deadline.left())
            data = self._socket.recv(n)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            raise self._gone(error) from error
        if not data:
            raise self._gone(None)
        return data

    def write(self, data: bytes, deadline: Deadline) -> int:
        """See Link."""
        try:
            self._socket.settimeout(deadline.left())
            return self._socket.send(data)
        except (TimeoutError, BlockingIOError):
            return 0
        except OSError as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """See Link."""
        self._socket.close()
        if self._on_close is not None:
            self._on_close()

    def _gone(self, error: OSError | None) -> DeviceError:
        reason = f": {_reason(error)}" if error else ""
        return DeviceError(f"{self._name} has gone: it closed the connection{reason}", self._hint)


class SerialLink:
    """A serial port or pyserial URL (`rfc2217://`, `loop://`, `spy://`), 8N1, no flow control.

    DTR is on, without which a board with its own USB port drops its output; RTS is off.
    """

    def __init__(self, port: str, baud: int = BAUD) -> None:
        """Open it for this process alone. Raises DeviceError saying why it cannot be opened."""
        import serial

        self._failures: tuple[type[Exception], ...] = (serial.SerialException, OSError, TypeError)
        self._name = port
        try:
            self._port: Any = serial.serial_for_url(
                port, baud, timeout=_SLICE_S, write_timeout=None, do_not_open=True
            )
            self._is_native = isinstance(self._port, serial.Serial)
            if self._is_native:
                self._port.exclusive = True
                self._port.write_timeout = 0  # a write takes what there is room for
            self._port.rts = False
            self._port.dtr = True
            self._port.open()
        except (ValueError, *self._failures) as error:
            raise DeviceError(
                f"cannot open {port}: {_system_message(error)}", open_hint(error)
            ) from error

    def read(self, n: int, deadline: Deadline) -> bytes:
        """See Link."""
        try:
            while True:
                waiting = self._port.in_waiting
                if not waiting and deadline.passed:
                    return b""
                data: bytes = self._port.read(max(1, min(n, waiting)))
                if data:
                    return data
        except self._failures as error:
            raise self._gone(error) from error

    def write(self, data: bytes, deadline: Deadline) -> int:
        """See Link."""
        try:
            # pyserial would spin where there is no room; its URLs wait by themselves.
            if self._is_native and not select.select([], [self._port], [], deadline.left())[1]:
                return 0
            taken: int = self._port.write(data)
            return taken
        except self._failures as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """See Link."""
        with contextlib.suppress(*self._failures):
            self._port.close()

    def _gone(self, error: Exception) -> DeviceError:
        return DeviceError(
            f"{self._name} has gone: {error}",
            "check the board's cable and power, then connect again",
        )


class TappedLink:
    """Another link, all of whose bytes `on_bytes` hears about as well."""

    def __init__(self, link: Link, on_bytes: OnBytes) -> None:
        self._link = link
        self._on_bytes = on_bytes

    def read(self, n: int, deadline: Deadline) -> bytes:
        """See Link."""
        data = self._link.read(n, deadline)
        if data:
            self._on_bytes(False, data)
        return data

    def write(self, data: bytes, deadline: Deadline) -> int:
        """See Link."""
        taken = self._link.write(data, deadline)
        if taken:
            self._on_bytes(True, data[:taken])
        return taken

    def close(self) -> None:
        """See Link."""
        self._link.close()


class ReplayLink:
    """What a device once sent, chunk by chunk, for tests; `written` is what the host sent.

    When all chunks are read the line stays silent, or with `closes` the device has gone.
    """

    def __init__(self, chunks: Iterable[bytes], *, closes: bool = False) -> None:
        self.written = bytearray()
        self._left = bytearray()
        self._chunks = iter(chunks)
        self._closes = closes

    def read(self, n: int, deadline: Deadline) -> bytes:
        """See Link."""
        if not self._left:
            self._left += next(self._chunks, b"")
        if not self._left and self._closes:
            raise DeviceError("the recording has gone: it ended")
        if not self._left:
            time.sleep(deadline.left())
        data = bytes(self._left[:n])
        del self._left[:n]
        return data

    def write(self, data: bytes, deadline: Deadline) -> int:
        """See Link."""
        self.written += data
        return len(data)

    def close(self) -> None:
        """See Link."""


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _system_message(error: Exception) -> str:
    """Return what the system said, which pyserial repeats with the name of the port around it."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else str(error)


def open_hint(error: Exception) -> str:
    """Return what a person can do about a serial port that does not open."""
    reasons = f"{error} {error.__cause__ or ''}".lower()
    if "permission" in reasons:
        return (
            "add yourself to its group, then log in again: sudo usermod -aG dialout $USER "
            "(tinyml doctor looks at groups and udev rules)"
        )
    if "exclusively lock" in reasons or "busy" in reasons:
        return "another program has it open: close that first"
    if "no such file" in reasons:
        return "is the board connected? --port also takes VID:PID, a USB serial number, or a glob"
    return ""
