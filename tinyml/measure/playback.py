"""Streaming validation: recordings played into a device's virtual sensor, each inference proved.

Clips in, a `StreamReport` out. Every inference of the device is compared with the host's
(`stream_reference`).
"""

from __future__ import annotations

import bisect
import dataclasses
import statistics
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from tinyml import features
from tinyml.datasets.clips import Clip, joined
from tinyml.device import StreamTotals, mismatch
from tinyml.device.mismatch import SettingMismatch
from tinyml.features import Event, FrontEnd, Recognizer
from tinyml.measure.stream_reference import Comparison, Listener, of_device
from tinyml.measure.validate import require_model
from tinyml.records import Bundle, FeatureConfig, StreamConfig

if TYPE_CHECKING:
    from tinyml.device import Device, DeviceInfo, Reading

Array = NDArray[Any]
Run = Callable[[Sequence[Array]], Sequence[Array]]
GAP_S = 1.0


@dataclass(frozen=True)
class ClipResult:
    """What came of a clip: its events, and whether they are the one that was said.

    `start_s`: where it starts in the stream. `right` is None where nobody knows what was said, or a
    result that might have told never arrived; a clip of a background label is right when nothing
    was recognised.
    """

    name: str
    said: str | None
    start_s: float
    heard: tuple[Event, ...]
    right: bool | None


@dataclass(frozen=True)
class StreamReport:
    """The stream in figures. JSON document `tinyml.stream/1` has exactly these fields.

    `inferences`: as the host expects them; `mismatched`: of them, those whose number, sample, score
    bytes or event the device reports otherwise; `first_mismatch` says in words. `lost`: of them,
    those that the device made and the line lost for good, of which nothing is known; `resent`:
    those that came on the second asking. `passed`: all arrived and all are equal. Where nothing was
    `proved`, `inferences` were only counted and `mismatched` is 0.
    `real_time_factor`: seconds of the stream per second. `counter_*`: per inference, in
    `counter_unit`; `front_counter_per_stride`: the front end's cost for each of its strides of
    `stride_ms`, median; 0 ms where rows come when they come, as strokes do. `dropped`: samples the
    device lost. `settings`: what the firmware was built with that is not what the model's bundle
    says.
    """

    passed: bool
    proved: bool
    model: str
    sha256: str
    board: str
    runtime: str
    sample_rate_hz: int
    stream_s: float
    real_time_factor: float
    clips: tuple[ClipResult, ...]
    right: int
    judged: int
    inferences: int
    mismatched: int
    first_mismatch: str
    dropped: int
    counter_unit: str
    counter_min: int
    counter_median: int
    counter_max: int
    stride_ms: int
    front_counter_per_stride: int
    settings: tuple[SettingMismatch, ...] = ()
    lost: int = 0
    resent: int = 0


def judge(
    clips: Sequence[Clip],
    starts: Sequence[int],
    heard: Sequence[Event],
    silent: Collection[str],
    rate_hz: int,
    gaps: Sequence[tuple[int, int]] = (),
) -> tuple[ClipResult, ...]:
    """Give every event to the clip in which, or after which, it came, and judge the clip.

    `starts` are the clips' first samples; labels in `silent` are said by making no event. `gaps`:
    the samples before and after results that never arrived; what they cover cannot be told wrong.
    """
    ends = [*starts[1:], None]
    results = []
    for clip, start, end in zip(clips, starts, ends, strict=True):
        events = tuple(
            event
            for event in heard
            if start < event.sample_index and (end is None or event.sample_index <= end)
        )
        wanted = [] if clip.said in silent else [clip.said]
        right = None if clip.said is None else [event.label for event in events] == wanted
        if any(start < after and (end is None or before < end) for before, after in gaps):
            right = right or None
        results.append(ClipResult(clip.name, clip.said, start / rate_hz, events, right))
    return tuple(results)


