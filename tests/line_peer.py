"""The host's end of a line, bare: what tests send is sent as it is, and what comes is shown."""

from __future__ import annotations

import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from tinyml.protocol import frames, messages


class LinePeer(ABC):
    """A device on some line, which a subclass carries."""

    def __init__(self) -> None:
        self.receiver = frames.Receiver()
        self._frames: list[frames.Frame] = []
        self._seq = 0
        self._nonce = 0xC0FFEE00

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Put bytes on the line, taking in what comes back meanwhile."""

    @abstractmethod
    def _read(self, timeout_s: float) -> int:
        """Take in what comes in this time; return how many bytes."""

    def request(
        self, record: messages.Record, number: int, flags: frames.Flag = frames.NO_FLAGS
    ) -> int:
        """Send a request; return its sequence number."""
        self._seq = (self._seq + 1) % 256
        self.send(frames.Frame(number, self._seq, record.pack(), flags).encode())
        return self._seq

    def next(self, wanted: Callable[[frames.Frame], bool], timeout_s: float = 20.0) -> frames.Frame:
        """Return the first frame that is `wanted`; frames before it are dropped."""
        frame = self.poll(wanted, timeout_s)
        assert frame is not None, "the device does not answer"
        return frame

    def poll(self, wanted: Callable[[frames.Frame], bool], timeout_s: float) -> frames.Frame | None:
        """Like `next`, but None where no such frame comes in time."""
        deadline = time.monotonic() + timeout_s
        while True:
            while self._frames:
                frame = self._frames.pop(0)
                if wanted(frame):
                    return frame
            if time.monotonic() >= deadline:
                return None
            self._read(0.05)

    def ask(
        self, message: messages.Message, record: messages.Record, seq: int | None = None
    ) -> bytes:
        """Return the reply to a request: its payload, or the body of a long one.

        `seq`: its sequence number, where it is asked once more.
        """
        if seq is not None:
            self._seq = seq - 1
        seq = self.request(record, message.number)
        body = b""
        while True:
            frame = self.next(lambda f: bool(f.flags & frames.Flag.RESPONSE) and f.seq == seq)
            if frame.flags & frames.Flag.ERROR:
                raise Refused(messages.Error.unpack(frame.payload))
            assert frame.type == message.number
            if not message.long:
                return frame.payload
            piece = messages.Piece.unpack(frame.payload)
            assert piece.offset == len(body)
            body += piece.data
            if not frame.flags & frames.Flag.MORE:
                return body

    def alive(self) -> messages.HelloReply:
        """Return the answer to a HELLO, recognised by its nonce whatever else comes."""
        self._nonce += 1
        nonce = struct.pack("<I", self._nonce)
        self.request(messages.Hello(self._nonce), messages.HELLO.number)
        frame = self.next(lambda f: f.type == messages.HELLO.number and f.payload[:4] == nonce)
        return messages.HelloReply.unpack(frame.payload)


class Refused(Exception):  # noqa: N818 - a refusal is no error of ours
    """The device answered with ERROR."""

    def __init__(self, error: messages.Error) -> None:
        super().__init__(repr(error))
        self.error = error
