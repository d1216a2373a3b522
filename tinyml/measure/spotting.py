"""Keyword spotting in a continuous stream: false rejects and false accepts per hour by threshold.

Words in a background go through front end, model and recognizer. The stream runs once in each
source of scores (host or device); the recognizer then goes over the scores again for each
threshold, which is exact: thresholds come after the model.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import features, tasks, tflite
from tinyml.datasets import SILENCE, TEST, VALIDATION, Dataset, Recording, clips
from tinyml.datasets.clips import Samples
from tinyml.errors import DataError
from tinyml.features import Event, FrontEnd, Recognizer
from tinyml.measure import evaluate
from tinyml.measure.stream_reference import Listener, require_listening
from tinyml.model import leakage
from tinyml.model.metrics import OperatingPoint
from tinyml.records import Bundle

Array = npt.NDArray[Any]
OnProgress = Callable[[float, float], None]
Sound = npt.NDArray[np.float32]
Score = tuple[int, Array]  # the sample after the last that an inference saw, and its raw scores
Hear = Callable[[Samples, Callable[[int], None]], Iterator[Score]]
_GAP_S = (1.0, 3.0)  # after each clip
_QUIETER_DB = (-12.0, 0.0)  # of the background, against how it was recorded
_SNR_DB = (5.0, 20.0)  # loudness of a word above the background it is laid over
_CHUNK_S = 1.0


@dataclass(frozen=True)
class StreamSource:
    """Somewhere the stream is heard: samples in, a score for every inference out."""

    name: str
    hear: Hear


@dataclass(frozen=True)
class Spoken:
    """A clip in the stream, from sample `start` to `end`."""

    label: str
    start: int
    end: int


@dataclass(frozen=True)
class Scene:
    """A stream and what is said in it. `background_s`: seconds of it that are different ones."""

    samples: Samples
    spoken: tuple[Spoken, ...]
    background_s: float


@dataclass(frozen=True)
class WordResult:
    """One word at the card's threshold: `confused` of the `missed` were taken for another."""

    label: str
    spoken: int
    missed: int
    confused: int


@dataclass(frozen=True)
class StreamSourceResult:
    """`different`: inferences whose scores are not those of the first place."""

    on: str
    inferences: int
    different: int
    real_time_factor: float


@dataclass(frozen=True)
class SpottingReport:
    """Recognition in a stream. JSON document `tinyml.spotting/1`.

    `background_s`: seconds of recorded background in it that are not repetitions; 0.0 where pauses
    part the clips. `points`: by threshold; `card`: at that of the model's card; `advised`: the
    one that was best in a stream of the part `chosen_on`, with at most `most_per_hour` false
    accepts per hour there. `latency_ms`: from a word's last
    sample to its event, which a clip's trailing silence makes negative. `passed`: all places gave
    the same scores. `learned`: how many recordings of the part the model learned from, which were
    left out of the test part; None where its bundle does not say.
    """

    passed: bool
    model: str
    sha256: str
    data: str
    part: str
    on: str
    stream_s: float
    background_s: float
    seed: int
    places: tuple[StreamSourceResult, ...]
    words: tuple[WordResult, ...]
    points: tuple[OperatingPoint, ...]
    card: OperatingPoint
    most_per_hour: float
    advised: OperatingPoint | None
    chosen_on: str
    latency_ms: tuple[int, ...]
    learned: int | None = None


def evaluate_stream(
    bundle: Bundle,
    dataset: Dataset,
    sources: Sequence[StreamSource],
    *,
    part: str = TEST,
    minutes: float = 10.0,
    seed: int = 0,
    most_per_hour: float = 1.0,
    on_progress: OnProgress | None = None,
) -> SpottingReport:
    """Lay recordings of a part into a stream of about `minutes` and measure what is recognised.

    A threshold is chosen in another such stream, of the validation part, which the first of
    `sources` hears as well. Raises ConfigError for a bundle that is not made for streams, DataError
    without recordings.
    """
    config, settings = require_listening(bundle)
    front_end = features.load(config)
    chosen = leakage.evaluation_set(bundle, dataset, part)
    stream = scene(chosen.recordings, bundle, front_end, minutes, seed)
    sounds = [_hear(source, stream, on_progress) for source in sources]
    scores = sounds[0][0]
    judged = _Judge(bundle, stream, front_end)
    points = tuple(judged.point(t, scores) for t in evaluate.THRESHOLDS)
    card = judged.point(settings.threshold, scores)
    other: tuple[OperatingPoint, ...] = ()
    if part == TEST:
        listen = functools.partial(_hear, sources[0], on_progress=on_progress)
        other = _validation(bundle, dataset, stream, listen, minutes, seed)
    advised, chosen_on = evaluate.advise(points, other, part, most_per_hour)
    words, latency_ms = judged.words(settings.threshold, scores)
    stream_s = len(stream.samples) / front_end.rate_hz
    results = tuple(
        StreamSourceResult(
            source.name, len(heard), _different(heard, scores), stream_s / max(seconds, 1e-9)
        )
        for source, (heard, seconds) in zip(sources, sounds, strict=True)
    )
    return SpottingReport(
        passed=not any(result.different for result in results),
        model=bundle.name,
        sha256=bundle.sha256,
        data=dataset.source,
        part=part,
        on=results[0].on,
        stream_s=stream_s,
        background_s=stream.background_s,
        seed=seed,
        places=results,
        words=words,
        points=points,
        card=card,
        most_per_hour=most_per_hour,
        advised=advised,
        chosen_on=chosen_on,
        latency_ms=latency_ms,
        learned=chosen.learned,
    )


