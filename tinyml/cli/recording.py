"""The body of `tinyml capture`: countdown, level, questions and files around each recording."""

from __future__ import annotations

import itertools
import math
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyml import device, features, tasks
from tinyml.datasets import clips
from tinyml.datasets.clips import Clip
from tinyml.device import DeviceInfo, SensorRecording
from tinyml.errors import EXIT_COMPARISON_FAILED, EXIT_PASSED, ConfigError
from tinyml.features import FrontEnd
from tinyml.firmware import boards
from tinyml.measure import playback
from tinyml.monitor import shelf as capture
from tinyml.monitor.shelf import RecordingNotes, Shelf, Take
from tinyml.tasks import Capturing, Task

if TYPE_CHECKING:
    from tinyml.cli.console import Console, Display

_COUNT = 10
_COUNTDOWN_S = 3
_ATTEMPTS = 3  # at one recording, where nobody is asked
_LEVELS = 20  # steps of the level meter


def run(args: Namespace, console: Console) -> int:
    """Do what the arguments say; returns the exit code."""
    task = tasks.load(args.task)
    if task.capturing is None:
        raise ConfigError(f"recordings for {args.task} cannot be made by a device")
    _check(args)
    board = boards.load(args.board)
    with device.connect(
        board, args.port, on_log=lambda text: console.note(f"log: {text}")
    ) as connection:
        _require_sensor(connection.info, args.task, task)
        session = _Session(args, console, task, task.capturing, connection)
        if args.longest:
            session.say_longest()
            return EXIT_PASSED
        return session.run()


def _check(args: Namespace) -> None:
    for name in ("label", "out"):
        if getattr(args, name) is None and not args.longest:
            raise ConfigError(f"--{name} is missing", "see: tinyml capture --help")
    capture.require_name("speaker", args.speaker)
    if args.label is not None:
        capture.require_name("label", args.label)


def _require_sensor(info: DeviceInfo, name: str, task: Task) -> None:
    """Raise ConfigError unless the device hears or feels what the task needs."""
    wanted = int(task.features.params["sample_rate_hz"])
    other = info.features != task.features.name
    assert task.capturing is not None
    if other or (not task.capturing.whole and info.sample_rate_hz != wanted):
        has = f"{info.features} at {info.sample_rate_hz:,} Hz" if info.features else "no sensor"
        raise ConfigError(
            f"{name} needs {task.features.name} at {wanted:,} Hz; the firmware of {info.board} "
            f"({info.model}) has {has}",
            f"tinyml flash {name} --board {info.board}",
        )


@dataclass(frozen=True)
class _Wanted:
    """One recording to make: `clip` is what is played, None for a real sensor."""

    count: int
    clip: Clip | None


