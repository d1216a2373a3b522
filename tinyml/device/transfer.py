"""The state machine of a transfer: a device's sensor at work, from START to what it counted.

Streams and recordings are transfers of different events. Samples for a virtual sensor go out by
credit, events come in; what may have been lost is asked for after a silence, and a device that is
gone, restarted or stuck is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tinyml.device.channel import Channel
from tinyml.device.deadline import Deadline
from tinyml.device.outbox import TURN_S, Outbox
from tinyml.device.refusal import refusal
from tinyml.errors import DeviceError, DeviceTimeout
from tinyml.protocol.frames import Flag, Frame, Record
from tinyml.protocol.messages import (
    CREDIT,
    ENDED,
    ERROR,
    SENSOR,
    Credit,
    Error,
    ErrorCode,
    Message,
    Totals,
)

QUIET_S = 2.0  # silence after which what may have been lost is sent again
SILENT_S = 30.0  # silence after which the device is given up


@dataclass(frozen=True)
class TransferKind:
    """What is transferred, and the messages that begin and end it.

    `events`: what it consists of. `totals` reads what the device counted from its reply to `stop`.
    `ends_in_silence`: a sensor of the device's own gives events all the time, so that a silence
    means that ENDED was lost.
    """

    message: Message
    start: Record
    stop: Record
    events: tuple[Message, ...]
    totals: Callable[[bytes], Totals]
    ends_in_silence: bool


class Transfer:
    """Iterate once over `events`; then `totals` is what the device counted.

    `reply`: the bytes of its answer to START. `stop` ends it soon, with totals; so does leaving the
    loop, without.
    """

    reply = b""
    totals: Totals | None = None

    def __init__(
        self,
        channel: Channel,
        kind: TransferKind,
        outbox: Outbox | None,
        *,
        on_start: Callable[[], None] | None = None,
        on_sent: Callable[[int], None] | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """`outbox` has the samples of a virtual sensor, None for one of the device's own.

        `on_start` is called once it runs; `on_sent` gets how many samples have arrived; `deadline`
        ends it as an error.
        """
        self._channel = channel
        self._kind = kind
        self._outbox = outbox
        self._on_start = on_start
        self._on_sent = on_sent
        self._deadline = deadline
        self._stopped = False

    def stop(self) -> None:
        """End it soon, from any thread, also when nothing comes from the device."""
        self._stopped = True

    def events(self) -> Iterator[Frame]:
        """Do all of it, and yield every event of its kind.

        Raises DeviceTimeout for a device that is silent for SILENT_S or at the deadline,
        DeviceError for one that refuses, restarts or acknowledges what it was never sent.
        """
        self.reply = self._channel.request(self._kind.message, self._kind.start)
        try:
            if self._on_start is not None:
                self._on_start()
            while self.totals is None and not self._stopped:
                # One frame out, then whatever has come in: a slow source delays no event.
                frame = self._channel.receive(Deadline(0)) if self._send_one() else self._receive()
                if frame is not None and self._is_event(frame):
                    yield frame
            if self.totals is None:
                self._finish()
            for frame in self._channel.frames(Deadline(0)):  # what came before the totals
                if self._is_event(frame):
                    yield frame
        finally:
            if self.totals is None:
                self._stop_quietly()
        if self._on_sent is not None and not self._stopped and self.totals is not None:
            self._on_sent(self.totals.samples)  # the last are not acknowledged otherwise

    def _is_event(self, frame: Frame) -> bool:
        """Whether the frame is an event of this transfer; acts on those that steer it."""
        if frame.type == ERROR.number:
            self._heed(Error.unpack(frame.payload), is_reply=Flag.RESPONSE in frame.flags)
        elif Flag.EVENT not in frame.flags:
            return False
        elif frame.type == CREDIT.number and self._outbox is not None:
            self._outbox.credit(Credit.unpack(frame.payload))
            if self._on_sent is not None:
                self._on_sent(self._outbox.arrived)
        elif frame.type == ENDED.number:
            self.totals = Totals.unpack(frame.payload)
        return any(frame.type == message.number for message in self._kind.events)

    def _send_one(self) -> bool:
        """Send the next frame of samples if the device has room; return whether there was one."""
        message = next(self._outbox.allowed(), None) if self._outbox is not None else None
        if message is not None:
            self._channel.send(SENSOR, message, self._until_given_up())
        return message is not None

    def _until_given_up(self) -> Deadline:
        return Deadline(SILENT_S) if self._deadline is None else self._deadline.within(SILENT_S)

    def _receive(self) -> Frame | None:
        """Return the next frame, or None when there is something else to do.

        On silence, ask for what may have been lost.
        """
        deadline = self._until_given_up()
        while not deadline.passed:
            quiet = deadline.within(QUIET_S)
            while not quiet.passed:
                frame = self._channel.receive(quiet.within(TURN_S))
                if frame is not None or self._stopped or self._may_send():
                    return frame
            self._channel.same_boot(deadline)
            if self._outbox is None:
                if self._kind.ends_in_silence:
                    self._finish()
                    return None
            else:
                self._send_again(self._outbox, deadline)
        raise DeviceTimeout(f"{self._channel.name} was silent for too long in the middle of {self}")

    def _may_send(self) -> bool:
        return self._outbox is not None and self._outbox.is_ready

    def _send_again(self, outbox: Outbox, deadline: Deadline) -> None:
        """Send what may not have arrived, START included as long as nothing was allowed."""
        if not outbox.has_credit:
            self.reply = self._channel.request(self._kind.message, self._kind.start)
        for message in outbox.again():
            self._channel.send(SENSOR, message, deadline)

    def _heed(self, error: Error, *, is_reply: bool) -> None:
        if error.code == ErrorCode.BAD_FRAME:
            return  # what was lost is asked for by CREDIT, or sent again after a silence
        if error.code == ErrorCode.STATE and is_reply:
            # The transfer does not run any more: ENDED was lost, or the device restarted.
            self._channel.same_boot(Deadline(SILENT_S))
            self._finish()
            return
        raise refusal(self._channel.name, error)

    def _finish(self) -> None:
        """Ask the device how far it came, which ends the transfer there too."""
        stop, message = self._kind.stop, self._kind.message
        self.totals = self._kind.totals(self._channel.request(message, stop, keep_events=True))

    def _stop_quietly(self) -> None:
        """Stop on a device that may no longer be there."""
        try:
            self._channel.request(self._kind.message, self._kind.stop, timeout_s=QUIET_S)
        except DeviceError:
            return

    def __str__(self) -> str:
        arrived = f" (after sample {self._outbox.arrived:,})" if self._outbox is not None else ""
        return f"{self._kind.message.name}{arrived}"
