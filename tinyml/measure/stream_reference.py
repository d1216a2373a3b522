"""The reference of a stream: what a listening device must report, and where it reports otherwise.

The host runs the same samples through the same front end, the reference interpreter and the same
recognizer; what a device reports is paired with that by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml import features
from tinyml.datasets.clips import Samples
from tinyml.errors import ConfigError
from tinyml.features import Event, Recognizer
from tinyml.model.oracle import Oracle
from tinyml.records import Bundle, FeatureConfig, StreamConfig, TensorInfo

if TYPE_CHECKING:
    from tinyml.device import Reading

Array = NDArray[Any]
Run = Callable[[Sequence[Array]], Sequence[Array]]


@dataclass(frozen=True)
class StreamInference:
    """One inference of the stream as the host expects it, or as the device reports it."""

    number: int
    sample: int
    scores: bytes
    heard: Event | None


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

    def __init__(self, bundle: Bundle, run: Run | None = None) -> None:
        """`run` takes the model's inputs and returns its outputs, instead of the reference.

        Raises ConfigError for a bundle that is not made for streams.
        """
        config, stream = require_listening(bundle)
        oracle = Oracle(bundle.model, bundle.name)
        taken, output = oracle.inputs[0], oracle.outputs[0]
        self._run = run or oracle.step  # its state, if any, is that of the stream
        self._shape = taken.shape
        self._front_end = features.load(config)
        self._recognizer = Recognizer(stream, bundle.labels, output.info, self._front_end.rate_hz)
        self._every = stream.stride_frames
        self._rows = taken.elements // self._front_end.row_bytes
        self._window: list[Array] = []
        self._seen = 0
        self._number = 0

    def push(self, samples: Samples) -> Iterator[StreamInference]:
        """Take samples and yield the inferences that they complete."""
        for row in self._front_end.push(samples):
            self._window = [*self._window, row][-self._rows :]
            self._seen += 1
            ready = self._seen - self._rows
            if ready >= 0 and ready % self._every == 0:
                yield self._infer()

    def _infer(self) -> StreamInference:
        sample = self._front_end.samples_for(self._seen)
        scores = self._run([np.stack(self._window).reshape(self._shape)])[0]
        heard = self._recognizer.push(scores, sample)
        inference = StreamInference(self._number, sample, scores.tobytes(), heard)
        self._number += 1
        return inference


def of_device(reading: Reading, output: TensorInfo) -> StreamInference:
    """Return what the device reports in the host's terms; `output` describes its scores."""
    heard = None
    if reading.event is not None and reading.score is not None:
        score = (reading.score - output.zero_point) * output.scale
        heard = Event(reading.event, score, reading.sample)
    return StreamInference(reading.number, reading.sample, reading.scores.tobytes(), heard)


class Comparison:
    """Pairs what the device reports with what the host expects, by number.

    `compared`: inferences that were expected; `mismatched` of them are otherwise, `lost` never
    arrived. Without anything expected, inferences are only counted.
    """

    def __init__(self, expected: Iterator[StreamInference] | None) -> None:
        self._expected = expected
        self.proves = expected is not None
        self.compared = 0
        self.mismatched = 0
        self.lost = 0
        self.first = ""

    def take(self, actual: StreamInference) -> None:
        """Compare the next inference that the device reports; what it skipped was lost."""
        if self._expected is None:
            self.compared += 1
            return
        for expected in self._expected:
            if expected.number == actual.number:
                self._compare(expected, actual)
                return
            self._lose()
        self._compare(None, actual)

    def finish(self, made: int = 0) -> None:
        """Count what the device should have reported as well: lost where it has `made` so many."""
        for expected in self._expected or ():
            if expected.number < made:
                self._lose()
            else:
                self._compare(expected, None)

    def _lose(self) -> None:
        self.compared += 1
        self.lost += 1

    def _compare(self, expected: StreamInference | None, actual: StreamInference | None) -> None:
        self.compared += 1
        if expected != actual:
            self.mismatched += 1
            self.first = self.first or f"expected {_words(expected)}, got {_words(actual)}"


def _words(inference: StreamInference | None) -> str:
    if inference is None:
        return "none"
    scores = np.frombuffer(inference.scores, np.int8).tolist()
    heard = f", heard {inference.heard.label}" if inference.heard else ""
    return f"inference {inference.number} at sample {inference.sample} with {scores}{heard}"