class _Session:
    """Recordings of one label, one after the other."""

    def __init__(
        self,
        args: Namespace,
        console: Console,
        task: Task,
        capturing: Capturing,
        connection: device.Device,
    ) -> None:
        self._args = args
        self._console = console
        self._capturing = capturing
        self._connection = connection
        info = connection.info  # a camera says itself which pictures it takes
        self._front_end = (
            playback.front_end_of(info) if capturing.whole else features.load(task.features)
        )
        self._asks = not args.yes and sys.stdin.isatty() and not connection.info.is_virtual
        self._kept: list[dict[str, Any]] = []
        self._refused: list[dict[str, Any]] = []

    def say_longest(self) -> None:
        """Measure the line and say how long a recording may be."""
        longest, line, needed = self._longest()
        info = self._connection.info
        if self._args.json:
            facts = {"board": info.board, "line_bytes_per_s": line, "sensor_bytes_per_s": needed}
            self._console.json("capture", {**facts, "longest_s": longest})
            return
        how = "any length" if longest is None else f"at most {_tenths(longest)} s"
        self._console.print(
            f"{info.board}: the line carries {line / 1000:,.0f} kB/s, the sensor gives "
            f"{needed / 1000:,.1f} kB/s: a recording may have {how}"
        )

    def _longest(self) -> tuple[float | None, float, int]:
        rate_hz, channels = self._front_end.rate_hz, self._front_end.channels
        line = self._connection.line_rate()
        room = self._connection.room(channels)
        return capture.longest_s(rate_hz, channels, room, line), line, rate_hz * channels * 2

    def run(self) -> int:
        """Record, ask and write until there are enough, or a person ends it."""
        args, info = self._args, self._connection.info
        if info.is_virtual and not args.source:
            raise ConfigError(
                f"the firmware of {info.board} has a virtual sensor, which gives nothing by itself",
                "play recordings to it: --source FILE...",
            )
        if not info.is_virtual and not self._capturing.whole:
            self._check_length()
        shelf = Shelf(args.out, self._capturing, args.label, args.speaker)
        wanted = self._wanted()
        self._console.note(f"{info.board} records {args.label}: {shelf.count()} are there already")
        for number, recording in enumerate(wanted, 1):
            if not self._make(shelf, recording, f"{number} of {len(wanted)}"):
                break
        return self._sum_up(shelf, len(wanted))

    def _wanted(self) -> list[_Wanted]:
        args = self._args
        seconds = args.seconds or self._capturing.seconds
        if not args.source:
            count = round(seconds * self._front_end.rate_hz)
            count = self._front_end.samples_for(1) if self._capturing.whole else count
            return [_Wanted(count, None)] * (args.count or _COUNT)
        played: Sequence[Clip] = clips.load(args.source, self._front_end, [args.label])
        played = played[: args.count] if args.count else played
        seconds = None if self._capturing.whole else args.seconds
        return [self._padded(clip, seconds) for clip in played]

    def _padded(self, clip: Clip, seconds: float | None) -> _Wanted:
        """A source as long as was asked for: what is missing is a pause."""
        rate_hz = self._front_end.rate_hz
        count = len(clip.samples) if seconds is None else round(seconds * rate_hz)
        missing = max(0, count - len(clip.samples))
        pause = self._front_end.pause(missing, clip.samples)
        samples = np.concatenate([clip.samples, pause])[:count]
        return _Wanted(count, Clip(clip.name, clip.said, samples))

    def _check_length(self) -> None:
        longest, _, _ = self._longest()
        seconds = self._args.seconds or self._capturing.seconds
        if longest is not None and seconds > longest:
            raise ConfigError(
                f"the line of {self._connection.info.board} is slower than its sensor: a recording "
                f"may have at most {_tenths(longest)} s, not {seconds:g}",
                f"--seconds {_tenths(longest)}",
            )
        if longest is not None:
            self._console.note(
                f"recordings of up to {_tenths(longest)} s fit into the device's memory"
            )

    def _make(self, shelf: Shelf, wanted: _Wanted, which: str) -> bool:
        """Make one recording, again where it has to be; return whether to go on."""
        name = wanted.clip.name if wanted.clip else which
        for attempt in itertools.count(1):
            take = capture.judge(
                self._record(wanted, which),
                self._front_end,
                self._capturing,
                self._args.label,
                trim=not self._args.no_trim,
            )
            if take.refused:
                self._console.note(f"{name} is of no use: {take.refused}")
            answer = self._ask(take)
            if answer == "q":
                return False
            if answer == "keep":
                self._keep(shelf, take, wanted)
                return True
            if self._asks:
                continue
            lost = take.overruns or take.lost
            if attempt == _ATTEMPTS or (wanted.clip is not None and not lost):
                break  # what is played would be the same again
            self._console.note(f"again ({attempt} of {_ATTEMPTS - 1})")
        self._refused.append({"source": name, "reason": take.refused})
        return True

    def _ask(self, take: Take) -> str:
        """What becomes of a take: "keep", "r" for again, "q" for the end of all."""
        if not self._asks:
            return "r" if take.refused else "keep"
        if not take.refused:
            self._console.note(self._summary(take))
        choices = "" if take.refused else "Enter keeps it, "
        try:
            answer = input(f"{choices}r records again, q ends: ").strip().lower()[:1]
        except EOFError:  # Ctrl-D: there will be no more answers
            return "q"
        if answer == "q":
            return "q"
        return "r" if answer == "r" or take.refused else "keep"

    def _record(self, wanted: _Wanted, which: str) -> SensorRecording:
        front_end = self._front_end
        played = wanted.clip.samples if wanted.clip else None
        label = f"{self._args.label} {which}"
        with self._console.progress(label) as shown:
            if played is None:
                self._count_down(shown)
            meter = _Meter(self._capturing, front_end, shown, wanted.count)
            return self._connection.record(
                wanted.count, front_end.rate_hz, front_end.channels, played, meter.take
            )

    def _count_down(self, shown: Display) -> None:
        for seconds in range(_COUNTDOWN_S, 0, -1):
            shown.update(f"in {seconds}")
            time.sleep(1)

    def _keep(self, shelf: Shelf, take: Take, wanted: _Wanted) -> None:
        info = self._connection.info
        notes = RecordingNotes(
            task=self._args.task,
            label=self._args.label,
            speaker=self._args.speaker,
            board=info.board,
            sensor=info.sensor,
            firmware=f"tinyml {info.version}, {info.model}, runtime {info.runtime}",
            model_sha256=info.sha256,
            source=wanted.clip.name if wanted.clip else "",
            rate_hz=self._front_end.rate_hz,
            channels=self._front_end.channels,
            recorded=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )
        document = capture.described(notes, take)
        path = shelf.put(self._front_end, take.samples, document)
        self._kept.append({"path": path, **document})
        if not self._args.json:
            self._console.print(f"{path}  {self._summary(take)}")
            self._console.flush()

    def _summary(self, take: Take) -> str:
        text = f"{take.seconds:5.2f} s  level {take.level:.0%}"
        return f"{text}  ({take.remark})" if take.remark else text

    def _sum_up(self, shelf: Shelf, wanted: int) -> int:
        if self._args.json:
            self._console.json("capture", {"kept": self._kept, "refused": self._refused})
        else:
            self._console.print(
                f"{len(self._kept)} of {wanted} recordings kept; {shelf.folder} has {shelf.count()}"
            )
        return EXIT_PASSED if len(self._kept) == wanted else EXIT_COMPARISON_FAILED


def _tenths(seconds: float) -> str:
    """Return `seconds` rounded down, as a person may ask for them."""
    return f"{math.floor(seconds * 10) / 10:g}"


class _Meter:
    """Shows how loud or lively it is while samples come."""

    def __init__(
        self, capturing: Capturing, front_end: FrontEnd, shown: Display, total: int
    ) -> None:
        self._capturing = capturing
        self._channels = front_end.channels
        self._rate_hz = front_end.rate_hz
        self._shown = shown
        self._total = total
        self._done = 0

    def take(self, values: Any) -> None:
        """Take what came, int16 interleaved by channel."""
        self._done += len(values) // self._channels
        shaped = values if self._channels == 1 else values.reshape(-1, self._channels)
        full = round(self._capturing.level(shaped) * _LEVELS)
        bar = "#" * full + "." * (_LEVELS - full)
        self._shown.update(f"{bar} {self._done / self._rate_hz:.1f} s", self._done, self._total)
