"""What a watched device just heard, kept as recordings that training reads."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from monitor_story import device

from tinyml import features, tasks
from tinyml.datasets.clips import Clip
from tinyml.errors import ConfigError, DataError
from tinyml.media import wav
from tinyml.monitor.keep import Keeper
from tinyml.monitor.twin import KEPT_S, Twin

AUDIO = features.load(tasks.load("keyword_spotting").features)
WORD = np.concatenate(
    [
        np.zeros(16000, np.int16),
        (np.sin(np.arange(8000) / 5) * 9000).astype(np.int16),
        np.zeros(8000, np.int16),
    ]
)


def keeper(folder: Path, samples: np.ndarray | None = WORD, **changes: Any) -> Keeper:
    def recent(seconds: float) -> Any:
        return None if samples is None else (AUDIO, samples[-round(seconds * 16000) :])

    session: Any = SimpleNamespace(recent=recent, info=device("audio", **changes))
    return Keeper(session, folder, "ann")


def test_what_was_heard_is_kept_trimmed_where_train_reads_it(tmp_path: Path) -> None:
    said = keeper(tmp_path).keep("yes", 2.0)
    (file,) = (tmp_path / "yes").glob("*.wav")
    assert str(file) in said
    kept = wav.read(file)
    assert 8000 <= len(kept) < len(WORD)  # the silence around the word is cut
    (notes,) = (tmp_path / "yes").glob("*.json")
    described = json.loads(notes.read_text())
    assert (described["label"], described["speaker"]) == ("yes", "ann")
    assert (described["task"], described["board"]) == ("keyword_spotting", "nano33ble")
    dataset = tasks.load("keyword_spotting").read(tmp_path)
    assert [recording.label for recording in dataset.recordings] == ["yes"]


@pytest.mark.parametrize("label", ["", "../up", "a/b", "x\x1b[2J", "-o"])
def test_a_label_from_the_network_names_no_other_folder(tmp_path: Path, label: str) -> None:
    with pytest.raises(ConfigError, match="cannot be a label"):
        keeper(tmp_path / "in").keep(label, 2.0)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("seconds", [0.0, -1.0, 61.0, float("inf"), float("nan")])
def test_impossible_lengths_are_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(ConfigError, match="cannot be recorded"):
        keeper(tmp_path).keep("yes", seconds)


def test_silence_and_nothing_are_not_kept_as_a_word(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no word was heard"):
        keeper(tmp_path, np.zeros(32000, np.int16)).keep("yes", 2.0)
    with pytest.raises(DataError, match="not known here"):
        keeper(tmp_path, None).keep("yes", 2.0)
    assert not [*tmp_path.iterdir()]


def test_a_clip_that_was_missed_is_kept_whole_under_its_label(tmp_path: Path) -> None:
    clip = Clip("no/1.wav", "no", WORD)
    keeper(tmp_path).keep_clip(clip, AUDIO, device("audio"))
    (file,) = (tmp_path / "no").glob("*.wav")
    np.testing.assert_array_equal(wav.read(file), WORD)
    with pytest.raises(ConfigError, match="nobody says"):
        keeper(tmp_path).keep_clip(Clip("x.wav", None, WORD), AUDIO, device("audio"))


def test_sound_can_be_played_back(tmp_path: Path) -> None:
    with wave.open(io.BytesIO(keeper(tmp_path).wav(1.0))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16000, 1, 16000)
    assert keeper(tmp_path, None).wav(1.0) == b""
    assert keeper(tmp_path, np.zeros((50, 3), np.int16)).wav(1.0) == b""


def test_the_twin_keeps_a_minute_and_fills_what_was_lost_with_silence() -> None:
    twin = Twin(AUDIO)
    assert len(twin.recent(1.0)) == 0
    twin.push(0, np.full(1600, 1, np.int16))
    twin.push(800, np.full(1600, 2, np.int16))  # half of it came before
    twin.push(3200, np.full(800, 3, np.int16))  # 800 were lost on the way
    assert twin.arrived == 4000
    counts = {
        int(value): int(count)
        for value, count in zip(*np.unique(twin.recent(9), return_counts=True), strict=True)
    }
    assert counts == {0: 800, 1: 1600, 2: 800, 3: 800}
    assert len(twin.recent(0.05)) == 800
    for second in range(1, 80):
        twin.push(twin.arrived, np.full(16000, second, np.int16))
    assert KEPT_S * 16000 <= len(twin.recent(1e6)) <= (KEPT_S + 1) * 16000


def test_rows_are_those_of_the_front_end() -> None:
    fresh = tasks.load("keyword_spotting").features
    twin, other = Twin(features.load(fresh)), features.load(fresh)
    parts = [twin.push(start, WORD[start : start + 700]) for start in range(0, 14000, 700)]
    rows = np.concatenate([seen.rows for seen in parts if seen is not None])
    np.testing.assert_array_equal(rows, other.push(WORD[:14000]))
    firsts = [seen.first for seen in parts if seen is not None]
    assert firsts == sorted(firsts)
    assert firsts[0] == 0