class Play:
    """Clips, each followed by a pause of GAP_S, on their way through a device.

    Iterate once for its readings; `report` says what came of the clips played so far.
    """

    def __init__(
        self,
        device: Device,
        clips: Sequence[Clip],
        *,
        against: Bundle | None = None,
        run: Run | None = None,
        paced: bool = False,
        threshold: float | None = None,
        on_sent: Callable[[int], None] | None = None,
    ) -> None:
        """With `against`, every inference is compared with what the host computes for that model.

        `run`: as for `Listener`. `paced`: as fast as a real sensor would give samples and no
        faster. `threshold`: as for `recognised`. `on_sent` gets how many samples have arrived.
        Raises DeviceError for another model than `against`.
        """
        if against is not None:
            require_model(device, against)
        self._front_end = front_end_of(device.info)
        gap = round(GAP_S * self._front_end.rate_hz)
        self.clips = clips
        self.samples, self.starts = joined(clips, gap, self._front_end)
        self._info = device.info
        self._built = () if against is None else mismatch.of_settings(device.info, against)
        self._readings: list[Reading] = []
        self._heard: list[Event] = []
        self._gaps: list[tuple[int, int]] = []  # samples around results that never arrived
        self._threshold = threshold
        self._comparison = Comparison(
            None if against is None else Listener(against, run).push(self.samples)
        )
        self._stream = device.stream(self.samples, paced=paced, on_sent=on_sent)
        self.stop = self._stream.stop
        self.status = self._stream.status

    def __iter__(self) -> Iterator[Reading]:
        for reading in recognised(self._stream, self._info, self._threshold):
            before = self._readings[-1] if self._readings else None
            if reading.number != (before.number + 1 if before else 0):
                self._gaps.append((before.sample if before else 0, reading.sample))
            self._readings.append(reading)
            actual = of_device(reading, self._info.outputs[0])
            self._comparison.take(actual)
            if actual.heard is not None:
                self._heard.append(actual.heard)
            yield reading
        totals = self._stream.totals
        self._comparison.finish(totals.results if totals is not None else 0)
        last = self._readings[-1] if self._readings else None
        if totals is not None and totals.results > (last.number + 1 if last else 0):
            self._gaps.append((last.sample if last else 0, totals.samples))

    def clip_at(self, sample: int) -> int:
        """Return the number of the clip, or of the one before the pause, that `sample` is of."""
        return max(0, bisect.bisect_right(self.starts, sample) - 1)

    @property
    def finished(self) -> int:
        """How many clips and their pauses the device has been through."""
        totals = self._stream.totals
        last = self._readings[-1].sample if self._readings else 0
        reached = last if totals is None else totals.samples
        return sum(end <= reached for end in [*self.starts[1:], len(self.samples)])

    def report(self) -> StreamReport:
        """Return what came of the clips that are finished; all of them when the stream has ended.

        Of a stream that broke, only what the readings say is known.
        """
        info, count = self._info, self.finished
        end = [*self.starts, len(self.samples)][count]
        results = judge(
            self.clips[:count],
            self.starts[:count],
            [event for event in self._heard if event.sample_index <= end],
            silent_labels(info),
            info.sample_rate_hz,
            self._gaps,
        )
        totals = self._stream.totals or _totals_of(self._readings)
        return _report(
            info, self._front_end, self._comparison, self._readings, results, totals, self._built
        )


def play(
    device: Device,
    clips: Sequence[Clip],
    *,
    against: Bundle | None = None,
    run: Run | None = None,
    on_progress: Callable[[str, float, float], None] | None = None,
) -> StreamReport:
    """Play `clips` as fast as the line carries them, and report what came of each.

    `against` and `run` as for Play. `on_progress` gets what is played, the samples that have
    arrived and how many there are. Raises DeviceError for another model than `against` or a device
    that fails.
    """

    def on_sent(arrived: int) -> None:
        if on_progress is not None:
            name = clips[playing.clip_at(arrived)].name
            on_progress(name, arrived, len(playing.samples))

    playing = Play(device, clips, against=against, run=run, on_sent=on_sent)
    for _ in playing:
        pass
    return playing.report()


