"""Events as log lines: text for a person, the same as a JSON record for a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tinyml.device.identity import printable
from tinyml.monitor.events import (
    Attached,
    Bytes,
    Detached,
    DeviceStatus,
    Inferred,
    Played,
    Printed,
    Seen,
    Sensed,
    SessionEvent,
    Summed,
    View,
)
from tinyml.monitor.picture import Picture

_HEX_WIDTH = 16


@dataclass(frozen=True)
class OutputLine:
    """`kind` and `record` for JSON; `text` is None for what only a program wants."""

    kind: str
    record: Any
    text: str | None


class Lines(View[Iterator[OutputLine]]):
    """Turns the events of one session into lines, each as it happens."""

    def __init__(self) -> None:
        self._picture = Picture()
        self._clip = -1
        self._passed = {True: 0, False: 0}  # bytes that travelled, by direction

    def of(self, event: SessionEvent, picture: Picture) -> Iterator[OutputLine]:
        """Yield the lines of `event`, which `picture` has taken already."""
        self._picture = picture
        return event.show(self)

    def attached(self, event: Attached) -> Iterator[OutputLine]:
        """See View."""
        if event.after:
            yield OutputLine(event.after, {}, f"--- {event.after}")
        yield OutputLine("device", event.info, describe(self._picture))

    def detached(self, event: Detached) -> Iterator[OutputLine]:
        """See View."""
        reason = {"reason": event.reason}
        yield OutputLine("disconnected", reason, f"--- disconnected: {event.reason}")

    def played(self, event: Played) -> Iterator[OutputLine]:
        """See View."""
        if event.clip == self._clip:
            return
        self._clip = event.clip
        record = {"clip": event.name, "said": event.said, "number": event.clip, "of": event.clips}
        said = f", said {printable(event.said)}" if event.said is not None else ""
        text = f"{event.name}{said} ({event.clip + 1} of {event.clips})"
        yield OutputLine("playing", record, text)

    def inferred(self, event: Inferred) -> Iterator[OutputLine]:
        """See View."""
        reading, picture = event.reading, self._picture
        record = {
            "number": reading.number,
            "second": picture.second,
            "scores": [round(float(score), 6) for score in event.scores],
            "top": reading.top,
            "counter": reading.infer_counter,
            "front_counter": reading.front_counter,
            "dropped": picture.dropped,
        }
        yield OutputLine("inference", record, None)
        if reading.event is not None and event.score is not None:
            facts = {"label": reading.event, "score": event.score, "second": picture.second}
            label = printable(reading.event)
            yield OutputLine("event", facts, f"{picture.second:8.2f} s  {label}  {event.score:.2f}")

    def seen(self, event: Seen) -> Iterator[OutputLine]:
        """See View: rows are for pictures."""
        return iter(())

    def sensed(self, event: Sensed) -> Iterator[OutputLine]:
        """See View: samples are for pictures."""
        return iter(())

    def printed(self, event: Printed) -> Iterator[OutputLine]:
        """See View."""
        kind = "log" if event.is_log else "text"
        text = f"{'log: ' if event.is_log else ''}{event.text}"
        yield OutputLine(kind, {"text": event.text}, text)

    def status(self, event: DeviceStatus) -> Iterator[OutputLine]:
        """See View."""
        record = {**vars(event.status), "host_bad_frames": event.bad_frames}
        yield OutputLine("status", record, None)

    def summed(self, event: Summed) -> Iterator[OutputLine]:
        """See View."""
        yield OutputLine("clips", {"stream": event.report}, None)

    def bytes(self, event: Bytes) -> Iterator[OutputLine]:
        """See View."""
        arrow = "->" if event.to_device else "<-"
        start = self._passed[event.to_device]
        self._passed[event.to_device] += len(event.data)
        for at in range(0, len(event.data), _HEX_WIDTH):
            data = event.data[at : at + _HEX_WIDTH]
            shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)
            text = f"{arrow} {start + at:08x}  {data.hex(' '):<{3 * _HEX_WIDTH - 1}}  {shown}"
            yield OutputLine("bytes", {"to_device": event.to_device, "data": data}, text)


def describe(picture: Picture) -> str:
    """Return who answers, in one line."""
    info = picture.info
    if info is None:
        return "no device"
    return f"{info.board} runs {info.model} ({info.sha256[:16]}), runtime {info.runtime}"


def totals(picture: Picture) -> str:
    """Return what was read and what was lost, in one line."""
    factor = f" at {picture.factor:.2f} times real time" if picture.factor is not None else ""
    return (
        f"{count(picture.inferences, 'inference')}{factor}, "
        f"{count(picture.dropped, 'sample')} dropped, "
        f"{count(picture.lost, 'result')} lost, {count(picture.bad_frames, 'damaged frame')}"
    )


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