def _validation(
    bundle: Bundle,
    dataset: Dataset,
    tested: Scene,
    listen: Callable[[Scene], tuple[list[Score], float]],
    minutes: float,
    seed: int,
) -> tuple[OperatingPoint, ...]:
    """What thresholds do to a stream of the validation part.

    Nothing where there is none, or only pauses part its clips and not those of `tested`.
    """
    front_end = features.load(require_listening(bundle)[0])
    try:
        chosen = leakage.evaluation_set(bundle, dataset, VALIDATION)
        stream = scene(chosen.recordings, bundle, front_end, minutes, seed)
    except DataError:
        return ()
    if tested.background_s and not stream.background_s:
        return ()
    scores, _ = listen(stream)
    judged = _Judge(bundle, stream, front_end)
    return tuple(judged.point(t, scores) for t in evaluate.THRESHOLDS)


def on_host(bundle: Bundle, where: evaluate.Executor) -> StreamSource:
    """Return the host's own stream, whose model runs at `where`."""

    def hear(samples: Samples, on_sent: Callable[[int], None]) -> Iterator[Score]:
        listener = Listener(bundle, where.run)
        chunk = round(_CHUNK_S * features.load(require_listening(bundle)[0]).rate_hz)
        for start in range(0, len(samples), chunk):
            for inference in listener.push(samples[start : start + chunk]):
                yield inference.sample, np.frombuffer(inference.scores, np.int8)
            on_sent(start + chunk)

    return StreamSource(where.name, hear)


def on_device(device: Any, name: str) -> StreamSource:
    """Return the stream of a connected device's virtual sensor."""

    def hear(samples: Samples, on_sent: Callable[[int], None]) -> Iterator[Score]:
        for reading in device.stream(samples, on_sent=on_sent):
            yield reading.sample, np.asarray(reading.scores, np.int8).reshape(-1)

    return StreamSource(name, hear)


def scene(
    recordings: Sequence[Recording], bundle: Bundle, front_end: FrontEnd, minutes: float, seed: int
) -> Scene:
    """Return a stream in which the clips of `recordings` follow one another in drawn order.

    Where there are long recordings, they repeat as the background of all of the stream, and clips
    are laid over it, louder by 5 to 20 dB; otherwise pauses part the clips, and the stream ends
    with the last of them. Raises DataError where there is nothing to play.
    """
    read = tasks.load(bundle.task).samples
    draw = np.random.default_rng(seed)
    backgrounds = [read(recording) for recording in recordings if recording.long]
    clip_recordings = [
        recording  # a clip of silence would only be a little more of a recorded background
        for recording in recordings
        if not recording.long and not (backgrounds and recording.label == SILENCE)
    ]
    if not clip_recordings:
        raise DataError("there are no recordings to make a stream of", "take all: --part all")
    length = round(minutes * 60 * front_end.rate_hz)
    parts: list[Samples] = []
    spoken: list[Spoken] = []
    at = 0
    for number in draw.permutation(len(clip_recordings)):
        samples = read(clip_recordings[number])
        gap = clips.whole_rows(round(draw.uniform(*_GAP_S) * front_end.rate_hz), front_end)
        if spoken and at + len(samples) + gap > length:
            break
        parts += [samples, front_end.pause(gap, samples)]
        spoken.append(Spoken(clip_recordings[number].label, at, at + len(samples)))
        at += len(samples) + gap
    if not backgrounds:
        return Scene(np.concatenate(parts), tuple(spoken), 0.0)
    parts.append(np.zeros_like(parts[0], shape=(max(0, length - at), *parts[0].shape[1:])))
    speech = np.concatenate(parts)
    background = _repeated(backgrounds, len(speech), draw)
    mixed = _over(background, speech, spoken, front_end.rate_hz, draw)
    return Scene(mixed, tuple(spoken), sum(map(len, backgrounds)) / front_end.rate_hz)


def _repeated(backgrounds: Sequence[Samples], length: int, draw: np.random.Generator) -> Sound:
    """The recordings one after the other, again and again, each time at another volume."""
    sound = np.empty((length, *backgrounds[0].shape[1:]), np.float32)
    at = 0
    while at < length:
        for recorded in backgrounds:
            part = recorded[: length - at]
            sound[at : at + len(part)] = part * 10 ** (draw.uniform(*_QUIETER_DB) / 20)
            at += len(part)
    return sound


