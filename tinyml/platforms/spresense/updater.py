"""Install an .spk through the Spresense's own updater: reset, `nash` loader, XMODEM-1K, reboot.

The dialogue is the one that Sony's flash_writer speaks (115200 8N1, faster for the transfer only).
Every step has a deadline; a lost, doubled or damaged block is sent again; nothing is reported as
done that the board has not confirmed. Needs a port object with the few methods of `UpdaterPort`,
which pyserial's Serial has, and nothing of tinyml, so that a generated project can carry this file.
"""

from __future__ import annotations

import binascii
import contextlib
import errno
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

BAUD = 115200
TRANSFER_BAUDS = (115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000)


class Timings(NamedTuple):  # a dataclass needs its module, as which PlatformIO loads none
    """How long is waited, in seconds, as Sony's flash_writer.py and xmodem.py of core 3.4.4 do.

    `reads`: of 0.03 s each, without the loader's answer, after which the board is reset again.
    `settle_s`: after the first line feed and a change of the rate, then what came is dropped.
    `prompt_s`: after a prompt, `ready_s`: after the line that offers a transfer, before more is
    sent. `answer_s`: for an answer to a command, which flash_writer.py waits for without end.
    `resend_s`: for the acknowledgement of a block, which is then sent again, ten times in all: its
    360 s; flash is erased meanwhile. `save_s`: for the prompt after a transfer, while the board
    checks and saves the image.
    """

    reads: int = 11
    settle_s: float = 1.0
    prompt_s: float = 0.1
    ready_s: float = 0.1
    answer_s: float = 20.0
    resend_s: float = 36.0
    save_s: float = 360.0


TIMINGS = Timings()

_SOH, _STX, _EOT, _ACK, _NAK, _CAN = 0x01, 0x02, 0x04, 0x06, 0x15, 0x18
_CRC_REQUEST = 0x43  # "C"
_BLOCK_BYTES = 1024
_PADDING = b"\x1a"
_TRIES = 10

_LOADER = b"Welcome to nash"
_PROMPT = b"updater"
# All of the line: the C in it could pass for the receiver's request.
_READY = b"Waiting for XMODEM (CRC or 1K) transfer. Ctrl-X to cancel."
_REFUSAL = re.compile(rb"[^\r\n]*(?:fail|error|invalid|not found|no space)[^\r\n]*", re.IGNORECASE)
_KEPT_BYTES = 4096  # of what the board said, for the error message
_READ_S = 0.03
_WRITE_S = 5.0


class UpdaterPort(Protocol):
    """What is used of a serial port: pyserial's Serial, opened with a read timeout of ~30 ms."""

    dtr: bool
    baudrate: int

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, fewer or none when the read timeout passes."""

    def write(self, data: bytes, /) -> int | None:
        """Send all of `data`."""

    def flush(self) -> None:
        """Return when everything written has left."""

    def reset_input_buffer(self) -> None:
        """Drop what has been received and not read."""


class UpdaterError(Exception):
    """The board did not do as asked; `hint` says what a person can do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class TransferError(UpdaterError):
    """The image did not get through; a slower rate may help."""


def open_port(path: str) -> Any:
    """Return the pyserial Serial at `path`, as `install` needs it and for this process alone.

    DTR and RTS are set before it opens: an edge of DTR would reset the board at a time of its own.
    Raises pyserial's SerialException when it cannot be opened.
    """
    import serial

    port = serial.Serial(baudrate=BAUD, timeout=_READ_S, write_timeout=_WRITE_S, exclusive=True)
    port.rts = False
    port.dtr = False
    port.port = path
    port.open()
    return port