def _totals_of(readings: Sequence[Reading]) -> StreamTotals:
    last = readings[-1] if readings else None
    if last is None:
        return StreamTotals(0, 0, 0, 0, 0.0, 0.0)
    lost = last.number + 1 - len(readings)
    return StreamTotals(last.sample, last.number + 1, last.dropped, lost, 0.0, 0.0)


def recognised(
    readings: Iterable[Reading], info: DeviceInfo, threshold: float | None
) -> Iterator[Reading]:
    """Yield readings with the events of another threshold (0..1) than the device's.

    The threshold comes after the model, so this is exactly what the device would say with it. None
    leaves the device's events. Raises ConfigError for a threshold that is not possible.
    """
    if threshold is None:
        yield from readings
        return
    output = info.outputs[0]
    recognizer = Recognizer(_stream_config(info, threshold), info.labels, output, _rate_of(info))
    for reading in readings:
        event = recognizer.push(reading.scores, reading.sample)
        score = None if event is None else round(event.score / output.scale) + output.zero_point
        yield dataclasses.replace(reading, event=event.label if event else None, score=score)


def _stream_config(info: DeviceInfo, threshold: float) -> StreamConfig:
    """Return how a device turns scores into events, with another threshold."""

    def setting(name: str) -> int:
        return int(info.parameters.get(f"stream.{name}", (0.0,))[0])

    return StreamConfig(
        stride_frames=setting("stride_frames"),
        average=setting("average"),
        threshold=threshold,
        refractory_ms=setting("refractory_ms"),
        background=tuple(int(index) for index in info.parameters.get("stream.background", ())),
        repeats=bool(setting("repeats")),
    )


def _rate_of(info: DeviceInfo) -> int:
    return info.sample_rate_hz or front_end_of(info).rate_hz


def front_end_of(info: DeviceInfo) -> FrontEnd:
    """Return the front end that a device says it has; raises ConfigError for one unknown here."""
    params = {
        name.removeprefix("features."): values[0]
        for name, values in info.parameters.items()
        if name.startswith("features.") and values
    }
    return features.load(FeatureConfig(info.features, params))


def silent_labels(info: DeviceInfo) -> set[str]:
    """Return the labels that never make an event, as the device has them."""
    return {info.labels[int(index)] for index in info.parameters.get("stream.background", ())}


def _report(
    info: DeviceInfo,
    front_end: FrontEnd,
    comparison: Comparison,
    readings: Sequence[Reading],
    clips: tuple[ClipResult, ...],
    totals: StreamTotals,
    built: tuple[SettingMismatch, ...],
) -> StreamReport:
    judged = [clip.right for clip in clips if clip.right is not None]
    counters = [reading.infer_counter for reading in readings] or [0]
    front_counters = [reading.front_counter for reading in readings] or [0]
    strides = max(1, int(info.parameters.get("stream.stride_frames", (1.0,))[0]))
    equal = comparison.compared > 0 and comparison.mismatched == 0
    return StreamReport(
        passed=equal and not comparison.lost and totals.dropped == 0 and not built,
        proved=comparison.proves,
        model=info.model,
        sha256=info.sha256,
        board=info.board,
        runtime=info.runtime,
        sample_rate_hz=info.sample_rate_hz,
        stream_s=totals.samples / info.sample_rate_hz,
        real_time_factor=totals.real_time_factor,
        clips=clips,
        right=sum(judged),
        judged=len(judged),
        inferences=comparison.compared,
        mismatched=comparison.mismatched,
        first_mismatch=comparison.first,
        dropped=totals.dropped,
        counter_unit=info.counter_unit,
        counter_min=min(counters),
        counter_median=statistics.median_low(counters),
        counter_max=max(counters),
        stride_ms=_stride_ms(front_end),
        front_counter_per_stride=statistics.median_low(front_counters) // strides,
        settings=built,
        lost=comparison.lost if comparison.proves else totals.lost_results,
        resent=totals.resent,
    )


def _stride_ms(front_end: FrontEnd) -> int:
    """Return the time from row to row, 0 where only the samples tell."""
    samples = front_end.samples_for(1001) - front_end.samples_for(1)  # no whole number each, maybe
    return round(samples / front_end.rate_hz)
