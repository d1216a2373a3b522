"""The recognizer: one event per spoken word, and the same as a plain statement of its rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.errors import ConfigError
from tinyml.features import Event, Recognizer, RecognizerSettings
from tinyml.records import StreamConfig, TensorInfo

LABELS = ("silence", "unknown", "yes", "no")
SOFTMAX = TensorInfo("scores", "int8", (1, 4), 1 / 256, -128)
STREAM = StreamConfig(1, average=3, threshold=0.7, refractory_ms=500, background=(0, 1))
STEP = 320  # samples between two inferences: 20 ms


def scores(**heard: float) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """Return the scores of an inference; what is not named is silence."""
    values = {"silence": 1.0 - sum(heard.values()), **heard}
    return np.array([min(127, round(values.get(name, 0) * 256) - 128) for name in LABELS], np.int8)


def run(
    heard: Iterable[np.ndarray[tuple[int], np.dtype[np.int8]]], stream: StreamConfig = STREAM
) -> list[Event]:
    recognizer = Recognizer(stream, LABELS, SOFTMAX)
    events = [recognizer.push(vector, (n + 1) * STEP) for n, vector in enumerate(heard)]
    return [event for event in events if event is not None]


def labels(events: Sequence[Event]) -> list[str]:
    return [event.label for event in events]


QUIET = [scores()] * 10


def test_a_word_makes_one_event_however_long_it_lasts() -> None:
    assert labels(run([*QUIET, *[scores(yes=0.9)] * 200, *QUIET])) == ["yes"]


def test_a_score_that_flickers_around_the_threshold_makes_one_event() -> None:
    flicker = [scores(yes=0.9 if n // 20 % 2 else 0.5) for n in range(400)]
    assert labels(run([*QUIET, *flicker])) == ["yes"]


def test_a_word_said_twice_makes_two_events() -> None:
    word = [*QUIET, *[scores(yes=0.9)] * 20, *[scores()] * 20]
    assert labels(run(word * 2)) == ["yes", "yes"]


def test_where_labels_repeat_every_inference_may_be_an_event() -> None:
    repeating = StreamConfig(1, 1, threshold=0.7, refractory_ms=0, background=(0, 1), repeats=True)
    heard = [scores(yes=0.9), scores(yes=0.9), scores(yes=0.6), scores(no=0.8), scores()]
    assert labels(run(heard, repeating)) == ["yes", "yes", "no"]
    assert labels(run([scores(yes=0.9)] * 60, replace(repeating, refractory_ms=500))) == [
        "yes", "yes", "yes",
    ]  # fmt: skip
    assert labels(run(heard, replace(repeating, repeats=False))) == ["yes", "no"]


def test_the_event_comes_when_the_average_reaches_the_threshold() -> None:
    (event,) = run([*QUIET, *[scores(yes=0.9)] * 5])
    assert event == Event("yes", pytest.approx(0.898, abs=0.001), 13 * STEP)
    (event,) = run([*QUIET, *[scores(yes=0.9)] * 5], StreamConfig(1, 3, 0.25, 500, (0,)))
    assert event.sample_index == 12 * STEP  # before, silence has the higher average


def test_one_stray_score_makes_no_event() -> None:
    assert run([*QUIET, scores(yes=1.0), *QUIET]) == []


def test_no_event_before_the_average_is_complete() -> None:
    assert run([scores(yes=1.0)] * 2) == []
    assert len(run([scores(yes=1.0)] * 3)) == 1


def test_background_labels_make_no_event() -> None:
    assert run([scores(unknown=1.0)] * 20) == []


def test_another_word_waits_for_the_refractory_time() -> None:
    heard = [*[scores(yes=0.9)] * 5, *[scores(no=0.9)] * 60]
    first, second = run(heard)
    assert (first.label, second.label) == ("yes", "no")
    assert second.sample_index - first.sample_index == 8000
    assert labels(run(heard[:20])) == ["yes"]


def test_a_word_that_returns_after_another_is_heard_again() -> None:
    heard = [*[scores(yes=0.6, no=0.4)] * 30, *[scores(yes=0.4, no=0.6)] * 30] * 2
    stream = StreamConfig(1, 1, 0.55, 100, (0,))
    assert labels(run(heard, stream)) == ["yes", "no", "yes", "no"]


def test_time_may_be_late_in_the_life_of_a_device() -> None:
    recognizer = Recognizer(STREAM, LABELS, SOFTMAX)
    late = 2**40
    events = [recognizer.push(scores(yes=1.0), late + n) for n in range(3)]
    assert events[2] is not None
    assert events[2].sample_index == late + 2


def test_reset_arms_every_label() -> None:
    recognizer = Recognizer(STREAM, LABELS, SOFTMAX)
    assert [recognizer.push(scores(yes=1.0), n) is not None for n in range(4)] == [0, 0, 1, 0]
    recognizer.reset()
    assert [recognizer.push(scores(yes=1.0), n) is not None for n in range(4)] == [0, 0, 1, 0]


class Plain:
    """The rules of recognizer.h, stated without an eye for speed or memory."""

    def __init__(self, config: RecognizerSettings) -> None:
        self.config = config
        self.heard: deque[list[int]] = deque(maxlen=config.average)
        self.held: int | None = None
        self.last: int | None = None

    def push(self, vector: list[int], sample: int) -> tuple[int, int] | None:
        config = self.config
        self.heard.append(vector)
        if len(self.heard) < config.average:
            return None
        sums = [sum(column) for column in zip(*self.heard, strict=True)]
        if self.held is not None and sums[self.held] < config.release * config.average:
            self.held = None
        label = sums.index(max(sums))
        resting = self.last is not None and sample - self.last < config.refractory
        if (
            config.background >> label & 1
            or label == self.held
            or resting
            or sums[label] < config.threshold * config.average
        ):
            return None
        self.held, self.last = label, sample
        return label, sums[label] // config.average


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_equals_the_plain_statement_of_its_rules(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 5))
    average = data.draw(st.integers(1, 6))
    stream = StreamConfig(
        1,
        average,
        data.draw(st.floats(0.01, 1)),
        data.draw(st.integers(0, 40)),
        tuple(data.draw(st.sets(st.integers(0, count - 1)))),
    )
    output = TensorInfo("scores", "int8", (1, count), 1 / 256, -128)
    names = [str(label) for label in range(count)]
    recognizer = Recognizer(stream, names, output)
    plain = Plain(RecognizerSettings.of(stream, output))
    vector = st.lists(st.sampled_from([-128, -60, -1, 0, 60, 127]), min_size=count, max_size=count)
    for n, heard in enumerate(data.draw(st.lists(vector, max_size=40))):
        event = recognizer.push(np.array(heard, np.int8), n * 160)
        expected = plain.push(heard, n * 160)
        found = None if event is None else (int(event.label), round(event.score * 256) - 128)
        assert found == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"average": 0}, "average is 0"),
        ({"average": 33}, "average is 33"),
        ({"threshold": 0.0}, "threshold is 0"),
        ({"threshold": 1.5}, "threshold is 1.5"),
        ({"refractory_ms": -1}, "refractory_ms is -1"),
        ({"background": (4,)}, "background label is 4"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, int], said: str) -> None:
    values = {**vars(STREAM), **change}
    with pytest.raises(ConfigError, match=said):
        Recognizer(StreamConfig(**values), LABELS, SOFTMAX)


def test_scores_that_do_not_fit_the_labels_are_refused() -> None:
    with pytest.raises(ConfigError, match="4 scores for 2 labels"):
        Recognizer(STREAM, LABELS[:2], SOFTMAX)
    with pytest.raises(ConfigError, match="not int8"):
        Recognizer(STREAM, ("a",), TensorInfo("scores", "uint8", (1, 1), 1 / 256, 0))
    with pytest.raises(ConfigError, match="3 scores, 4 labels"):
        Recognizer(STREAM, LABELS, SOFTMAX).push(np.zeros(3, np.int8), 0)
