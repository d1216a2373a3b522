"""Recordings played into a device's virtual sensor, and what came of each of them.

Clips in, a `StreamReport` out. The host runs the same stream through the same front end, the
reference interpreter and the same recognizer: every inference of the device is compared with it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml import features, settings
from tinyml.clips import Clip, Samples, joined
from tinyml.errors import ConfigError
from tinyml.features import Event, FrontEnd, Recognizer
from tinyml.oracle import Oracle
from tinyml.records import Bundle, FeatureConfig, StreamConfig, TensorInfo
from tinyml.settings import Setting
from tinyml.validate import require_model

if TYPE_CHECKING:
    from tinyml.device import Device, DeviceInfo, Reading, StreamTotals

Array = NDArray[Any]
GAP_S = 1.0


@dataclass(frozen=True)
class Inference:
    """One inference of the stream as the host expects it, or as the device reports it."""

    number: int
    sample: int
    scores: bytes
    heard: Event | None


@dataclass(frozen=True)
class ClipResult:
    """What came of a clip: its events, and whether they are the one that was said.

    `start_s`: where it starts in the stream. `right` is None where nobody knows what was said; a
    clip of a background label is right when nothing was recognised.
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
    bytes or event the device reports otherwise or not at all; `first_mismatch` says in words. Where
    nothing was `proved`, `inferences` were only counted and `mismatched` is 0.
    `real_time_factor`: seconds of the stream per second. `counter_*`: per inference, in
    `counter_unit`; `front_counter_per_stride`: the front end's cost for each of its strides of
    `stride_ms`, median. `dropped`: samples the device lost. `settings`: what the firmware was built
    with that is not what the model's bundle says.
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
    settings: tuple[Setting, ...] = ()


def require_listening(bundle: Bundle) -> tuple[FeatureConfig, StreamConfig]:
    """Return how `bundle` listens; raise ConfigError for one that is not made for streams."""
    if bundle.features is None or bundle.stream is None:
        raise ConfigError(
            f"model {bundle.name} does not say how to listen (its card has no stream)",
            "name a bundle of a task; see: tinyml models",
        )
    return bundle.features, bundle.stream


class Listener:
    """The host's twin of a listening device: samples in, the inferences it must report out."""

    def __init__(self, bundle: Bundle) -> None:
        """Raises ConfigError for a bundle that is not made for streams."""
        config, stream = require_listening(bundle)
        self._oracle = Oracle(bundle.model, bundle.name)
        self._shape = self._oracle.inputs[0].shape
        self._front_end = features.load(config)
        output = self._oracle.outputs[0].info
        rate_hz = self._front_end.rate_hz
        self._recognizer = Recognizer(stream, bundle.labels, output, rate_hz)
        self._every = stream.stride_frames
        self._rows = self._oracle.inputs[0].elements // self._front_end.row_bytes
        self._window: list[Array] = []
        self._seen = 0
        self._number = 0

    def push(self, samples: Samples) -> Iterator[Inference]:
        """Take samples and yield the inferences that they complete."""
        for row in self._front_end.push(samples):
            self._window = [*self._window, row][-self._rows :]
            self._seen += 1
            ready = self._seen - self._rows
            if ready >= 0 and ready % self._every == 0:
                yield self._infer()

    def _infer(self) -> Inference:
        sample = self._front_end.samples_for(self._seen)
        scores = self._oracle.run([np.stack(self._window).reshape(self._shape)])[0]
        heard = self._recognizer.push(scores, sample)
        inference = Inference(self._number, sample, scores.tobytes(), heard)
        self._number += 1
        return inference


def judge(
    clips: Sequence[Clip],
    starts: Sequence[int],
    heard: Sequence[Event],
    silent: Collection[str],
    rate_hz: int,
) -> tuple[ClipResult, ...]:
    """Give every event to the clip in which, or after which, it came, and judge the clip.

    `starts` are the clips' first samples; labels in `silent` are said by making no event.
    """
    ends = [*starts[1:], None]
    results = []
    for clip, start, end in zip(clips, starts, ends, strict=True):
        own = tuple(
            one
            for one in heard
            if start < one.sample_index and (end is None or one.sample_index <= end)
        )
        wanted = [] if clip.said in silent else [clip.said]
        right = None if clip.said is None else [one.label for one in own] == wanted
        results.append(ClipResult(clip.name, clip.said, start / rate_hz, own, right))
    return tuple(results)


