"""Pseudo terminals: a link for programs that open nothing else (serial monitors, benchmarks).

They may open and close it as they like: the device notices nothing and says nothing because of it.
"""

from __future__ import annotations

import contextlib
import os
import select
import tty
from typing import NoReturn

from tinyml.device.deadline import Deadline
from tinyml.device.links import Link

TURN_S = 0.002  # what passing a byte on may take; two threads cannot share a link
_READER_S = 0.5
_BYTES = 4096


class Terminal:
    """A terminal device with the path `path`; a context manager that closes `link` at its end."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._typed = b""  # what a program sent and the device has not taken yet
        # Ours stays open, so that others can come and go, and without echo, which would be taken
        # for commands.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def serve(self) -> NoReturn:
        """Pass bytes on for good. Raises DeviceError when the device has gone."""
        while True:
            self.turn()

    def turn(self) -> None:
        """Pass on what there is, either way. Raises DeviceError when the device has gone."""
        self._show(self._link.read(_BYTES, Deadline(TURN_S)))
        if not self._typed:
            with contextlib.suppress(BlockingIOError):
                self._typed = os.read(self._master, _BYTES)
        if self._typed:  # what the device does not take yet is for the next turn: it may be sending
            self._typed = self._typed[self._link.write(self._typed, Deadline(TURN_S)) :]

    def close(self) -> None:
        """Remove the terminal device and close the link."""
        os.close(self._master)
        os.close(self._slave)
        self._link.close()

    def _show(self, data: bytes) -> None:
        """Give `data` to who reads; where nobody does for long, it is lost, as on a real line."""
        deadline = Deadline(_READER_S)
        while data and not deadline.passed:
            select.select([], [self._master], [], deadline.left())
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._master, data) :]
