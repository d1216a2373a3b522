"""The body of `tinyml monitor`: events of a session become lines, a live screen and a web page.

`tinyml.monitor` knows what there is to show; here it is shown, and keys become wishes.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from tinyml.errors import DeviceError, DeviceTimeout, TinymlError
from tinyml.firmware import boards
from tinyml.monitor import Picture, Session, SessionOptions
from tinyml.monitor.events import Played, SessionEvent
from tinyml.monitor.feed import Feed
from tinyml.monitor.lines import Lines, OutputLine, describe, totals

if TYPE_CHECKING:
    from tinyml.cli.console import Console, Display
    from tinyml.cli.terminal import Screen
    from tinyml.datasets.clips import Clip
    from tinyml.device import DeviceInfo
    from tinyml.features import FrontEnd
    from tinyml.monitor.keep import Keeper
    from tinyml.monitor.web import Web

Take = Callable[[float, SessionEvent], Sequence[OutputLine]]
Over = Callable[[Feed], bool]

DEFAULT_LOG = Path("monitor.log")
_TURN_S = 0.1
_DRAW_S = 0.1
_LEAVE_S = 2.0  # what the stream's end on the device may take


class Monitor:
    """One run of the monitor; `matched` tells whether a line fitted --until."""

    def __init__(self, args: Namespace, console: Console) -> None:
        self.matched = False
        self._args = args
        self._console = console
        self._picture = Picture()
        self._lines = Lines()
        self._log = _Log(args.log)
        self._web: Web | None = None
        self._misses: Keeper | None = None
        self._end = time.monotonic() + args.timeout if args.timeout else float("inf")

    def run(self) -> None:
        """Attach, show what happens, and sum up when it ends, however it does."""
        try:
            with _leaving_by_exception():
                self._watch()
            if self._picture.info is None:  # the time was over before anything answered
                raise DeviceTimeout(
                    f"{self._args.port or self._args.board} did not answer in "
                    f"{self._args.timeout:g} s",
                    "flash it, or name another: tinyml flash, tinyml monitor --port PORT",
                )
        except (KeyboardInterrupt, SystemExit, DeviceError):
            if self._picture.info is not None:
                self._sum_up()
            raise
        self._sum_up()

    def _watch(self) -> None:
        options = self._session_options()
        with ExitStack() as stack:
            stack.enter_context(self._log)
            if self._args.web is not None:
                self._serve(stack)
            feed = Feed(lambda tell: Session(options, tell))
            self._prepare_keeping(feed.session)
            stack.enter_context(feed)
            try:
                if self._is_live():
                    self._run_live(feed)
                else:
                    self._run_plain(feed)
            finally:
                self._drain(feed)

    def _prepare_keeping(self, session: Session) -> None:
        """Have the page and the misses keep recordings, where that is wanted."""
        from tinyml.monitor.keep import Keeper

        args = self._args
        if args.record is not None and self._web is not None:
            self._web.keeper = Keeper(session, args.record, args.speaker)
        if args.keep_misses is not None:
            self._misses = Keeper(session, args.keep_misses, args.speaker)

    def _keep_miss(self, clip: Clip, front_end: FrontEnd, info: DeviceInfo) -> None:
        """Keep a clip that was not recognised as said; called by the session's thread."""
        if self._misses is None:
            return
        try:
            self._console.note(f"missed: {self._misses.keep_clip(clip, front_end, info)}")
        except TinymlError as error:
            self._console.note(f"warning: {clip.name} was missed, and {error.message}")

    def _drain(self, feed: Feed) -> None:
        """Fold in what the session tells of its end; an error of its own has been raised before."""
        feed.stop()
        end = time.monotonic() + _LEAVE_S
        with contextlib.suppress(TinymlError):
            while not feed.ended and time.monotonic() < end:
                if (got := feed.next(_TURN_S)) is not None:
                    at, event = got
                    self._picture.take(event, at)

    def _session_options(self) -> SessionOptions:
        args = self._args
        return SessionOptions(
            board=boards.load(args.board),
            port=args.port,
            sources=tuple(args.source or ()),
            paced=not args.fast,
            reconnect_s=0.0 if args.no_reconnect else args.reconnect,
            rows=args.web is not None,
            traffic=args.hex,
            on_miss=self._keep_miss,
            threshold=args.threshold,
        )

    def _is_live(self) -> bool:
        args = self._args
        return self._console.is_terminal and not (args.json or args.hex or args.plain)

    def _serve(self, stack: ExitStack) -> None:
        from tinyml.monitor.web import Web

        self._web = stack.enter_context(Web(*self._args.web))
        self._console.note(f"page: {self._web.url}")
        if self._web.warning:
            self._console.note(f"warning: {self._web.warning}")

    def _run_plain(self, feed: Feed) -> None:
        with ExitStack() as stack:
            progress = None
            if self._args.source:
                progress = stack.enter_context(self._console.progress("playing"))
            while not feed.ended:
                if (got := feed.next(_TURN_S)) is not None:
                    at, event = got
                    for line in self._take(at, event):
                        self._print(line, at)
                    _show_progress(progress, event)
                if self._is_over(feed):
                    return

    def _run_live(self, feed: Feed) -> None:
        from tinyml.cli.terminal import Screen

        with Screen(self._console.out) as screen, contextlib.suppress(KeyboardInterrupt):
            _Live(screen, self._picture, self._log, self._web.url if self._web else "").run(
                feed, self._take, self._is_over
            )

    def _take(self, at: float, event: SessionEvent) -> Sequence[OutputLine]:
        """Fold an event into the picture, the page and the log, and return its lines."""
        self._picture.take(event, at)
        if self._web is not None:
            self._web.take(event, self._picture, at)
        lines = [*self._lines.of(event, self._picture)]
        for line in lines:
            if line.text is None:
                continue
            self._log.write(self._stamped(line.text, at))
            if self._args.until is not None and self._args.until.search(line.text):
                self.matched = True
                return lines[: lines.index(line) + 1]
        return lines

    def _is_over(self, feed: Feed) -> bool:
        """Whether to leave now; when only the time is over, what the session still tells comes.

        A session that cannot end, because its device floods it or never answers, is left behind.
        """
        if time.monotonic() > self._end:
            feed.stop()
        return self.matched or time.monotonic() > self._end + _LEAVE_S

    def _print(self, line: OutputLine, at: float) -> None:
        if self._args.json:
            from tinyml.report.document import plain

            stamp = {"time": _wall_clock(at)} if self._args.timestamp else {}
            self._console.json_line("monitor", {"kind": line.kind, **stamp, **plain(line.record)})
        elif line.text is not None:
            self._console.print(self._stamped(line.text, at))
            self._console.flush()

    def _stamped(self, text: str, at: float) -> str:
        return f"{_wall_clock(at)}  {text}" if self._args.timestamp else text

    def _sum_up(self) -> None:
        picture = self._picture
        if self._args.json:
            judged = [clip.right for clip in picture.clips if clip.right is not None]
            facts = {name: getattr(picture, name) for name in _TOTALS}
            facts |= {"right": sum(judged), "judged": len(judged), "factor": picture.factor}
            self._console.json_line("monitor", {"kind": "summary", **facts})
            return
        if self._is_live():
            self._console.print(describe(picture))
        if picture.clips and picture.info is not None:
            from tinyml.report import streaming

            self._console.print()
            self._console.show(streaming.clips(picture.clips, picture.info.sample_rate_hz))
            judged = [clip.right for clip in picture.clips if clip.right is not None]
            if judged:  # nobody may know what was said
                self._console.print(f"{sum(judged)} of {len(judged)} clips recognised as said")
        self._console.print(totals(picture))


