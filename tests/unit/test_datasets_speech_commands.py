"""Folders of recordings: what is a word, who spoke, what is refused, and that no speaker leaks."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tinyml.datasets import PARTS, TEST, TRAIN, VALIDATION, Dataset, Recording, check, split
from tinyml.datasets import speech_commands as source
from tinyml.errors import DataError
from tinyml.media import wav


def _noise(path: Path, length: int = 1600, seed: int | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(list(str(path).encode()) if seed is None else seed)
    wav.write(path, draw.integers(-9000, 9000, length).astype(np.int16))


def _words(folder: Path, words: Sequence[str], speakers: int = 2) -> None:
    for word in words:
        for speaker in range(speakers):
            _noise(folder / word / f"{speaker:08x}_nohash_0.wav")


def test_words_unknown_and_silence_are_told_apart(tmp_path: Path) -> None:
    _words(tmp_path, ["yes", "no", "marvin"])
    _noise(tmp_path / "_unknown_" / "cat_00000001_nohash_3.wav")
    _noise(tmp_path / "_unknown_" / "own dog.WAV")
    _noise(tmp_path / "_background_noise_" / "hum.wav", 16000, seed=1)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("not a word")
    dataset = source.read(tmp_path)
    assert dataset.labels == ("silence", "unknown", "marvin", "no", "yes")
    assert (dataset.skipped, dataset.remarks) == ((), ())
    unknown = [one for one in dataset.recordings if one.label == "unknown"]
    assert {one.path.parent.name for one in unknown} == {"_unknown_"}
    assert {one.group for one in dataset.recordings} == {
        "00000000", "00000001", "own dog", "hum",
    }  # fmt: skip
    assert [one.long for one in dataset.recordings if one.group == "hum"] == [True]
    assert dataset.licence == source.LICENCE


def test_own_words_need_no_special_names(tmp_path: Path) -> None:
    for word in ("hello", "bye"):
        _noise(tmp_path / word / "ann.wav")
        _noise(tmp_path / word / "bob.wav")
    dataset = source.read(tmp_path)
    assert dataset.labels == ("silence", "unknown", "bye", "hello")
    assert {one.group for one in dataset.recordings} == {"ann", "bob"}
    assert dataset.licence != source.LICENCE


def _parts_of_the_benchmark(folder: Path) -> None:
    _noise(folder / "_silence_" / "quiet.wav")
    _noise(folder / "_unknown_" / "cat_00000001_nohash_3.wav")


def _lists_of_the_data_set(folder: Path) -> None:
    for name in ("validation", "testing"):
        (folder / f"{name}_list.txt").write_text("yes/00000000_nohash_0.wav\n")


def _nearly_all_words(folder: Path) -> None:
    _words(folder, source.OTHER_WORDS[:20], speakers=1)


@pytest.mark.parametrize(
    "makes_it", [_parts_of_the_benchmark, _lists_of_the_data_set, _nearly_all_words]
)
def test_of_speech_commands_itself_the_words_are_those_of_its_benchmark(
    tmp_path: Path, makes_it: Callable[[Path], None]
) -> None:
    _words(tmp_path, [*source.WORDS, "bird"])
    _noise(tmp_path / "tests" / "something.wav")
    assert len(source.read(tmp_path).words) == 12
    makes_it(tmp_path)
    dataset = source.read(tmp_path)
    assert dataset.labels == ("silence", "unknown", *source.WORDS)
    unknown = {one.path.parent.name for one in dataset.recordings if one.label == "unknown"}
    assert "bird" in unknown
    left_out, folded = dataset.remarks
    assert left_out.startswith(f"{tmp_path / 'tests'} is left out")
    assert "bird" in folded
    assert "are learned as unknown" in folded


@pytest.mark.parametrize(
    ("names", "by"),
    [
        (["hello_take{}", "bye_take{}"], "by recording:"),
        (["ann{}_nohash_0", "bob{}_nohash_0"], "by speaker:"),
        (["ann{}_nohash_0", "take{}"], "by speaker or recording:"),
    ],
)
def test_the_rule_says_whether_names_tell_who_speaks(
    tmp_path: Path, names: list[str], by: str
) -> None:
    for word in ("hello", "bye"):
        for number in range(10):
            for name in names:
                _noise(tmp_path / word / f"{name.format(number)}.wav")
    rule = split(source.read(tmp_path)).rule
    assert rule.startswith(by)
    assert ("a person may be in two parts" in rule) == ("recording" in by)
    assert "background recordings" not in rule


def test_what_was_captured_is_not_credited_to_speech_commands(tmp_path: Path) -> None:
    _words(tmp_path, ["yes", "no"])
    assert source.read(tmp_path).licence == source.LICENCE
    for file in list(tmp_path.glob("*/*.wav")):
        check.notes_file(file).write_text("{}")
    assert source.read(tmp_path).licence == check.OWNERS


def test_silent_clip_belongs_to_its_recording(tmp_path: Path) -> None:
    _words(tmp_path, ["yes", "no"])
    for seed, name in enumerate(("hum", "wind")):
        _noise(tmp_path / "_background_noise_" / f"{name}.wav", 64000, seed)
        excerpt = wav.read(tmp_path / "_background_noise_" / f"{name}.wav")[12345:28345]
        (tmp_path / "_silence_").mkdir(exist_ok=True)
        wav.write(tmp_path / "_silence_" / f"of_{name}.wav", (excerpt * 0.1).astype(np.int16))
    _noise(tmp_path / "_silence_" / "own.wav", 16000, seed=9)
    clips = [one for one in source.read(tmp_path).recordings if one.label == "silence"]
    assert {one.path.stem: one.group for one in clips if not one.long} == {
        "of_hum": "hum", "of_wind": "wind", "own": "own",
    }  # fmt: skip


@pytest.mark.needs_data
def test_silence_of_the_shared_data_is_attributed_as_its_list_says(data: Path) -> None:
    with (data / "kws" / "files.csv").open() as file:
        rows = {Path(row["file"]): row["speaker_or_origin"] for row in csv.DictReader(file)}
    dataset = source.read(data / "kws")
    expected = {name.name: who for name, who in rows.items() if "_silence_" in name.parts}
    silent = [one for one in dataset.recordings if one.label == "silence" and not one.long]
    assert len(silent) == len(expected) > 0
    for one in silent:
        assert f"bg:{one.group}.wav" == expected[one.path.name]


@pytest.mark.needs_data
def test_speakers_of_the_shared_data_are_those_of_its_list(data: Path) -> None:
    with (data / "kws" / "files.csv").open() as file:
        rows = {Path(row["file"]).name: row["speaker_or_origin"] for row in csv.DictReader(file)}
    dataset = source.read(data / "kws")
    spoken = [one for one in dataset.recordings if one.label != "silence"]
    assert len(spoken) == 2160
    assert all(rows[one.path.name] == one.group for one in spoken)


def test_unusable_files_are_left_out_and_named(tmp_path: Path) -> None:
    _words(tmp_path, ["yes", "no"])
    (tmp_path / "yes" / "broken.wav").write_bytes(b"RIFF")
    dataset = source.read(tmp_path)
    assert len(dataset.skipped) == 1
    assert "broken.wav" in dataset.skipped[0]
    assert all(one.path.name != "broken.wav" for one in dataset.recordings)


def test_word_without_usable_file_is_refused(tmp_path: Path) -> None:
    _words(tmp_path, ["yes"])
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "a.wav").write_bytes(b"not sound")
    with pytest.raises(DataError, match=r"no has no usable recording: .*a\.wav"):
        source.read(tmp_path)


def test_empty_class_is_refused(tmp_path: Path) -> None:
    _words(tmp_path, ["yes", "no"])
    (tmp_path / "stop").mkdir()
    with pytest.raises(DataError, match="stop is empty"):
        source.read(tmp_path)
    (tmp_path / "stop" / "a b.mp3").write_bytes(b"ID3")
    said = r"stop has no usable recording: .*a b\.mp3 is not WAV: tinyml import .* --to .*_imported"
    with pytest.raises(DataError, match=said):
        source.read(tmp_path)


def test_files_of_other_formats_are_named_with_the_command_that_converts_them(
    tmp_path: Path,
) -> None:
    _words(tmp_path, ["yes", "no"])
    (tmp_path / "yes" / "phone.FLAC").write_bytes(b"x")
    (tmp_path / "yes" / "phone.M4A").write_bytes(b"x")
    (tmp_path / "yes" / "notes.txt").write_text("x")
    quick = wav.read(tmp_path / "yes" / "00000000_nohash_0.wav")
    wav.write(tmp_path / "yes" / "a.wav", quick)
    raw = bytearray((tmp_path / "yes" / "a.wav").read_bytes())
    raw[24:28] = (44100).to_bytes(4, "little")
    (tmp_path / "yes" / "a.wav").write_bytes(raw)
    flac, other, fast = source.read(tmp_path).skipped
    to = f"tinyml import {tmp_path} --to {tmp_path}_imported"
    assert flac == f"{tmp_path}/yes/phone.FLAC is not WAV: {to}"
    assert other.startswith(f"{tmp_path}/yes/phone.M4A is not WAV: save it as WAV or FLAC")
    assert fast.startswith(f"{tmp_path}/yes/a.wav has 44100 Hz")
    assert f": tinyml import {tmp_path}/yes/a.wav --to" in fast
    said = check.summary([flac, other, fast], tmp_path)
    assert not any(str(tmp_path) in one for one in said)


def test_no_words_are_refused(tmp_path: Path) -> None:
    _noise(tmp_path / "_background_noise_" / "hum.wav")
    with pytest.raises(DataError, match="has no words"):
        source.read(tmp_path)


@pytest.mark.parametrize("name", ["absent", "file"])
def test_what_is_no_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=f"{name} is not a folder"):
        source.read(tmp_path / name)


def _dataset(speakers: int, words: Sequence[str] = ("no", "yes")) -> Dataset:
    recordings = [
        Recording(Path(word, f"{speaker}.wav"), word, f"speaker {speaker}")
        for speaker in range(speakers)
        for word in words
    ]
    return Dataset("test", "none", tuple(recordings))


@pytest.mark.parametrize("speakers", [5, 12, 19, 20, 200])
def test_no_speaker_is_in_two_parts_and_none_is_lost(speakers: int) -> None:
    dataset = _dataset(speakers)
    parts = split(dataset).parts
    groups = [{one.group for one in parts[part]} for part in PARTS]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    assert {one for part in PARTS for one in parts[part]} == set(dataset.recordings)
    assert parts[TEST]
    assert len(parts[TRAIN]) > len(parts[TEST])


def test_part_of_a_speaker_does_not_depend_on_the_others() -> None:
    small, large = split(_dataset(50)).parts, split(_dataset(400)).parts
    for part in (TRAIN, VALIDATION, TEST):
        assert set(small[part]) <= set(large[part])


def test_single_speaker_cannot_be_divided() -> None:
    with pytest.raises(DataError, match="no test recordings of no, yes"):
        split(_dataset(1))


def test_a_word_of_one_s_own_beside_speech_commands_is_learned(tmp_path: Path) -> None:
    _words(tmp_path, [*source.WORDS, *source.OTHER_WORDS])
    for number in range(10):
        _noise(tmp_path / "jarvis" / f"take {number}.wav", seed=100 + number)
    _noise(tmp_path / "tests" / "a.wav", seed=99)
    dataset = source.read(tmp_path)
    assert set(dataset.labels) == {"silence", "unknown", "jarvis", *source.WORDS}
    assert sum(one.label == "jarvis" for one in dataset.recordings) == 10
    assert any("jarvis is no word" in one and "learned" in one for one in dataset.remarks)
    assert any("tests is left out" in one for one in dataset.remarks)


def test_long_speech_of_other_words_is_as_many_recordings_as_it_has_seconds(tmp_path: Path) -> None:
    _words(tmp_path, ["yes", "no"])
    talk = np.random.default_rng(7).integers(-5000, 5000, 30 * 16000 + 500).astype(np.int16)
    talk[10 * 16000 : 20 * 16000] = 3  # a pause
    (tmp_path / "_unknown_").mkdir()
    wav.write(tmp_path / "_unknown_" / "talk.wav", talk)
    dataset = source.read(tmp_path)
    unknown = [one for one in dataset.recordings if one.label == "unknown"]
    assert [one.number for one in unknown] == [*range(1, 11), *range(21, 31)]
    assert {one.group for one in unknown} == {"talk"}
    for recording in unknown:
        second = talk[(recording.number - 1) * 16000 : recording.number * 16000]
        assert np.array_equal(source.samples(recording), second)
    (remark,) = dataset.remarks
    assert "talk.wav lasts 30.0 s: 20 of its 30 seconds are used" in remark
