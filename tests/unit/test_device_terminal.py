"""A link as a terminal device."""

from __future__ import annotations

from pathlib import Path

import pytest
import serial

from tinyml.device.deadline import Deadline
from tinyml.device.links import ReplayLink
from tinyml.device.terminal import Terminal
from tinyml.errors import DeviceError

EVERY_BYTE = bytes(range(256)) * 20


class Echo(ReplayLink):
    """A device that sends back what it gets."""

    def __init__(self) -> None:
        super().__init__([])
        self._back = bytearray()

    def read(self, n: int, deadline: Deadline) -> bytes:
        """See Link."""
        data = bytes(self._back[:n])
        del self._back[:n]
        return data or super().read(n, deadline)

    def write(self, data: bytes, deadline: Deadline) -> int:
        """See Link."""
        self._back += data
        return len(data)


def exchange(terminal: Terminal, data: bytes, at_once: int = 500) -> bytes:
    """Return what comes back for `data` through a port that is opened for it."""
    came = bytearray()
    with serial.Serial(terminal.path, 115200, timeout=0) as port:
        for start in range(0, len(data), at_once):
            port.write(data[start : start + at_once])
            deadline = Deadline(10)
            while len(came) < min(start + at_once, len(data)) and not deadline.passed:
                terminal.turn()
                came += port.read(4096)
    return bytes(came)


def test_every_byte_passes_both_ways_however_often_it_is_opened() -> None:
    with Terminal(Echo()) as terminal:
        for _ in range(3):
            assert exchange(terminal, EVERY_BYTE) == EVERY_BYTE


def test_opening_and_closing_sends_nothing() -> None:
    link = ReplayLink([])
    with Terminal(link) as terminal:
        for _ in range(3):
            serial.Serial(terminal.path, 115200).close()
            terminal.turn()
    assert link.written == b""


def test_what_nobody_reads_is_lost_and_the_rest_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyml.device.terminal._READER_S", 0.01)
    with Terminal(Echo()) as terminal:
        link = ReplayLink([bytes(4096)] * 100)
        terminal._link, echo = link, terminal._link
        for _ in range(100):
            terminal.turn()
        terminal._link = echo
        assert exchange(terminal, EVERY_BYTE) == EVERY_BYTE  # opening drops what was not read


def test_a_device_that_goes_is_an_error_and_the_terminal_goes_too() -> None:
    with Terminal(ReplayLink([b"last"], closes=True)) as terminal, pytest.raises(DeviceError):
        terminal.serve()
    assert not Path(terminal.path).exists()
