"""Frames over a link: a request and its reply, and what the device says unasked.

Knows the rules of `tinyml.protocol` (sequence numbers, repeats, bodies in pieces, who may restart),
not what its messages are for: that is in `client` and `stream`.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from typing import NoReturn

from tinyml.device.deadline import Deadline
from tinyml.device.identity import printable
from tinyml.device.links import Link
from tinyml.errors import DeviceError, DeviceTimeout
from tinyml.protocol.frames import VERSION, Flag, Frame, Receiver, Record
from tinyml.protocol.messages import (
    ERROR,
    FAULT,
    HELLO,
    LOG,
    RESET,
    VERSION_MIN,
    Error,
    ErrorCode,
    Fault,
    Hello,
    HelloReply,
    Log,
    Message,
    ModelReason,
    Piece,
    Reset,
    ResetTarget,
)

HELLO_S = 0.25  # silence after which HELLO is said again
REPLY_S = 1.0  # silence after which a request that takes no time is repeated
REQUEST_S = 10.0  # when such a request is given up
_READ_BYTES = 4096
_KEPT_EVENTS = 1024

OnText = Callable[[str], None]


def ignore(text: str) -> None:
    """Take what a device says and drop it."""


class ModelRefusal(DeviceError):  # noqa: N818 - no failure of ours: the device says no
    """A device whose model did not start, or stopped; `reason` as in model.h."""

    def __init__(self, name: str, reason: int) -> None:
        what, hint = _MODEL_REASONS.get(reason, (f"it failed with {reason}", ""))
        super().__init__(f"{name} cannot run its model: {what}", hint)
        self.reason = reason


class Channel:
    """One end of a link. `name` is what errors call the device.

    `on_text` gets printable text between frames, `on_log` the device's LOG events;
    `explain_fault` turns the registers of a FAULT into words. Any method that reads raises
    DeviceError for a FAULT, a device that has gone, and one that restarted.
    """

    def __init__(
        self,
        link: Link,
        name: str,
        explain_fault: Callable[[tuple[int, ...]], str],
        *,
        on_text: OnText = ignore,
        on_log: OnText = ignore,
    ) -> None:
        self.name = name
        self._link = link
        self._explain_fault = explain_fault
        self._on_text = on_text
        self._on_log = on_log
        self._receiver = Receiver()
        self._frames: deque[Frame] = deque()
        self._seq = secrets.randbelow(256)
        self._boot_id: int | None = None
        self._set_aside: deque[Frame] = deque(maxlen=_KEPT_EVENTS)
        self._fault: DeviceError | None = None
        self._faults_end_it = True

    @property
    def bad_frames(self) -> int:
        """Damaged frames that came from the device."""
        return self._receiver.bad

    def close(self) -> None:
        """Close the link."""
        self._link.close()

    def hello(self, deadline: Deadline) -> HelloReply:
        """Say HELLO until the reply with our nonce comes; everything before it is stale.

        Raises DeviceTimeout without one, DeviceError when no protocol version is shared.
        """
        nonce = secrets.randbits(32)
        while not deadline.passed:
            self.send(HELLO, Hello(nonce), deadline)
            wait = deadline.within(HELLO_S)
            while (frame := self.receive(wait)) is not None:
                self._refuse_version(frame)
                if frame.type == HELLO.number and len(frame.payload) == HelloReply.fixed_bytes():
                    reply = HelloReply.unpack(frame.payload)
                    if reply.nonce == nonce:
                        self._boot_id = reply.boot_id
                        return reply
                elif Flag.EVENT in frame.flags:
                    self._set_aside.append(frame)
        raise DeviceTimeout(
            f"{self.name} does not answer",
            "it may run no firmware of tinyml: tinyml flash",
        )

    def same_boot(self, deadline: Deadline) -> None:
        """Raise DeviceError when the device is not the one that HELLO reached before.

        Events that come meanwhile are kept for `receive`.
        """
        before = self._boot_id
        self._set_aside.clear()
        if self.hello(deadline).boot_id != before:
            raise DeviceError(f"{self.name} restarted", "what it was doing is lost: start again")
        self._frames.extendleft(reversed(self._set_aside))

    def restart(self, deadline: Deadline) -> HelloReply:
        """Have the firmware start anew, also after a fault, and say HELLO to it."""
        before = self._boot_id
        self._fault = None
        self._faults_end_it = False
        try:
            self.send(RESET, Reset(ResetTarget.APPLICATION), deadline)
            while not deadline.passed:
                reply = self.hello(deadline)
                if reply.boot_id != before:
                    return reply
            raise DeviceTimeout(f"{self.name} does not restart")
        except DeviceTimeout as error:
            raise (self._fault or error) from error
        finally:
            self._faults_end_it = True

    def request(
        self,
        message: Message,
        record: Record,
        *,
        limit: int = 0,
        patience_s: float = REPLY_S,
        timeout_s: float = REQUEST_S,
        keep_events: bool = False,
    ) -> bytes:
        """Send a request and return its reply: a record's bytes, or a body of up to `limit`.

        After `patience_s` of silence it is sent again, if the device is still there. Events that
        come meanwhile are stale, or with `keep_events` for `receive` afterwards.
        Raises DeviceTimeout without a reply in `timeout_s`, DeviceError for a refusal.
        """
        deadline = Deadline(timeout_s)
        seq = self._next_seq()
        kept: deque[Frame] = deque(maxlen=_KEPT_EVENTS if keep_events else 0)
        try:
            while not deadline.passed:
                self._write(Frame(message.number, seq, record.pack()), deadline)
                reply = self._reply(message, seq, limit, patience_s, deadline, kept)
                if reply is not None:
                    return reply
                if not deadline.passed:
                    self.same_boot(deadline)
        finally:
            self._frames.extendleft(reversed(kept))
        raise DeviceTimeout(f"{self.name} did not answer {message.name} in {timeout_s:g} s")

    def send(self, message: Message, record: Record, deadline: Deadline) -> None:
        """Send what has no reply, or whose reply the caller watches for."""
        self._write(Frame(message.number, self._next_seq(), record.pack()), deadline)

    def receive(self, deadline: Deadline) -> Frame | None:
        """Return the next frame, None when there is none by the deadline.

        A deadline that has passed asks for what is already there.
        """
        last = False
        while True:
            while self._frames:
                frame = self._frames.popleft()
                if not self._told(frame):
                    return frame
            if last:  # also under a flood that never ends
                return None
            last = deadline.passed
            self._frames.extend(self._receiver.feed(self._link.read(_READ_BYTES, deadline)))
            self._tell_text()

    def refuse(self, error: Error) -> NoReturn:
        """Raise what the device's ERROR means."""
        text = printable(error.text)
        if error.code == ErrorCode.MODEL:
            raise ModelRefusal(self.name, error.value)
        reason = _REASONS.get(error.code, "refused with code {code}").format(
            code=error.code, value=error.value, text=text
        )
        raise DeviceError(f"{self.name} {reason}", _HINTS.get(text, ""))

    def _next_seq(self) -> int:
        self._seq = (self._seq + 1) % 256
        return self._seq

    def _write(self, frame: Frame, deadline: Deadline) -> None:
        self._link.write(frame.encode(), deadline)

    def _reply(
        self,
        message: Message,
        seq: int,
        limit: int,
        patience_s: float,
        deadline: Deadline,
        kept: deque[Frame],
    ) -> bytes | None:
        """Return the reply, or None when it has to be asked for again; events go to `kept`."""
        body = bytearray()
        torn = False
        wait = deadline.within(patience_s)
        while (frame := self.receive(wait)) is not None:
            if _is_bad_frame_event(frame):
                return None
            if Flag.EVENT in frame.flags:
                kept.append(frame)
            if frame.seq != seq or Flag.RESPONSE not in frame.flags:
                continue
            if Flag.ERROR in frame.flags:
                self._refused(Error.unpack(frame.payload), deadline)
            if frame.type != message.number:
                continue
            if not message.long:
                return frame.payload
            piece = Piece.unpack(frame.payload)
            if piece.offset == 0:
                body.clear()
                torn = False
            torn = torn or piece.offset != len(body)
            body += piece.data
            if len(body) > limit:
                raise DeviceError(
                    f"{self.name} answers {message.name} with more than {limit:,} bytes"
                )
            if Flag.MORE not in frame.flags:
                return None if torn else bytes(body)
            wait = deadline.within(patience_s)
        return None

    def _refused(self, error: Error, deadline: Deadline) -> NoReturn:
        self.same_boot(deadline)  # a restart, which lost what came before, explains a refusal
        self.refuse(error)

    def _refuse_version(self, frame: Frame) -> None:
        if Flag.ERROR not in frame.flags:
            return
        error = Error.unpack(frame.payload)
        if error.code == ErrorCode.VERSION:
            low, high = error.value & 0xFF, error.value >> 8 & 0xFF
            raise DeviceError(
                f"{self.name} speaks protocol {low} to {high}, this tinyml {VERSION_MIN} to "
                f"{VERSION}",
                "build and flash its firmware again: tinyml flash",
            )

    def _told(self, frame: Frame) -> bool:
        """Whether the frame is one that every reader treats alike; passes it on if so."""
        if frame.type == FAULT.number and Flag.EVENT in frame.flags:
            registers = Fault.unpack(frame.payload).registers
            self._fault = DeviceError(
                f"{self.name} stopped: {self._explain_fault(registers)}",
                "restart it with: tinyml flash",
            )
            if self._faults_end_it:
                raise self._fault
            return True
        if frame.type == LOG.number and Flag.EVENT in frame.flags:
            self._on_log(printable(Log.unpack(frame.payload).text))
            return True
        return False

    def _tell_text(self) -> None:
        if self._receiver.text:
            text = self._receiver.text.decode("ascii")
            self._receiver.text.clear()
            self._on_text(text)


