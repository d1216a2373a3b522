"""From a stream of scores to events, one per spoken word, by the same C as the firmware's.

`recognizer.h` says when there is an event.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml.errors import ConfigError
from tinyml.features._extension import ffi, lib
from tinyml.records import StreamConfig, TensorInfo


@dataclass(frozen=True)
class Event:
    """A recognised word. `score`: its averaged score, 0..1.

    `sample_index`: the sample after the last one that the deciding inference saw.
    """

    label: str
    score: float
    sample_index: int


@dataclass(frozen=True)
class RecognizerSettings:
    """The fields of C's tml_recognizer_config_t: scores in int8, time in samples."""

    labels: int
    average: int
    threshold: int
    release: int
    refractory: int
    background: int
    repeats: int = 0

    @classmethod
    def of(
        cls, stream: StreamConfig, output: TensorInfo, rate_hz: int = 16000
    ) -> RecognizerSettings:
        """Translate a StreamConfig for a model whose `output` is int8, one score per label.

        A label is armed again once its average falls below half of the threshold. Raises
        ConfigError for a value that is out of range.
        """
        labels = output.bytes
        _check(output.dtype == "int8" and output.scale > 0, "the model's scores are not int8")
        _check_range("number of labels", labels, 1, lib.TML_RECOGNIZER_LABELS)
        _check_range("average", stream.average, 1, lib.TML_RECOGNIZER_AVERAGE)
        _check_range("refractory_ms", stream.refractory_ms, 0, 60000)
        _check_range("threshold", stream.threshold, output.scale, 1)
        for label in stream.background:
            _check_range("background label", label, 0, labels - 1)

        def quantized(score: float) -> int:
            return min(127, max(-128, math.ceil(score / output.scale) + output.zero_point))

        return cls(
            labels=labels,
            average=stream.average,
            threshold=quantized(stream.threshold),
            release=quantized(stream.threshold / 2),
            refractory=stream.refractory_ms * rate_hz // 1000,
            background=sum(1 << label for label in set(stream.background)),
            repeats=int(stream.repeats),
        )


class Recognizer:
    """A stream of score vectors turned into events."""

    def __init__(
        self, stream: StreamConfig, labels: Sequence[str], output: TensorInfo, rate_hz: int = 16000
    ) -> None:
        """`output` describes the scores: int8, one per label. Raises ConfigError if they differ."""
        _check(output.bytes == len(labels), f"{output.bytes} scores for {len(labels)} labels")
        self._labels = tuple(labels)
        self._output = output
        self._settings = RecognizerSettings.of(stream, output, rate_hz)
        self._state: Any = ffi.new("tml_recognizer_t *")
        self.reset()

    def reset(self) -> None:
        """Start a new stream: no scores seen, every label armed."""
        config = ffi.new("tml_recognizer_config_t *", vars(self._settings))
        if lib.tml_recognizer_init(self._state, config) != 0:
            raise AssertionError(f"the recognizer refuses {self._settings}")

    def push(self, scores: npt.NDArray[np.int8], sample_index: int) -> Event | None:
        """Take the scores of an inference that saw the samples before `sample_index`.

        `scores` is int8 [labels]; `sample_index` never decreases.
        """
        flat = np.ascontiguousarray(scores, np.int8).reshape(-1)
        _check(len(flat) == len(self._labels), f"{len(flat)} scores, {len(self._labels)} labels")
        event = ffi.new("tml_event_t *")
        if not lib.tml_recognizer_push(
            self._state, ffi.from_buffer("int8_t[]", flat), sample_index, event
        ):
            return None
        score = (event.score - self._output.zero_point) * self._output.scale
        return Event(self._labels[event.label], score, event.sample)


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(
            f"cannot recognise words: {message}", "correct `stream` in the model's card"
        )


def _check_range(name: str, value: float, least: float, most: float) -> None:
    _check(least <= value <= most, f"{name} is {value}, not {least} to {most}")
