"""Our sending side of XMODEM-1K against the receiver of an independent package, on a bad line."""

from __future__ import annotations

import importlib
import io
import queue
import random
import threading
import time
from typing import Any

import pytest

from tinyml.platforms.spresense import updater

pytestmark = pytest.mark.needs_xmodem

IMAGE = random.Random(1).randbytes(5 * 1024 + 300)
TIMINGS = updater.Timings(answer_s=6.0, resend_s=0.6, save_s=6.0)


class Line:
    """Both ends of a serial line; every `damage`th write of the sender is lost or spoiled."""

    def __init__(self, damage: str = "", every: int = 3) -> None:
        self._to_sender: queue.Queue[int] = queue.Queue()
        self._to_receiver: queue.Queue[int] = queue.Queue()
        self._damage, self._every, self._writes = damage, every, 0
        self.baudrate, self.dtr = updater.BAUD, False

    def read(self, size: int) -> bytes:
        return _take(self._to_sender, size, 0.05)

    def write(self, data: bytes) -> int:
        self._writes += 1
        if self._damage and self._writes % self._every == 0:
            data = b"" if self._damage == "lost" else data[:40] + b"!" + data[41:]
        for byte in data:
            self._to_receiver.put(byte)
        return len(data)

    def flush(self) -> None:
        pass

    def reset_input_buffer(self) -> None:
        while not self._to_sender.empty():
            self._to_sender.get()

    def getc(self, size: int, timeout: float = 1.0) -> bytes | None:
        return _take(self._to_receiver, size, min(timeout, 0.3)) or None

    def putc(self, data: bytes, timeout: float = 1.0) -> int:
        for byte in data:
            self._to_sender.put(byte)
        return len(data)


def _take(source: queue.Queue[int], size: int, timeout: float) -> bytes:
    taken = bytearray()
    try:
        while len(taken) < size:
            taken.append(source.get(timeout=timeout))
    except queue.Empty:
        pass
    return bytes(taken)


@pytest.mark.parametrize("damage", ["", "lost", "spoiled"])
def test_what_is_sent_is_what_an_independent_receiver_gets(damage: str) -> None:
    xmodem: Any = importlib.import_module("xmodem")
    line, received = Line(damage), io.BytesIO()
    receiver: Any = xmodem.XMODEM(line.getc, line.putc, mode="xmodem1k")
    thread = threading.Thread(
        target=lambda: receiver.recv(received, crc_mode=1, delay=0, timeout=1, quiet=1),
        daemon=True,
    )
    thread.start()
    session = updater._Session(line, TIMINGS, time.monotonic, time.sleep)
    told: list[int] = []
    session._send_blocks(IMAGE, lambda sent, total: told.append(sent))
    thread.join(10)
    assert not thread.is_alive()
    assert received.getvalue().rstrip(b"\x1a") == IMAGE.rstrip(b"\x1a")
    assert told[-1] == len(IMAGE)
