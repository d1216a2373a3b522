"""Events as lines: text for a person, the same as a JSON record for a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tinyml.monitor.events import (
    Attached,
    Bytes,
    Detached,
    DeviceStatus,
    Event,
    Inferred,
    Played,
    Printed,
    Summed,
)
from tinyml.monitor.picture import Picture

_HEX_WIDTH = 16


@dataclass(frozen=True)
class OutputLine:
    """`kind` and `record` for JSON; `text` is None for what only a program wants."""

    kind: str
    record: Any
    text: str | None


class Lines:
    """Turns the events of one session into lines, each as it happens."""

    def __init__(self) -> None:
        self._clip = -1
        self._passed = {True: 0, False: 0}  # bytes that travelled, by direction

    def of(self, event: Event, picture: Picture) -> Iterator[OutputLine]:
        """Yield the lines of `event`, which `picture` has taken already."""
        if isinstance(event, Attached):
            if event.after:
                yield OutputLine(event.after, {}, f"--- {event.after}")
            yield OutputLine("device", event.info, describe(picture))
        elif isinstance(event, Detached):
            reason = {"reason": event.reason}
            yield OutputLine("disconnected", reason, f"--- disconnected: {event.reason}")
        elif isinstance(event, Played):
            yield from self._played(event)
        elif isinstance(event, Inferred):
            yield from self._read(event, picture)
        elif isinstance(event, Printed):
            kind = "log" if event.is_log else "text"
            yield OutputLine(
                kind, {"text": event.text}, f"{'log: ' if event.is_log else ''}{event.text}"
            )
        elif isinstance(event, Bytes):
            yield from self._bytes(event)
        elif isinstance(event, DeviceStatus):
            yield OutputLine(
                "status", {**vars(event.status), "host_bad_frames": event.bad_frames}, None
            )
        elif isinstance(event, Summed):
            yield OutputLine("clips", {"stream": event.report}, None)

    def _played(self, event: Played) -> Iterator[OutputLine]:
        if event.clip == self._clip:
            return
        self._clip = event.clip
        record = {"clip": event.name, "said": event.said, "number": event.clip, "of": event.clips}
        said = f", said {event.said}" if event.said is not None else ""
        yield OutputLine(
            "playing", record, f"{event.name}{said} ({event.clip + 1} of {event.clips})"
        )

    def _read(self, event: Inferred, picture: Picture) -> Iterator[OutputLine]:
        reading = event.reading
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
            text = f"{picture.second:8.2f} s  {reading.event}  {event.score:.2f}"
            yield OutputLine("event", facts, text)

    def _bytes(self, event: Bytes) -> Iterator[OutputLine]:
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
