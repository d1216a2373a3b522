"""What becomes of a recording: trimming, judging, names and files; from hostile names too."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml import features, tasks
from tinyml.datasets import UNKNOWN, speech_commands, wand
from tinyml.device import SensorRecording
from tinyml.errors import ConfigError, DataError
from tinyml.media import wav
from tinyml.monitor.shelf import Shelf, judge, longest_s
from tinyml.tasks import Capturing, Task

RATE = 16000


def of(name: str) -> tuple[Task, Capturing, features.FrontEnd]:
    task = tasks.load(name)
    assert task.capturing is not None
    return task, task.capturing, features.load(task.features)


def recording(samples: np.ndarray, **lost: int) -> SensorRecording:
    rate = RATE if samples.ndim == 1 else 100
    facts = {"overruns": 0, "lost": 0, "room": 1000} | lost
    return SensorRecording(samples.astype(np.int16), rate, seconds=1.0, **facts)


def word(start: float, seconds: float, total: float, noise: float = 20.0) -> np.ndarray:
    """A tone in noise."""
    time = np.arange(round(total * RATE)) / RATE
    tone = 8000 * np.sin(2 * np.pi * 300 * time) * ((time >= start) & (time < start + seconds))
    return tone + np.random.default_rng(4).normal(0, noise, len(time))


@pytest.mark.parametrize(("start", "seconds"), [(0.2, 0.5), (1.2, 0.4), (2.4, 0.5), (0.5, 1.6)])
@pytest.mark.parametrize("noise", [0.0, 20.0, 600.0])
def test_a_word_is_cut_out_with_what_surrounds_it(
    start: float, seconds: float, noise: float
) -> None:
    _, capturing, front_end = of("keyword_spotting")
    take = judge(recording(word(start, seconds, 3.0, noise)), front_end, capturing, "yes")
    assert not take.refused
    assert take.start_s <= start
    assert take.start_s + take.seconds >= min(3.0, start + seconds)
    assert 1.0 <= take.seconds <= seconds + 0.6
    assert (
        take.samples.tolist()
        == word(start, seconds, 3.0, noise)
        .astype(np.int16)[round(take.start_s * RATE) :][: len(take.samples)]
        .tolist()
    )


def test_what_is_shorter_than_a_second_stays_whole() -> None:
    _, capturing, front_end = of("keyword_spotting")
    take = judge(recording(word(0.1, 0.3, 0.7)), front_end, capturing, "yes")
    assert take.seconds == 0.7


def test_no_trim_keeps_all() -> None:
    _, capturing, front_end = of("keyword_spotting")
    samples = recording(word(0.2, 0.5, 3.0))
    assert judge(samples, front_end, capturing, "yes", trim=False).seconds == 3.0


@pytest.mark.parametrize("click", [0, 300])
def test_silence_is_no_word_but_may_be_silence(click: int) -> None:
    _, capturing, front_end = of("keyword_spotting")
    quiet = np.random.default_rng(2).normal(0, 15, 2 * RATE)
    quiet[5000 : 5000 + click] += 9000
    assert judge(recording(quiet), front_end, capturing, "yes").refused == "no word was heard"
    assert judge(recording(quiet), front_end, capturing, "silence").refused == ""
    assert judge(recording(quiet[:0]), front_end, capturing, "yes").refused


def test_a_gesture_is_cut_out_and_rest_is_none() -> None:
    _, capturing, front_end = of("gesture")
    gesture = wand.simulated("ring", 5, 0)
    rest = np.tile(gesture[0], (200, 1))
    take = judge(recording(np.concatenate([rest, gesture, rest])), front_end, capturing, "ring")
    assert not take.refused
    assert take.seconds < len(gesture) / 100 + 0.7
    assert judge(recording(rest), front_end, capturing, "ring").refused == "nothing moved"
    assert judge(recording(rest), front_end, capturing, "negative").refused == ""


def test_pictures_are_kept_whole_as_png(tmp_path: Path) -> None:
    _, capturing, front_end = of("person_detection")
    count = front_end.samples_for(1)
    pixels = np.random.default_rng(6).integers(-30000, 30000, count).astype(np.int16)
    take = judge(recording(pixels), front_end, capturing, "person")
    assert (len(take.samples), take.refused, take.remark) == (count, "", "")
    path = Shelf(tmp_path, capturing, "person", "me").put(front_end, take.samples, {})
    assert path.relative_to(tmp_path) == Path("person/me_0001.png")
    assert np.array_equal(front_end.read(path), pixels)
    dark = judge(recording(np.zeros(count)), front_end, capturing, "person")
    assert "one brightness" in dark.refused


def test_incomplete_recordings_are_refused_with_numbers() -> None:
    _, capturing, front_end = of("keyword_spotting")
    said = word(0.2, 0.5, 1.0)
    take = judge(recording(said, overruns=17), front_end, capturing, "yes")
    assert "lost 17 samples" in take.refused
    take = judge(recording(said, lost=240), front_end, capturing, "silence")
    assert "240 samples were lost on the line" in take.refused


def test_clipping_is_named_and_loud_is_not_clipping() -> None:
    _, capturing, front_end = of("keyword_spotting")
    loud = np.clip(4.2 * word(0.2, 0.5, 1.0), -32768, 32767)
    take = judge(recording(loud), front_end, capturing, "yes")
    assert take.clipped > 100
    assert not take.refused
    assert "speak more softly" in take.remark
    assert judge(recording(3.5 * word(0.2, 0.5, 1.0)), front_end, capturing, "yes").clipped == 0
    _, capturing, front_end = of("gesture")
    ring = wand.simulated("ring", 5, 0).astype(np.int32) * 3
    take = judge(recording(np.clip(ring, -2000, 2000)), front_end, capturing, "ring")
    assert take.clipped > 3


def test_longest_is_what_the_memory_and_the_line_hold() -> None:
    assert longest_s(16000, 1, 50_000, 310_000) is None
    assert longest_s(16000, 1, 50_000, 32_000) is not None
    spresense = longest_s(16000, 1, 64_000, 11_500)
    assert spresense is not None
    samples = spresense * 16000
    assert samples - spresense * 11_500 / 2 <= 64_000  # what the line has not taken still fits
    assert 4.0 < spresense < 7.0
    assert longest_s(16000, 1, 48_000, 0) == pytest.approx(3.0)


@settings(deadline=None)  # a busy machine is slow
@given(st.text(max_size=80))
def test_no_name_leaves_its_folder(name: str) -> None:
    _, capturing, _ = of("gesture")
    root = Path("/data")
    try:
        shelf = Shelf(root, capturing, name, name)
    except ConfigError:
        return
    assert shelf.folder.parent == root
    assert shelf.folder.name == unicodedata.normalize("NFC", name)
    assert name.isprintable()
    assert name[0] not in "._-/"


@pytest.mark.parametrize("name", ["", "..", "a/b", "_unknown_", ".git", "x\x1b[2J", "a\\b", "-o"])
def test_names_that_mean_something_to_a_file_system_are_refused(name: str, tmp_path: Path) -> None:
    _, capturing, _ = of("keyword_spotting")
    for label, speaker in ((name, "ann"), ("yes", name)):
        with pytest.raises(ConfigError, match="cannot be a"):
            Shelf(tmp_path, capturing, label, speaker)


def put(shelf: Shelf, front_end: features.FrontEnd, value: int) -> Path:
    samples = np.full(1600, value, np.int16)
    return shelf.put(front_end, samples, {"label": "yes"})


def test_numbers_go_on_and_nothing_is_overwritten(tmp_path: Path) -> None:
    _, capturing, front_end = of("keyword_spotting")
    shelf = Shelf(tmp_path / "new", capturing, "yes", "ann")
    assert shelf.count() == 0
    first, second = put(shelf, front_end, 1), put(shelf, front_end, 2)
    first.unlink()  # what was thrown away does not come back under its number
    third = put(Shelf(tmp_path / "new", capturing, "yes", "ann"), front_end, 3)
    name = speech_commands.name_of("ann")
    assert [one.name for one in (second, third)] == [
        f"{name}_nohash_0002.wav",
        f"{name}_nohash_0003.wav",
    ]
    assert [int(wav.read(one)[0]) for one in (second, third)] == [2, 3]
    assert json.loads(third.with_name(f"{third.name}.json").read_text()) == {"label": "yes"}
    assert {one.suffix for one in second.parent.iterdir()} == {".wav", ".json"}


def test_a_name_that_is_taken_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, capturing, front_end = of("gesture")
    shelf = Shelf(tmp_path, capturing, "ring", "me")
    (tmp_path / "ring").mkdir()
    taken = tmp_path / "ring" / "0001_me.csv"
    monkeypatch.setattr(shelf, "_numbers", lambda: taken.write_text("theirs") and [])
    path = shelf.put(front_end, wand.simulated("ring", 5, 0), {})
    assert path.name == "0002_me.csv"
    assert taken.read_text() == "theirs"


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    _, capturing, front_end = of("keyword_spotting")
    (tmp_path / "yes").write_text("a file")
    with pytest.raises(DataError, match="cannot be written"):
        put(Shelf(tmp_path, capturing, "yes", "ann"), front_end, 1)


def test_what_is_captured_is_what_training_reads(tmp_path: Path) -> None:
    _, capturing, front_end = of("keyword_spotting")
    for number, label in enumerate(("yes", "no", "banana", "silence", "unknown")):
        for speaker in ("ann", "ben"):
            shelf = Shelf(tmp_path, capturing, label, speaker)
            sound = word(0.2, 0.5, 1.0).astype(np.int16) + number + 10 * (speaker == "ben")
            shelf.put(front_end, sound, {})
    read = speech_commands.read(tmp_path)
    groups = {speech_commands.name_of(speaker) for speaker in ("ann", "ben")}
    assert {one.label for one in read.recordings} == {
        "yes", "no", "banana", UNKNOWN, "silence",
    }  # fmt: skip
    assert {one.group for one in read.recordings if one.label == "yes"} == groups
    assert {one.group for one in read.recordings if one.label == UNKNOWN} == groups
    assert all(one.long for one in read.recordings if one.label == "silence")
    assert not read.skipped
