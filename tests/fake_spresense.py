"""A Spresense at the far end of a pty: loader, updater, XMODEM receiver, then an application.

Written from the protocols and not from our updater: the CRC is computed bit by bit, blocks are
collected byte by byte. `faults` name what goes wrong. The board listens in the loader from the
start, as if someone had just pressed reset; a pty has no DTR.
"""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable

SOH, STX, EOT, ACK, NAK, CAN = b"\x01", b"\x02", b"\x04", b"\x06", b"\x15", b"\x18"
PROMPT = b"\r\nupdater# "
BOOT = b"\xff\x00NuttShell ROM\r\n"


def crc16(data: bytes) -> int:
    """The CRC of XMODEM, one bit at a time."""
    crc = 0
    for byte in data:
        for bit in range(7, -1, -1):
            top = crc >> 15 ^ byte >> bit & 1
            crc = crc << 1 & 0xFFFF ^ (0x1021 if top else 0)
    return crc


class _GoneError(Exception):
    """The board was unplugged, or the test is over."""


class FakeSpresense:
    """Runs in a thread until `close`. `installed` is the image that a reboot starts.

    Faults: "mute", "no_loader", "no_updater", "no_transfer", "no_request", "cancel" (a block),
    "lost", "damaged", "late", "ack_lost", "ack_damaged" (sets of receptions, from 1), "rejected",
    "no_prompt", "no_sync", "unplugged" (a reception). `application` answers bytes after a reboot.
    """

    def __init__(self, application: Callable[[bytes], bytes] | None = None, **faults: object):
        self.faults = faults
        self.installed: bytes | None = None
        self.synced = self.rebooted = False
        self.commands: list[bytes] = []
        self._application = application
        self._unread = b""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the board's thread and take its port away."""
        self._ended.set()
        self._thread.join(10)
        self._unplug()

    def _unplug(self) -> None:
        for handle in (self._master, self._slave):
            if handle >= 0:
                os.close(handle)
        self._master = self._slave = -1

    def _run(self) -> None:
        try:
            self._loader()
            while True:
                self._command()
        except _GoneError:
            pass

    def _say(self, data: bytes) -> None:
        if not self.faults.get("mute"):
            os.write(self._master, data)

    def _byte(self, wait_s: float | None = None) -> bytes:
        """The next byte, b"" when `wait_s` pass without one."""
        until = None if wait_s is None else time.monotonic() + wait_s
        while not self._ended.is_set():
            if not self._unread and select.select([self._master], [], [], 0.01)[0]:
                self._unread += os.read(self._master, 4096)
            if self._unread:
                byte, self._unread = self._unread[:1], self._unread[1:]
                return byte
            if until is not None and time.monotonic() >= until:
                return b""
        raise _GoneError

    def _loader(self) -> None:
        while self._byte() != b"r" or self.faults.get("no_loader"):
            pass
        self._say(BOOT + b"Welcome to nash\r\n")
        while self._byte() != b"r" or self.faults.get("no_updater"):
            self._say(b"nash> ")
        self._say(PROMPT)

    def _command(self) -> None:
        line = b""
        while not line.endswith(b"\n"):
            line += self._byte()
        line = line.strip()
        if not line.strip(b"r"):  # empty, or what was pressed to stay in the loader
            self._say(PROMPT)
            return
        self.commands.append(line)
        self._say(line + b"\r\n")
        if line.startswith(b"install"):
            self._install()
        elif line == b"reboot":
            self._reboot()
        else:
            self.synced |= line == b"sync"
            if not (line == b"sync" and self.faults.get("no_sync")):
                self._say(PROMPT)

    def _install(self) -> None:
        if self.faults.get("no_transfer"):
            self._say(b"Out of memory" + PROMPT)
            return
        self._say(b"Waiting for XMODEM (CRC or 1K) transfer. Ctrl-X to cancel.\r\n")
        image = self._receive()
        if image is None:
            self._say(PROMPT)
        elif self.faults.get("rejected"):
            self._say(b"Install failed: -22" + PROMPT)
        elif not self.faults.get("no_prompt"):
            self.installed = image
            self._say(b'Package validation is OK.\r\nSaving package to "nuttx"' + PROMPT)

    def _receive(self) -> bytes | None:
        """Collect blocks until EOT; None after a cancelled transfer."""
        image, expected, reception = b"", 1, 0
        while True:
            waiting = not image and not self.faults.get("no_request")
            start = self._byte(0.3 if waiting else None)
            if not start:
                self._say(b"C")
            elif start == EOT:
                self._say(ACK)
                return image
            elif start == STX:
                reception += 1
                answer, data = self._block(reception, expected)
                if self._hits("ack_lost", reception):
                    answer = b"" if answer == ACK else answer
                elif self._hits("ack_damaged", reception):
                    answer = b"\x86" if answer == ACK else answer
                image += data
                expected += bool(data)
                self._say(answer)
                if answer == CAN * 2:
                    return None

    def _block(self, reception: int, expected: int) -> tuple[bytes, bytes]:
        """Read one block; return what is answered and what of it is new."""
        if self.faults.get("unplugged") == reception:
            self._unplug()
            raise _GoneError
        block = b""
        while len(block) < 1028:
            byte = self._byte(0.5)
            if not byte:
                return NAK, b""
            block += byte
        number, data = block[0], block[2:1026]
        if self.faults.get("cancel") == reception:
            return CAN * 2, b""
        if self._hits("lost", reception):
            return b"", b""
        if self._hits("late", reception):
            time.sleep(0.5)
        good = number ^ block[1] == 255 and crc16(data) == int.from_bytes(block[1026:], "big")
        if not good or self._hits("damaged", reception):
            return NAK, b""
        if number == expected - 1 & 255:
            return ACK, b""  # sent again because the answer was lost
        return (ACK, data) if number == expected & 255 else (CAN * 2, b"")

    def _hits(self, fault: str, reception: int) -> bool:
        chosen = self.faults.get(fault, ())
        return isinstance(chosen, (set, range)) and reception in chosen

    def _reboot(self) -> None:
        self.rebooted = True
        self._say(b"\r\n" + BOOT)
        while True:
            data = self._byte()
            if self._application is not None:
                self._say(self._application(data))
