"""Words in a stream: where they lie, which events count, and that places agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recordings
from PIL import Image

from tinyml import features
from tinyml.datasets import stroke_json, wand_strokes
from tinyml.errors import ConfigError, DataError
from tinyml.measure import evaluate, spotting, stream_reference
from tinyml.measure.spotting import Score, StreamSource
from tinyml.model import bundle, leakage
from tinyml.records import Bundle

SECOND = 16000


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recordings.make(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def model() -> Bundle:
    """The shipped model, listening at once: no average, every label for itself."""
    shipped = bundle.load("keyword_spotting")
    assert shipped.stream is not None
    settings = dataclasses.replace(shipped.stream, average=1, threshold=0.5, refractory_ms=0)
    return dataclasses.replace(shipped, stream=settings)


def made(model: Bundle, tones: Path, seed: int = 0, minutes: float = 0.3) -> spotting.Scene:
    assert model.features is not None
    found = leakage.recordings(evaluate.read_recordings(model, tones), "all")
    return spotting.scene(found, model, features.load(model.features), minutes, seed)


def hearing(events: list[tuple[int, int, int]], labels: int, name: str = "host") -> StreamSource:
    """A place that gives a label the score 127 at some samples, and silence between them."""

    def hear(samples: Any, on_sent: Callable[[int], None]) -> Iterator[Score]:
        for sample, label, score in events:
            raw = np.full(labels, -128, np.int8)
            raw[0] = 127
            yield sample - 100, raw
            raw = raw.copy()
            raw[label], raw[0] = score, -128
            yield sample, raw
        on_sent(len(samples))

    return StreamSource(name, hear)


def test_a_scene_is_the_same_for_the_same_seed_and_holds_the_words(
    model: Bundle, tones: Path
) -> None:
    one, two, other = made(model, tones), made(model, tones), made(model, tones, seed=1)
    np.testing.assert_array_equal(one.samples, two.samples)
    assert not np.array_equal(one.samples, other.samples)
    assert len(one.samples) == round(0.3 * 60 * SECOND)
    assert one.samples.dtype == np.int16
    assert one.background_s == pytest.approx(6.0)
    ends = [0, *(word.end for word in one.spoken)]
    for end, word in zip(ends, one.spoken, strict=False):
        assert word.end - word.start == SECOND
        assert word.start == 0 or SECOND <= word.start - end <= 3 * SECOND
        around = one.samples[word.end : word.end + SECOND // 2].astype(float).std()
        assert one.samples[word.start : word.end].astype(float).std() > around


def test_events_are_hits_confusions_or_false_accepts(model: Bundle, tones: Path) -> None:
    words = made(model, tones).spoken
    index = {label: number for number, label in enumerate(model.labels)}
    other = {"yes": "no", "no": "yes"}
    first, second, third = words[:3]
    events = [
        (first.end - 500, index[first.label], 127),  # recognised
        (first.end + 500, index[first.label], 127),  # and once more
        (second.end - 500, index[other[second.label]], 127),  # taken for another
        (third.start - 200, index[third.label], 100),  # before it was said
    ]
    report = spotting.evaluate_stream(
        model,
        evaluate.read_recordings(model, tones),
        [hearing(events, len(index))],
        part="all",
        minutes=0.3,
    )
    assert (report.card.spoken, report.card.rejected) == (len(words), len(words) - 1)
    assert (report.card.confused, report.card.accepted) == (1, 2)
    assert report.latency_ms == (round(-500 / 16),)
    assert sum(one.missed for one in report.words) == len(words) - 1
    strict = report.points[-1]
    assert strict.threshold == 0.98
    assert strict.accepted == 1  # 100 is 0.89
    assert report.passed


def test_a_place_that_hears_other_scores_fails(model: Bundle, tones: Path) -> None:
    labels = len(model.labels)
    places = [hearing([(9000, 1, 50)], labels), hearing([(9000, 1, 51)], labels, "board")]
    report = spotting.evaluate_stream(
        model, evaluate.read_recordings(model, tones), places, part="all", minutes=0.1
    )
    assert not report.passed
    assert [(one.on, one.different) for one in report.places] == [("host", 0), ("board", 1)]


def test_the_threshold_is_chosen_on_another_part_than_it_is_reported_on(
    model: Bundle, tones: Path
) -> None:
    dataset = evaluate.read_recordings(model, tones)
    clips = tuple(one for one in dataset.recordings if not one.long)
    dataset = dataclasses.replace(dataset, recordings=clips)  # pauses part them
    assert model.features is not None
    validation = leakage.recordings(dataset, "validation")
    word, *_ = spotting.scene(validation, model, features.load(model.features), 0.3, 0).spoken
    hit = (word.end - 500, model.labels.index(word.label), 51)  # scores 0.70
    streams: list[int] = []

    def hear(samples: Any, on_sent: Callable[[int], None]) -> Iterator[Score]:
        """First a stream with a false accept of 0.70, then one with a hit, and another of 0.40."""
        last = (len(samples), model.labels.index("yes"), (51, -26)[len(streams)])
        events = [hit, last] if streams else [last]
        streams.append(len(samples))
        yield from hearing(events, len(model.labels)).hear(samples, on_sent)

    reported = spotting.evaluate_stream(model, dataset, [StreamSource("host", hear)], minutes=0.3)
    assert len(streams) == 2
    assert (reported.part, reported.chosen_on) == ("test", "validation")
    assert reported.advised is not None
    assert reported.advised.threshold == pytest.approx(0.68)
    assert reported.advised.accepted == 1  # what was chosen elsewhere does not fit here
    streams.clear()
    itself = spotting.evaluate_stream(
        model, dataset, [StreamSource("host", hear)], minutes=0.3, part="train"
    )
    assert (itself.chosen_on, len(streams)) == ("train", 1)
    assert itself.advised is not None
    assert itself.advised.accepted == 0


def test_the_host_hears_what_the_listener_hears(model: Bundle, tones: Path) -> None:
    samples = made(model, tones, minutes=0.05).samples
    where = spotting.on_host(model, evaluate.executor(model, "oracle"))
    scores = list(where.hear(samples, lambda sent: None))
    expected = list(stream_reference.Listener(model).push(samples))
    assert [(at, raw.tobytes()) for at, raw in scores] == [(e.sample, e.scores) for e in expected]
    assert scores


def test_what_is_no_stream_is_refused(model: Bundle, tones: Path) -> None:
    assert model.features is not None
    front_end = features.load(model.features)
    with pytest.raises(DataError, match="no recordings"):
        spotting.scene([], model, front_end, 1, 0)
    deaf = dataclasses.replace(model, stream=None)
    with pytest.raises(ConfigError, match="does not say how to listen"):
        spotting.evaluate_stream(deaf, evaluate.read_recordings(model, tones), [])


def test_a_stream_of_pictures_holds_whole_ones(tmp_path: Path) -> None:
    person = bundle.load("person_detection")
    assert person.features is not None
    for number, label in enumerate(("person", "not_person") * 2):
        (tmp_path / label).mkdir(exist_ok=True)
        pixels = np.full((80, 120), 50 * (number + 1), np.uint8)
        Image.fromarray(pixels).save(tmp_path / label / f"{number}.png")
    front_end = features.load(person.features)
    found = leakage.recordings(evaluate.read_recordings(person, tmp_path), "all")
    scene = spotting.scene(found, person, front_end, 1.0, 0)
    picture = front_end.samples_for(1)
    assert len(scene.spoken) == 4
    for one in scene.spoken:
        assert (one.start % picture, one.end - one.start) == (0, picture)
        shown = scene.samples[one.start : one.end].view(np.uint8)
        assert shown.min() == shown.max() > 0
    assert scene.background_s == 0.0


def test_strokes_of_which_only_the_points_are_known_are_drawn_by_a_simulated_wand(
    tmp_path: Path,
) -> None:
    digits = bundle.load("digits")
    drawn = [(str(digit), wand_strokes.drawn(str(digit), 1, digit)) for digit in range(4)]
    stroke_json.write(tmp_path / "mine.json", drawn)
    report = spotting.evaluate_stream(
        digits,
        evaluate.read_recordings(digits, tmp_path),
        [spotting.on_host(digits, evaluate.executor(digits, "oracle"))],
        part="all",
    )
    assert report.card.spoken == 4
    assert report.card.rejected < 4  # drawn by a simulation it has never seen
    assert report.passed