_TOTALS = ("inferences", "dropped", "lost", "bad_frames", "connections")


@contextlib.contextmanager
def _leaving_by_exception() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that what ends the monitor still sums up."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    in_main = threading.current_thread() is threading.main_thread()  # others may set no handlers
    numbers = (signal.SIGTERM, signal.SIGHUP) if in_main else ()
    before = {number: signal.signal(number, leave) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Live:
    """The screen and its keys, while it lasts."""

    def __init__(self, screen: Screen, picture: Picture, log: _Log, url: str) -> None:
        self._screen = screen
        self._picture = picture
        self._log = log
        self._url = url
        self._paused = False
        self._help = False
        self._stopping = False
        self._drawn = 0.0

    def run(self, feed: Feed, take: Take, is_over: Over) -> None:
        """Show what comes until it ends or a key ends it."""
        while not feed.ended:
            if (got := feed.next(_TURN_S)) is not None:
                take(*got)
            for key in self._screen.typed():
                if self._quits(key, feed):
                    return
            if is_over(feed):
                return
            self._draw()

    def _quits(self, key: str, feed: Feed) -> bool:
        from tinyml.cli.terminal import QUIT_KEYS

        if key in QUIT_KEYS:
            return True
        if key == "p":
            self._paused = not self._paused
        elif key == "r":
            feed.session.reset()
        elif key == "l":
            self._log.toggle()
        elif key in "?h":
            self._help = not self._help
        else:
            return False
        self._drawn = 0.0
        return False

    def _draw(self) -> None:
        """Draw at most every _DRAW_S; a paused picture once."""
        from tinyml.monitor.screen import ScreenNotes, draw

        now = time.monotonic()
        if now - self._drawn < _DRAW_S or (self._paused and self._drawn):
            return
        self._drawn = now
        notes = ScreenNotes(
            paused=self._paused,
            log=self._log.name,
            url=self._url,
            help=self._help,
            has_keys=self._screen.has_keys,
            plain=self._screen.is_ascii,
        )
        self._screen.draw(lambda width, height: draw(self._picture, now, width, height, notes))


class _Log:
    """A file that lines are appended to, also from one run to the next; open while it is on."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> _Log:
        if self._path is not None:
            self.toggle()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def name(self) -> str:
        """The file that is written now, "" for none."""
        return "" if self._file is None else str(self._path)

    def toggle(self) -> None:
        """Start to write, or stop."""
        if self._file is not None:
            self._file.close()
            self._file = None
            return
        self._path = self._path or DEFAULT_LOG
        self._file = self._path.open("a", encoding="utf-8")

    def write(self, text: str) -> None:
        """Append a line, where the log is on."""
        from tinyml.report.escape import printable

        if self._file is not None:
            self._file.write(f"{printable(text)}\n")
            self._file.flush()


def _show_progress(progress: Display | None, event: SessionEvent) -> None:
    if progress is not None and isinstance(event, Played):
        progress.update(event.name, event.done, event.total)


def _wall_clock(at: float) -> str:
    """Return when it was `at` on the monotonic clock: local time, ISO 8601 with milliseconds."""
    seconds = time.time() - (time.monotonic() - at)
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="milliseconds")
