"""The body of `tinyml monitor`: a device's events and words become lines, until something ends it.

`stream.play` does the work where recordings are played; here is only what is shown of it.
"""

from __future__ import annotations

import contextlib
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tinyml import boards, clips, device, stream
from tinyml.features import Event, FrontEnd

if TYPE_CHECKING:
    from tinyml.cli.console import Console, Progress

_SILENCE_S = 0.1


class _Ended(Exception):  # noqa: N818 - no error
    """Raised inside a stream to leave it: the time is over, or a line matched."""


class Monitor:
    """One run of the monitor; `matched` tells whether a line fitted --until."""

    def __init__(self, args: Namespace, console: Console) -> None:
        self.matched = False
        self._args = args
        self._console = console
        self._board = boards.load(args.board)
        self._sources = args.source
        self._log = args.log.open("a", encoding="utf-8") if args.log else None
        self._end = time.monotonic() + args.timeout if args.timeout else float("inf")

    def __enter__(self) -> Monitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._log is not None:
            self._log.close()

    def run(self) -> None:
        """Attach, listen, and print until it ends."""
        with contextlib.suppress(_Ended), self._connected() as connection:
            info = connection.info
            self._line(
                "device",
                info,
                f"{info.board} runs {info.model} ({info.sha256[:16]}), runtime {info.runtime}",
            )
            if self._sources:
                self._play(connection, clips.load(self._sources, stream.front_end_of(info)))
            else:
                self._hear(connection)

    def _connected(self) -> device.Device:
        return device.connect(
            self._board,
            self._args.port,
            on_text=lambda text: self._line("text", {"text": text}, text),
            on_log=lambda text: self._line("log", {"text": text}, f"log: {text}"),
        )

    def _play(self, connection: device.Device, played: Sequence[clips.Clip]) -> None:
        with self._console.progress("playing") as shown:
            report = stream.play(
                connection,
                played,
                on_progress=lambda *what: self._tick(shown, *what),
                on_heard=lambda event: self._heard(event, connection.info.sample_rate_hz),
            )
        if self._args.json:
            self._console.json_line("monitor", {"kind": "clips", "stream": report})
        else:
            from tinyml.cli import reports

            self._console.print()
            reports.show_clips(report.clips, report.sample_rate_hz, self._console)
            self._console.print(
                f"{report.right} of {report.judged} clips recognised as said; "
                f"{report.inferences} inferences at {report.real_time_factor:.2f} times real time"
            )

    def _tick(self, shown: Progress, playing: str, done: float, total: float) -> None:
        shown.update(playing, done, total)
        self._check_time()

    def _hear(self, connection: device.Device) -> None:
        info = connection.info
        samples = self._silence(stream.front_end_of(info)) if info.is_virtual else None
        for reading in connection.stream(samples):
            self._check_time()
            actual = stream.of_device(reading, info.outputs[0])
            if actual.heard is not None:
                self._heard(actual.heard, info.sample_rate_hz)

    def _silence(self, front_end: FrontEnd) -> Iterator[Any]:
        """A pause at the speed of time, until the time is over."""
        chunk = front_end.pause(round(_SILENCE_S * front_end.rate_hz))
        while True:
            self._check_time()
            yield chunk
            time.sleep(_SILENCE_S)

    def _check_time(self) -> None:
        if time.monotonic() > self._end:
            raise _Ended

    def _heard(self, event: Event, rate_hz: int) -> None:
        second = event.sample_index / rate_hz
        facts = {"label": event.label, "score": event.score, "second": second}
        self._line("event", facts, f"{second:8.2f} s  {event.label}  {event.score:.2f}")

    def _line(self, kind: str, record: Any, text: str) -> None:
        """Show a line, log it, and leave when it is the one waited for."""
        from tinyml.cli.console import plain, printable

        if self._args.json:
            self._console.json_line("monitor", {"kind": kind, **plain(record)})
        else:
            self._console.print(text)
            self._console.flush()
        if self._log is not None:
            self._log.write(f"{printable(text)}\n")
            self._log.flush()
        if self._args.until is not None and self._args.until.search(text):
            self.matched = True
            raise _Ended