def _over(
    background: Sound,
    speech: Samples,
    spoken: Sequence[Spoken],
    rate_hz: int,
    draw: np.random.Generator,
) -> Samples:
    """Add each clip to the background around it, in place, at a drawn ratio of their loudness."""
    for word in spoken:
        clip = speech[word.start : word.end].astype(np.float32)
        around = background[word.start : word.end]
        loudness = max(_loudness(around, rate_hz), 1.0) * 10 ** (draw.uniform(*_SNR_DB) / 20)
        around += clip * (loudness / max(_loudness(clip, rate_hz), 1.0))
    samples: Samples = np.clip(np.rint(background), -32768, 32767).astype(np.int16)
    return samples


def _loudness(samples: Array, rate_hz: int) -> float:
    """The RMS of the loudest quarter of a second."""
    block = max(1, min(len(samples), rate_hz // 4))
    power = samples[: len(samples) // block * block].reshape(-1, block) ** 2
    return float(np.sqrt(power.mean(axis=1).max(initial=0.0)))


def _hear(
    where: StreamSource, stream: Scene, on_progress: OnProgress | None
) -> tuple[list[Score], float]:
    """Return all scores of a place and the seconds that they took."""
    began = time.monotonic()
    total = len(stream.samples)

    def on_sent(arrived: int) -> None:
        if on_progress is not None:
            on_progress(min(arrived, total), total)

    scores = list(where.hear(stream.samples, on_sent))
    return scores, time.monotonic() - began


def _different(scores: Sequence[Score], first: Sequence[Score]) -> int:
    """How many inferences are missing, too many, elsewhere, or have other scores."""
    pairs = zip(scores, first, strict=False)
    equal = sum(
        score[0] == other[0] and bool((score[1] == other[1]).all()) for score, other in pairs
    )
    return max(len(scores), len(first)) - equal


@dataclass(frozen=True)
class _Outcome:
    """What became of the words at one threshold. `hit`: word -> sample of its event."""

    hit: Mapping[int, int]
    confused: frozenset[int]
    accepted: int


class _Judge:
    """Lays the events of any threshold beside what was said."""

    def __init__(self, bundle: Bundle, stream: Scene, front_end: FrontEnd) -> None:
        _, self._settings = require_listening(bundle)
        graph = tflite.read(bundle.model, bundle.name)
        taken, output = (graph.tensors[i] for i in (graph.inputs[0], graph.outputs[0]))
        self._labels, self._output, self._rate_hz = bundle.labels, output.info, front_end.rate_hz
        quiet = {bundle.labels[index] for index in self._settings.background}
        self._words = [clip for clip in stream.spoken if clip.label not in quiet]
        self._starts = [word.start for word in self._words]
        window = front_end.samples_for(taken.bytes // front_end.row_bytes)
        stride = front_end.samples_for(1 + self._settings.stride_frames) - front_end.samples_for(1)
        # An event may come when half of the word has left the window, averaged over inferences.
        self._late = window // 2 + self._settings.average * stride
        inside = sum(word.end - word.start + self._late for word in self._words)
        self._hours = max(0, len(stream.samples) - inside) / front_end.rate_hz / 3600

    def point(self, threshold: float, scores: Sequence[Score]) -> OperatingPoint:
        """Return what `threshold` does."""
        outcome = self._outcome(threshold, scores)
        return OperatingPoint.of(
            threshold,
            spoken=len(self._words),
            rejected=len(self._words) - len(outcome.hit),
            confused=len(outcome.confused),
            accepted=outcome.accepted,
            hours=self._hours,
        )

    def words(
        self, threshold: float, scores: Sequence[Score]
    ) -> tuple[tuple[WordResult, ...], tuple[int, ...]]:
        """Return each word's results, and after how many ms each recognised one was."""
        outcome = self._outcome(threshold, scores)
        results = []
        for label in sorted({word.label for word in self._words}):
            of_label = [i for i, word in enumerate(self._words) if word.label == label]
            missed = [i for i in of_label if i not in outcome.hit]
            results.append(
                WordResult(
                    label, len(of_label), len(missed), len(outcome.confused.intersection(missed))
                )
            )
        late = (at - self._words[i].end for i, at in sorted(outcome.hit.items()))
        return tuple(results), tuple(round(1000 * samples / self._rate_hz) for samples in late)

    def _outcome(self, threshold: float, scores: Sequence[Score]) -> _Outcome:
        hit: dict[int, int] = {}
        confused: set[int] = set()
        accepted = 0
        for event in self._events(threshold, scores):
            word = bisect.bisect_left(self._starts, event.sample_index) - 1
            if word < 0 or event.sample_index > self._words[word].end + self._late:
                accepted += 1
            elif self._words[word].label != event.label:
                confused.add(word)
            elif word in hit:
                accepted += 1  # said once, recognised twice
            else:
                hit[word] = event.sample_index
        return _Outcome(hit, frozenset(confused) - set(hit), accepted)

    def _events(self, threshold: float, scores: Sequence[Score]) -> Iterator[Event]:
        settings = dataclasses.replace(self._settings, threshold=threshold)
        recognizer = Recognizer(settings, self._labels, self._output, self._rate_hz)
        for sample, raw in scores:
            if (event := recognizer.push(raw, sample)) is not None:
                yield event
