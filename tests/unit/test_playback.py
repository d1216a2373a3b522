"""Clips in a stream: where they lie, which events are whose, and what counts as a difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyml import features
from tinyml.datasets import clips
from tinyml.errors import ConfigError, DataError
from tinyml.features import Event, MotionFrontEnd
from tinyml.measure import playback, stream_reference
from tinyml.media import motion_csv, wav
from tinyml.records import Bundle, FeatureConfig, StreamConfig

PARAMS = {"sample_rate_hz": 16000, "window_ms": 30, "stride_ms": 20, "channels": 40, "frames": 49}
AUDIO = features.load(FeatureConfig("audio", PARAMS))
MOTION = MotionFrontEnd(
    FeatureConfig(
        "motion", {"sample_rate_hz": 100, "stride_ms": 40, "gravity_ms": 2000, "range_mg": 4000}
    )
)
BUNDLE = Bundle(
    "k",
    b"",
    "",
    Path("k"),
    labels=("silence", "yes", "no"),
    features=FeatureConfig("audio", PARAMS),
    stream=StreamConfig(2, 3, 0.6, 500, background=(0,)),
)


def test_labels_are_those_of_folders_and_of_known_names(tmp_path: Path) -> None:
    for folder in ("yes", "mixed"):
        (tmp_path / folder).mkdir()
        wav.write(tmp_path / folder / "a.wav", np.zeros(1600, np.int16))

    def said(*path: str) -> str | None:
        (found,) = clips.load([tmp_path.joinpath(*path)], AUDIO, BUNDLE.labels)
        return found.said

    assert [each.said for each in clips.load([tmp_path], AUDIO)] == ["mixed", "yes"]
    assert said("yes") == said("yes", "a.wav") == "yes"
    assert said("mixed") is said("mixed", "a.wav") is None


def clip(name: str, said: str | None, length: int = 1600) -> clips.Clip:
    return clips.Clip(name, said, np.full(length, 7, np.int16))


def inference(number: int, scores: bytes = b"\x01\x02", heard: Event | None = None) -> Any:
    return stream_reference.StreamInference(number, 480 + number * 640, scores, heard)


def compare(expected: list[Any], actual: list[Any]) -> stream_reference.Comparison:
    comparison = stream_reference.Comparison(iter(expected))
    for one in actual:
        comparison.take(one)
    comparison.finish()
    return comparison


def test_clips_are_joined_with_silence_of_whole_rows_after_each() -> None:
    samples, starts = clips.joined([clip("a", None, 3), clip("b", None, 2)], 4, AUDIO)
    assert samples.tolist() == [7] * 3 + [0] * 320 + [7] * 2 + [0] * 320
    assert samples.dtype == np.int16
    assert starts == [0, 323]


def test_clips_of_motion_are_joined_with_rest(tmp_path: Path) -> None:
    for name, value in (("ring/a", 500), ("slope/b", 600)):
        (tmp_path / name).parent.mkdir()
        motion_csv.write(tmp_path / f"{name}.csv", np.full((2, 3), value, np.int16), 100)
    wav.write(tmp_path / "ring" / "no_motion.wav", np.zeros(160, np.int16))
    loaded = clips.load([tmp_path], MOTION)
    assert [(one.name, one.said) for one in loaded] == [("a.csv", "ring"), ("b.csv", "slope")]
    samples, starts = clips.joined(loaded, 3, MOTION)
    assert (samples.dtype, samples.tolist()) == (np.int16, [[500] * 3] * 6 + [[600] * 3] * 6)
    assert starts == [0, 6]


def test_labels_come_from_the_list_beside_else_from_the_folder(tmp_path: Path) -> None:
    for name in ("a.wav", "yes/b.wav", "no/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        wav.write(tmp_path / name, np.zeros(160, np.int16))
    (tmp_path / "examples.json").write_text(json.dumps({"a.wav": "silence"}))
    found = [(one.name, one.said) for one in clips.load([tmp_path], AUDIO)]
    assert found == [("a.wav", "silence"), ("c.wav", "no"), ("b.wav", "yes")]
    (alone,) = clips.load([tmp_path / "yes" / "b.wav"], AUDIO)
    assert alone.said is None


def test_a_damaged_list_of_labels_is_named(tmp_path: Path) -> None:
    wav.write(tmp_path / "a.wav", np.zeros(160, np.int16))
    for text in ("[]", "nonsense"):
        (tmp_path / "examples.json").write_text(text)
        with pytest.raises(DataError, match=r"examples\.json"):
            clips.load([tmp_path], AUDIO)


def test_events_belong_to_the_clip_they_follow() -> None:
    spoken = [clip("1", "yes"), clip("2", "no"), clip("3", "silence"), clip("4", None)]
    starts = [0, 5000, 10000, 15000]
    heard = [Event("yes", 0.9, 5000), Event("yes", 0.8, 9000), Event("no", 0.7, 16000)]
    results = playback.judge(spoken, starts, heard, {"silence"}, 16000)
    assert [[one.label for one in result.heard] for result in results] == [
        ["yes"],
        ["yes"],
        [],
        ["no"],
    ]
    assert [result.right for result in results] == [True, False, True, None]
    assert results[1].start_s == 5000 / 16000


def test_a_word_recognised_twice_is_wrong() -> None:
    heard = [Event("yes", 0.9, 500), Event("yes", 0.9, 900)]
    (result,) = playback.judge([clip("1", "yes")], [0], heard, {"silence"}, 16000)
    assert result.right is False


def test_equal_streams_are_equal() -> None:
    same = [inference(number) for number in range(5)]
    comparison = compare(same, list(same))
    assert (comparison.compared, comparison.mismatched, comparison.first) == (5, 0, "")


@pytest.mark.parametrize(
    "changed",
    [
        inference(2, scores=b"\x01\x03"),
        inference(2, heard=Event("yes", 0.5, 1760)),
        stream_reference.StreamInference(2, 9999, b"\x01\x02", None),
    ],
)
def test_one_different_inference_is_one_mismatch(changed: Any) -> None:
    expected = [inference(number) for number in range(5)]
    comparison = compare(expected, [*expected[:2], changed, *expected[3:]])
    assert (comparison.compared, comparison.mismatched) == (5, 1)
    assert "expected inference 2 at sample 1760" in comparison.first


def test_an_inference_that_the_line_lost_is_no_difference() -> None:
    expected = [inference(number) for number in range(5)]
    comparison = compare(expected, expected[:2] + expected[3:])
    assert (comparison.compared, comparison.mismatched, comparison.lost) == (5, 0, 1)
    assert comparison.first == ""
    tail = stream_reference.Comparison(iter(expected))
    for actual in expected[:2]:
        tail.take(actual)
    tail.finish(made=4)  # the device says that it made four: two were lost, one never made
    assert (tail.compared, tail.mismatched, tail.lost) == (5, 1, 2)
    assert tail.first.endswith("got none")


def test_a_clip_is_not_called_wrong_for_a_result_that_never_arrived() -> None:
    spoken = [clip("1", "yes"), clip("2", "no"), clip("3", "yes")]
    heard = [Event("no", 0.9, 6000)]
    results = playback.judge(
        spoken, [0, 5000, 10000], heard, set(), 16000, gaps=[(900, 1300), (6000, 7000)]
    )
    assert [result.right for result in results] == [None, True, False]


def test_a_stream_that_ends_early_misses_the_rest() -> None:
    expected = [inference(number) for number in range(5)]
    comparison = compare(expected, expected[:1])
    assert (comparison.compared, comparison.mismatched) == (5, 4)


def test_inferences_too_many_or_twice_are_mismatches() -> None:
    expected = [inference(number) for number in range(3)]
    assert compare(expected, [*expected, inference(3)]).mismatched == 1
    assert compare(expected, [*expected[:2], *expected[1:]]).mismatched > 0


def test_without_expectations_inferences_are_counted() -> None:
    comparison = stream_reference.Comparison(None)
    comparison.take(inference(0))
    comparison.finish()
    assert (comparison.proves, comparison.compared, comparison.mismatched) == (False, 1, 0)


def test_a_model_without_a_stream_cannot_listen() -> None:
    with pytest.raises(ConfigError, match="does not say how to listen"):
        stream_reference.require_listening(Bundle("m", b"", "", Path("m")))


def test_the_host_twin_reports_every_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """49 rows of 20 ms make the first window, then one inference every other row."""
    seen = []

    class Oracle:
        inputs = (type("T", (), {"shape": (1, 49, 40, 1), "elements": 1960}),)
        outputs = (
            type(
                "T", (), {"info": stream_reference.TensorInfo("y", "int8", (1, 3), 1 / 256, -128)}
            ),
        )

        def __init__(self, model: bytes, name: str) -> None:
            pass

        def step(self, inputs: list[Any]) -> list[Any]:
            seen.append(inputs[0])
            return [np.array([[-128, 127, -128]], np.int8)]

    monkeypatch.setattr(stream_reference, "Oracle", Oracle)
    noise = np.random.default_rng(0).integers(-2000, 2000, 20000, np.int16)

    def inferences(*cuts: int) -> Iterator[stream_reference.StreamInference]:
        listener = stream_reference.Listener(BUNDLE)
        for part in np.split(noise, cuts):
            yield from listener.push(part)

    whole = list(inferences())
    assert [one.sample for one in whole] == list(range(15840, 20001, 640))
    assert [one.number for one in whole] == list(range(7))
    assert [one.heard.label for one in whole if one.heard] == ["yes"]
    assert whole[2].heard is not None  # the third is the first to have three to average
    assert list(inferences(1, 700, 16000)) == whole
    assert not np.array_equal(seen[0], seen[1])
    assert np.array_equal(seen[0][0, 2:], seen[1][0, :-2])