def install(
    port: UpdaterPort,
    image: bytes,
    *,
    transfer_baud: int = BAUD,
    reset: bool = True,
    progress: Callable[[int, int], None] = lambda sent, total: None,
    timings: Timings = TIMINGS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Install the .spk `image` on the board at `port` and start it.

    `transfer_baud` is one of TRANSFER_BAUDS and used for the transfer alone. `reset` pulses DTR;
    without it a person must press the reset button. `progress` gets (bytes sent, bytes in all).
    After the last of them the board saves the image, for up to `timings.save_s`. What interrupts
    the transfer, Ctrl-C included, cancels it on the board. Raises UpdaterError naming the step that
    failed; the port's baud rate is BAUD again afterwards.
    """
    if transfer_baud not in TRANSFER_BAUDS:
        known = ", ".join(str(baud) for baud in TRANSFER_BAUDS)
        raise UpdaterError(f"the board cannot transfer at {transfer_baud} baud", f"use {known}")
    session = _Session(port, timings, clock, sleep)
    try:
        session.enter_updater(reset)
        session.transfer(image, transfer_baud, progress)
        session.command("sync")
        session.send_line("reboot")
    finally:
        port.baudrate = BAUD


def crc16(data: bytes) -> int:
    """Return the CRC of XMODEM-CRC: polynomial 0x1021, start 0, not reflected."""
    return binascii.crc_hqx(data, 0)


def block(number: int, data: bytes) -> bytes:
    """Return one XMODEM-1K block: STX, number and its complement, 1024 padded bytes, CRC-16."""
    padded = data.ljust(_BLOCK_BYTES, _PADDING)
    head = bytes((_STX, number & 0xFF, 0xFF - (number & 0xFF)))
    return head + padded + crc16(padded).to_bytes(2, "big")


class _Session:
    """One dialogue with a board; keeps the tail of what it said for error messages."""

    def __init__(
        self,
        port: UpdaterPort,
        timings: Timings,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._port = port
        self._timings = timings
        self._clock = clock
        self._sleep = sleep
        self._heard = bytearray()

    def enter_updater(self, reset: bool) -> None:
        """Catch the loader before it boots the application; leave at the updater's prompt."""
        limit_s = self._timings.answer_s
        deadline = self._clock() + limit_s
        while _LOADER not in self._heard:
            if reset:
                self._pulse_reset()
            for _ in range(self._timings.reads):
                self._listen()
                self._port.write(b"r")  # keeps the loader from starting the application
                self._port.flush()
                if _LOADER in self._heard:
                    break
            self._check(
                deadline, limit_s, "the board's loader did not answer after a reset", _NO_LOADER
            )
        self._await(_PROMPT, "the updater did not start", _NO_UPDATER)
        self._port.write(b"\n")  # the first character after a start is sometimes lost
        self._port.flush()
        self._settle()

    def transfer(self, image: bytes, baud: int, progress: Callable[[int, int], None]) -> None:
        """Install `image` with XMODEM-1K and wait until the board says what became of it."""
        self._heard.clear()
        self.send_line("install" if baud == BAUD else f"install -b {baud}")
        self._await(_READY, "the updater did not offer a transfer", _TRY_AGAIN)
        self._sleep(self._timings.ready_s)
        try:
            if baud != BAUD:
                self._port.baudrate = baud
                self._settle()
            self._send_blocks(image, progress)
        except BaseException:
            with contextlib.suppress(Exception):  # the port may be gone
                self._port.write(bytes((_CAN, _CAN)))
                self._port.flush()
            raise
        self._port.baudrate = BAUD
        self._heard.clear()
        self._finish("install", self._timings.save_s)

    def command(self, line: str) -> None:
        """Send a command line and wait for the next prompt."""
        self._heard.clear()
        self.send_line(line)
        self._await(line.encode(), f"the updater did not take the command {line!r}", _TRY_AGAIN)
        self._finish(line, self._timings.answer_s)

    def send_line(self, line: str) -> None:
        self._port.write(line.encode() + b"\n")
        self._port.flush()

    def _finish(self, line: str, limit_s: float) -> None:
        self._await(_PROMPT, f"the updater did not come back after {line!r}", _TRY_AGAIN, limit_s)
        self._sleep(self._timings.prompt_s)
        refusal = _REFUSAL.search(bytes(self._heard))
        if refusal:
            said = refusal.group().decode("ascii", "replace").strip()
            raise UpdaterError(f"the board refused {line!r}: {said}", _REFUSED)

    def _send_blocks(self, image: bytes, progress: Callable[[int, int], None]) -> None:
        self._expect_request()
        for at in range(0, len(image), _BLOCK_BYTES):
            number = at // _BLOCK_BYTES + 1
            self._send_until_ack(
                block(number, image[at : at + _BLOCK_BYTES]), f"block {number} of the transfer"
            )
            progress(min(at + _BLOCK_BYTES, len(image)), len(image))
        self._send_until_ack(bytes((_EOT,)), "the end of the transfer")

    def _expect_request(self) -> None:
        limit_s = self._timings.answer_s
        deadline = self._clock() + limit_s
        while self._control() != _CRC_REQUEST:
            self._check(
                deadline,
                limit_s,
                "the board did not ask for the first block",
                _TRY_AGAIN,
                TransferError,
            )

    def _send_until_ack(self, data: bytes, what: str) -> None:
        for attempt in range(_TRIES):
            self._port.write(data)
            self._port.flush()
            if self._acknowledged():
                if attempt:  # a late answer to an earlier copy must not count for the next block
                    self._sleep(0.2)
                    self._port.reset_input_buffer()
                return
        raise TransferError(f"{what} was not accepted in {_TRIES} tries", _NOISY)

    def _acknowledged(self) -> bool:
        """Wait for ACK; False asks for the block again: NAK, a repeated request, or silence."""
        deadline = self._clock() + self._timings.resend_s
        while self._clock() < deadline:
            answer = self._control()
            if answer == _ACK:
                return True
            if answer in (_NAK, _CRC_REQUEST):
                return False
            if answer == _CAN and self._control() == _CAN:
                raise UpdaterError("the board cancelled the transfer", _REFUSED)
        return False

    def _control(self) -> int | None:
        byte = self._port.read(1)
        return byte[0] if byte else None

    def _pulse_reset(self) -> None:
        try:
            for level in (False, True, False):
                self._port.dtr = level
        except OSError as error:  # a line without DTR: a person presses the button
            if error.errno not in (errno.ENOTTY, errno.EINVAL):
                raise

    def _listen(self) -> None:
        self._heard += self._port.read(256)
        del self._heard[:-_KEPT_BYTES]

    def _await(self, text: bytes, failure: str, hint: str, limit_s: float | None = None) -> None:
        limit_s = self._timings.answer_s if limit_s is None else limit_s
        deadline = self._clock() + limit_s
        while text not in self._heard:
            self._check(deadline, limit_s, failure, hint)
            self._listen()
        at = self._heard.index(text) + len(text)
        self._heard = self._heard[:at] if text == _PROMPT else self._heard[at:]

    def _settle(self) -> None:
        self._sleep(self._timings.settle_s)
        self._port.reset_input_buffer()
        self._heard.clear()

    def _check(
        self,
        deadline: float,
        limit_s: float,
        failure: str,
        hint: str,
        kind: type[UpdaterError] = UpdaterError,
    ) -> None:
        if self._clock() < deadline:
            return
        tail = bytes(self._heard[-200:]).decode("ascii", "replace").strip()
        said = f"; the last it said: {tail!r}" if tail else "; it said nothing"
        raise kind(f"{failure} within {limit_s:g} s{said}", hint)


_NO_LOADER = (
    "check that this is the main board's USB port and that no other program has it open; "
    "then press the reset button and try again"
)
_NO_UPDATER = (
    "the bootloader files may be missing: install them once with Sony's tools "
    '("Burn Bootloader" in the Arduino IDE); they are under a licence that you must accept'
)
_TRY_AGAIN = "press the reset button and try again"
_NOISY = f"try another cable or USB port, or upload_speed = {BAUD} in platformio.ini"
_REFUSED = (
    "make sure that the image is smaller than the board's memory and that the bootloader "
    "files have the version of the SDK"
)
