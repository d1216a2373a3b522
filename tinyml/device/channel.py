"""Request and reply over a link, with retransmission, and the events that a device sends unasked.

Knows the rules of `tinyml.protocol` (sequence numbers, repeats, bodies in pieces, who may restart),
not what its messages are for: that is in `client` and `transfer`.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NoReturn

from tinyml.device.deadline import Deadline
from tinyml.device.identity import printable
from tinyml.device.links import Link
from tinyml.device.refusal import refusal
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
    Piece,
    Reset,
    ResetTarget,
)

HELLO_S = 0.25  # silence after which HELLO is said again, or a reply may have been lost
PROBE_S = 2.0  # the longest silence between two HELLOs to a device that computes
REQUEST_S = 10.0  # when a request that takes no time is given up
_READ_BYTES = 4096
_KEPT_EVENTS = 1024
_MOST_HELD = 16_384  # frames that wait here while we send: more than any of our devices has to say
_TURN_S = 0.02  # how long a write waits for room before what came meanwhile is read
_QUICK_PROBES = 8  # for a request, because of damage; noise without end is heeded no more

OnText = Callable[[str], None]


def ignore(text: str) -> None:
    """Take what a device says and drop it."""


class _Heard(Enum):
    """How listening for a reply ended."""

    DONE = "the reply is whole, or it is certain that none is under way"
    PIECES = "some of it came"
    DAMAGE = "something was damaged on the line, maybe the request or the reply"
    SILENCE = "nothing came"


@dataclass
class _Reply:
    """The reply to one request as it comes: `body` is whole once `complete`, or has a gap."""

    message: Message
    seq: int
    limit: int
    body: bytearray = field(default_factory=bytearray)
    torn: bool = False
    complete: bool = False
    damaged: int = 0  # bad frames that have been heeded
    heeds: int = _QUICK_PROBES

    def take(self, frame: Frame, name: str) -> bool:
        """Take a frame that answers the request; return whether it is the last.

        Raises DeviceError for a body of more than `limit` bytes.
        """
        if not self.message.long:
            self.body[:] = frame.payload
            self.complete = True
            return True
        piece = Piece.unpack(frame.payload)
        if piece.offset == 0:
            self.body.clear()
            self.torn = False
        self.torn = self.torn or piece.offset != len(self.body)
        self.body += piece.data
        if len(self.body) > self.limit:
            raise DeviceError(
                f"{name} answers {self.message.name} with more than {self.limit:,} bytes"
            )
        is_last = Flag.MORE not in frame.flags
        self.complete = is_last and not self.torn
        return is_last

    def heeds_damage(self, bad_frames: int) -> bool:
        """Whether frames have been damaged since this was asked last, and that is not too often."""
        if bad_frames == self.damaged or not self.heeds:
            return False
        self.damaged = bad_frames
        self.heeds -= 1
        return True


class Channel:
    """One end of a link. `name` is what errors call the device.

    `on_text` gets printable text between frames, `on_log` the device's LOG events;
    `explain_fault` turns the registers of a FAULT into words. Any method that reads raises
    DeviceError for a FAULT, a device that has gone, and one that restarted. Deadlines hold whatever
    the device sends: they are looked at after every read, of a bounded number of bytes.
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
        self._foreign_version: int | None = None  # of frames that are not for this tinyml
        self._fault: DeviceError | None = None
        self._faults_end_it = True

    @property
    def bad_frames(self) -> int:
        """Damaged frames that came from the device."""
        return self._receiver.bad

    def close(self) -> None:
        """Close the link."""
        self._link.close()

    def hello(self, deadline: Deadline, kept: deque[Frame] | None = None) -> HelloReply:
        """Say HELLO until the reply with our nonce comes; everything before it is stale.

        Events go to `kept`, where that is given. Raises DeviceTimeout without a reply, DeviceError
        when no protocol version is shared.
        """
        nonce = secrets.randbits(32)
        while not deadline.passed:
            self.send(HELLO, Hello(nonce), deadline)
            for frame in self.frames(deadline.within(HELLO_S)):
                if (reply := self._hello_reply(frame, {nonce})) is not None:
                    self._boot_id = reply.boot_id
                    return reply
                if kept is not None and Flag.EVENT in frame.flags:
                    kept.append(frame)
        raise self._silence()

    def same_boot(self, deadline: Deadline) -> None:
        """Raise DeviceError when the device is not the one that HELLO reached before.

        Events that come meanwhile are kept for `frames`.
        """
        before = self._boot_id
        kept: deque[Frame] = deque(maxlen=_KEPT_EVENTS)
        if self.hello(deadline, kept).boot_id != before:
            raise self._restarted()
        self._frames.extendleft(reversed(kept))

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
        timeout_s: float = REQUEST_S,
        keep_events: bool = False,
    ) -> bytes:
        """Send a request and return its reply: a record's bytes, or a body of up to `limit`.

        It is sent again as soon as it or its reply is known to be lost.
        Events that come meanwhile are stale, or with `keep_events` for `frames` afterwards.
        Raises DeviceTimeout without a reply in `timeout_s`, RequestRefused for a refusal.
        """
        deadline = Deadline(timeout_s)
        reply = _Reply(message, self._next_seq(), limit)
        kept: deque[Frame] = deque(maxlen=_KEPT_EVENTS if keep_events else 0)
        try:
            while not deadline.passed:
                reply.damaged = self.bad_frames
                self._write(Frame(message.number, reply.seq, record.pack()), deadline)
                self._await(reply, deadline, kept)
                if reply.complete:
                    return bytes(reply.body)
        finally:
            self._frames.extendleft(reversed(kept))
        raise DeviceTimeout(f"{self.name} did not answer {message.name} in {timeout_s:g} s")

    def send(self, message: Message, record: Record, deadline: Deadline) -> None:
        """Send what has no reply, or whose reply the caller watches for.

        Raises DeviceTimeout when the device does not take it in time.
        """
        self._write(Frame(message.number, self._next_seq(), record.pack()), deadline)

    def frames(self, deadline: Deadline) -> Iterator[Frame]:
        """Yield the frames that come until the deadline, and then those that had come by then.

        A deadline that has passed asks for what is already there. What every reader treats alike
        (LOG, FAULT, text) is dealt with here. Ends after the deadline also under a flood.
        """
        return (frame for frame in self._reads(deadline) if frame is not None)

    def receive(self, deadline: Deadline) -> Frame | None:
        """Return the next frame, None when there is none by the deadline."""
        return next(self.frames(deadline), None)

    def _reads(self, deadline: Deadline) -> Iterator[Frame | None]:
        """As `frames`, with None after every read, so that damage is noticed as it comes."""
        last = False
        while not last:
            last = deadline.passed
            if not self._frames:
                self._take_in(deadline)
            for _ in range(len(self._frames)):
                if not self._frames:  # the caller has asked for something meanwhile
                    break
                frame = self._frames.popleft()
                if not self._handled(frame):
                    yield frame
            yield None

    def _next_seq(self) -> int:
        self._seq = (self._seq + 1) % 256
        return self._seq

    def _write(self, frame: Frame, deadline: Deadline) -> None:
        """Hand over a frame, reading what the device sends meanwhile: else neither could go on."""
        left = frame.encode()
        while left:
            left = left[self._link.write(left, deadline.within(_TURN_S)) :]
            if left and len(self._frames) < _MOST_HELD:
                self._take_in(Deadline(0))
            if left and deadline.passed:
                raise DeviceTimeout(f"{self.name} does not take what is sent to it")

    def _take_in(self, deadline: Deadline) -> None:
        """Read once, by the deadline."""
        self._frames.extend(self._receiver.feed(self._link.read(_READ_BYTES, deadline)))
        if self._receiver.text:
            text = self._receiver.text.decode("ascii")
            self._receiver.text.clear()
            self._on_text(text)

    def _await(self, reply: _Reply, deadline: Deadline, kept: deque[Frame]) -> None:
        """Wait until `reply` is complete, or it is certain that it has to be asked for again.

        A device answers in order: once it answers a HELLO that was sent after the request, no reply
        to that is under way. So silence costs a HELLO, however long a device computes, and nothing
        is done twice for a reply that was only slow. Damage has cheap requests repeated at once.
        """
        silence_s = HELLO_S
        nonces: set[int] = set()
        while not deadline.passed:
            heard = self._listen(reply, nonces, deadline.within(silence_s), kept)
            if heard is _Heard.DONE or (heard is _Heard.DAMAGE and not reply.message.once):
                return
            if heard is _Heard.PIECES:
                continue
            if heard is _Heard.SILENCE and nonces:
                silence_s = min(2 * silence_s, PROBE_S)
            nonces.add(nonce := secrets.randbits(32))
            self.send(HELLO, Hello(nonce), deadline)
        raise self._silence(f"{reply.message.name} had no reply")

    def _listen(
        self, reply: _Reply, nonces: set[int], deadline: Deadline, kept: deque[Frame]
    ) -> _Heard:
        """Take what comes for `reply`, or the answer to a HELLO with one of `nonces`."""
        heard = _Heard.SILENCE
        for frame in self._reads(deadline):
            if frame is None:
                if reply.heeds_damage(self.bad_frames):
                    return _Heard.DAMAGE
            elif self._is_reply(frame, reply):
                heard = _Heard.PIECES
                if reply.take(frame, self.name):
                    return _Heard.DONE
            elif Flag.EVENT in frame.flags:
                kept.append(frame)
                if _is_bad_frame_event(frame) and reply.heeds:
                    reply.heeds -= 1
                    return _Heard.DAMAGE
            elif nonces and (hello := self._hello_reply(frame, nonces)) is not None:
                if hello.boot_id != self._boot_id:
                    raise self._restarted()
                return _Heard.DONE
        return heard

    def _is_reply(self, frame: Frame, reply: _Reply) -> bool:
        """Whether the frame answers the request of `reply`; raises RequestRefused for a no."""
        if frame.seq != reply.seq or Flag.RESPONSE not in frame.flags:
            return False
        if Flag.ERROR in frame.flags:
            self._refused(Error.unpack(frame.payload))
        return frame.type == reply.message.number

    def _refused(self, error: Error) -> NoReturn:
        self.same_boot(Deadline(REQUEST_S))  # a restart, which lost what came before, explains it
        raise refusal(self.name, error)

    def _hello_reply(self, frame: Frame, nonces: Collection[int]) -> HelloReply | None:
        """Return the reply to a HELLO with one of `nonces`, if the frame is that.

        Raises DeviceError where no protocol version is shared.
        """
        if Flag.ERROR in frame.flags:
            error = Error.unpack(frame.payload)
            if error.code == ErrorCode.VERSION:
                raise self._other_version(error.value & 0xFF, error.value >> 8 & 0xFF)
        if frame.type != HELLO.number or len(frame.payload) != HelloReply.fixed_bytes():
            return None
        reply = HelloReply.unpack(frame.payload)
        if reply.nonce not in nonces:
            return None
        if not reply.version_min <= VERSION <= reply.version_max:
            raise self._other_version(reply.version_min, reply.version_max)
        return reply

    def _other_version(self, low: int, high: int) -> DeviceError:
        return DeviceError(
            f"{self.name} speaks protocol {low} to {high}, this tinyml {VERSION_MIN} to {VERSION}",
            "build and flash its firmware again: tinyml flash",
        )

    def _restarted(self) -> DeviceError:
        return DeviceError(f"{self.name} restarted", "what it was doing is lost: start again")

    def _silence(self, what: str = "") -> DeviceError:
        """Return the error for a device that says nothing of what it should."""
        if self._foreign_version is not None:
            return self._other_version(self._foreign_version, self._foreign_version)
        if self._boot_id is None:
            return DeviceTimeout(
                f"{self.name} does not answer", "it may run no firmware of tinyml: tinyml flash"
            )
        return DeviceTimeout(
            f"{self.name} stopped answering" + (f": {what}" if what else ""),
            "check its cable and power, or restart it: tinyml flash",
        )

    def _handled(self, frame: Frame) -> bool:
        """Whether the frame is one that every reader treats alike; deals with it if so."""
        if not VERSION_MIN <= frame.version <= VERSION and Flag.ERROR not in frame.flags:
            self._foreign_version = frame.version
            return True
        if Flag.EVENT not in frame.flags:
            return False
        if frame.type == FAULT.number:
            registers = Fault.unpack(frame.payload).registers
            self._fault = DeviceError(
                f"{self.name} stopped: {self._explain_fault(registers)}",
                "restart it with: tinyml flash",
            )
            if self._faults_end_it:
                raise self._fault
            return True
        if frame.type == LOG.number:
            self._on_log(printable(Log.unpack(frame.payload).text))
            return True
        return False


def _is_bad_frame_event(frame: Frame) -> bool:
    if frame.type != ERROR.number or Flag.EVENT not in frame.flags:
        return False
    return Error.unpack(frame.payload).code == ErrorCode.BAD_FRAME