def play(
    device: Device,
    clips: Sequence[Clip],
    *,
    against: Bundle | None = None,
    on_progress: Callable[[str, float, float], None] | None = None,
    on_heard: Callable[[Event], None] | None = None,
) -> StreamReport:
    """Play `clips`, each followed by a pause of GAP_S, and report what came of each.

    With `against`, every inference is compared with what the host computes for that model.
    `on_progress` gets what is played, the samples that have arrived and how many there are;
    `on_heard` every event as it is recognised. Raises DeviceError for another model than `against`
    or a device that fails.
    """
    if against is not None:
        require_model(device, against)
    front_end = front_end_of(device.info)
    samples, starts = joined(clips, round(GAP_S * front_end.rate_hz), front_end)

    def on_sent(arrived: int) -> None:
        if on_progress is not None:
            playing = int(np.searchsorted(starts, arrived, "right")) - 1
            on_progress(clips[playing].name, arrived, len(samples))

    comparison = Comparison(None if against is None else Listener(against).push(samples))
    stream = device.stream(samples, on_sent=on_sent)
    readings, heard = [], []
    for reading in stream:
        readings.append(reading)
        actual = of_device(reading, device.info.outputs[0])
        comparison.take(actual)
        if actual.heard is not None:
            heard.append(actual.heard)
            if on_heard is not None:
                on_heard(actual.heard)
    comparison.finish()
    assert stream.totals is not None  # the stream has ended
    results = judge(clips, starts, heard, silent_labels(device.info), device.info.sample_rate_hz)
    built = () if against is None else settings.differing(device.info, against)
    return _report(device.info, front_end, comparison, readings, results, stream.totals, built)


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
    built: tuple[Setting, ...],
) -> StreamReport:
    judged = [clip.right for clip in clips if clip.right is not None]
    counters = [reading.infer_counter for reading in readings] or [0]
    front_counters = [reading.front_counter for reading in readings] or [0]
    strides = int(info.parameters["stream.stride_frames"][0])  # between two inferences
    equal = comparison.compared > 0 and comparison.mismatched == 0
    return StreamReport(
        passed=equal and totals.dropped == 0 and not built,
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
    )


def _stride_ms(front_end: FrontEnd) -> int:
    samples = front_end.samples_for(1001) - front_end.samples_for(1)  # no whole number each, maybe
    return round(samples / front_end.rate_hz)


def of_device(reading: Reading, output: TensorInfo) -> Inference:
    """Return what the device reports in the host's terms; `output` describes its scores."""
    heard = None
    if reading.event is not None and reading.score is not None:
        score = (reading.score - output.zero_point) * output.scale
        heard = Event(reading.event, score, reading.sample)
    return Inference(reading.number, reading.sample, reading.scores.tobytes(), heard)


class Comparison:
    """Pairs what the device reports with what the host expects, by number.

    Without anything expected, inferences are only counted.
    """

    def __init__(self, expected: Iterator[Inference] | None) -> None:
        self._expected = expected
        self.proves = expected is not None
        self.compared = 0
        self.mismatched = 0
        self.first = ""

    def take(self, actual: Inference) -> None:
        """Compare the next inference that the device reports; what it skipped is missing."""
        if self._expected is None:
            self.compared += 1
            return
        for expected in self._expected:
            if expected.number == actual.number:
                self._compare(expected, actual)
                return
            self._compare(expected, None)
        self._compare(None, actual)

    def finish(self) -> None:
        """Count what the device should have reported as well."""
        for expected in self._expected or ():
            self._compare(expected, None)

    def _compare(self, expected: Inference | None, actual: Inference | None) -> None:
        self.compared += 1
        if expected != actual:
            self.mismatched += 1
            self.first = self.first or f"expected {_words(expected)}, got {_words(actual)}"


def _words(inference: Inference | None) -> str:
    if inference is None:
        return "none"
    scores = np.frombuffer(inference.scores, np.int8).tolist()
    heard = f", heard {inference.heard.label}" if inference.heard else ""
    return f"inference {inference.number} at sample {inference.sample} with {scores}{heard}"