def _is_bad_frame_event(frame: Frame) -> bool:
    if frame.type != ERROR.number or Flag.EVENT not in frame.flags:
        return False
    return Error.unpack(frame.payload).code == ErrorCode.BAD_FRAME


_MODEL_REASONS: dict[int, tuple[str, str]] = {
    ModelReason.SCHEMA: (
        "its tensors are not those of the file that the firmware was made from",
        "build and flash it again: tinyml flash",
    ),
    ModelReason.OPERATOR: (
        "an operator is missing or failed",
        "use another library (--tflm-dir), or --runtime compiled",
    ),
    ModelReason.ARENA: (
        "its arena is too small",
        "leave --arena away; tinyml build --fit measures what is needed",
    ),
    ModelReason.STATE: ("it was not started", "restart the board"),
}
_HINTS = {  # by the words of the firmware
    "this firmware has no model slot": "flash one that has: tinyml flash MODEL --model-slot",
}
_REASONS: dict[int, str] = {
    ErrorCode.UNSUPPORTED: "cannot do that: {text}",
    ErrorCode.BAD_ARG: "refused: bad {text} ({value})",
    ErrorCode.BAD_FRAME: "received damaged frames ({value} so far)",
    ErrorCode.VERSION: "refused the protocol version",
    ErrorCode.STATE: "refused: {text}",
    ErrorCode.SENSOR: "could not start its sensor: {text} ({value})",
}
