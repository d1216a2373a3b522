"""What is left out of a data set, and why: copies, wrong labels, silence, broken sensors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml import tasks
from tinyml.datasets import (
    Dataset,
    Recording,
    check,
    image_folder,
    magic_wand,
    motion_folder,
    speech_commands,
    split,
    stroke_json,
)
from tinyml.errors import DataError
from tinyml.media import motion_csv, wav


def _sound(folder: Path, name: str, seed: int, peak: int = 9000, seconds: float = 0.1) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    wav.write(path, draw.integers(-peak, peak, round(16000 * seconds)).astype(np.int16))
    return path


def test_copies_are_left_out_and_named(tmp_path: Path) -> None:
    for number in range(3):
        _sound(tmp_path, f"yes/a{number}.wav", number)
        _sound(tmp_path, f"no/b{number}.wav", 10 + number)
    _sound(tmp_path, "yes/copy.wav", 1)
    dataset = speech_commands.read(tmp_path)
    assert len(dataset.recordings) == 6
    (said,) = dataset.skipped
    assert said == f"{tmp_path}/yes/copy.wav is a copy of {tmp_path}/yes/a1.wav"


def test_one_sound_under_two_labels_is_wrong_in_both(tmp_path: Path) -> None:
    for number in range(3):
        _sound(tmp_path, f"yes/a{number}.wav", number)
        _sound(tmp_path, f"no/b{number}.wav", 2 + number)
    dataset = speech_commands.read(tmp_path)
    assert {one.path.name for one in dataset.recordings} == {"a0.wav", "a1.wav", "b1.wav", "b2.wav"}
    assert len(dataset.skipped) == 2
    assert all("labelled no and yes" in one for one in dataset.skipped)


def test_silence_teaches_no_word_but_may_be_silence(tmp_path: Path) -> None:
    for word in ("yes", "no"):
        _sound(tmp_path, f"{word}/a.wav", len(word))
    _sound(tmp_path, "yes/quiet.wav", 5, peak=20)
    _sound(tmp_path, "_silence_/quiet.wav", 6, peak=20)
    dataset = speech_commands.read(tmp_path)
    assert [one for one in dataset.skipped if "quiet.wav is silent" in one] == list(dataset.skipped)
    assert sum(one.label == "silence" for one in dataset.recordings) == 1


def test_clipping_is_named_and_too_much_of_it_left_out() -> None:
    tone = 40000 * np.sin(np.arange(8000) / 7)
    for gain, refused, remarked in ((0.5, False, False), (0.9, False, True), (9, True, False)):
        samples = np.clip(tone * gain, -32768, 32767).astype(np.int16)
        problem, remark = check.sound(samples)
        assert ("clipped" in problem, "clipped" in remark) == (refused, remarked)


def test_what_is_too_short_or_only_an_offset_is_no_sound() -> None:
    assert "lasts 0.000 s" in check.sound(np.array([9000], np.int16))[0]
    assert "lasts 0.000 s" in check.sound(np.array([9000], np.int16), rest=True)[0]
    assert "is silent (its peak is 0" in check.sound(np.full(16000, 3000, np.int16))[0]
    tone = (3000 + 200 * np.sin(np.arange(16000) / 9)).astype(np.int16)
    assert check.sound(tone) == ("", "")


def test_a_summary_shortens_whole_paths_only() -> None:
    said = [
        "data/my_data/a.wav is a copy of data/my data/b.wav",
        "data/a.wav has 8 kHz: sox 'data/my data/b.wav' -b 16 data/my_data/b.wav",
    ]
    assert check.summary(said, Path("data")) == [
        "my_data/a.wav is a copy of my data/b.wav",
        "a.wav has 8 kHz: sox 'my data/b.wav' -b 16 my_data/b.wav",
    ]
    assert check.summary(said, None) == said


@pytest.mark.parametrize(
    ("scale", "noise", "rate", "said"),
    [
        (
            1,
            0,
            100,
            "measures 1 at rest (1 moment), where milli-g would be 1000 (it is probably in g:",
        ),
        (0, 0, 100, "is zero throughout"),
        (1000, 30, 100_000, "100,000 samples a second, no sensor of motion is as fast (time_ms is"),
        (1000, 30, 5_000, "lasts 0.012 s, no motion is shorter than 0.2 s (time_ms is probably in"),
        (1000, 0, 100, "does not move at all"),
        (9.81, 0.5, 100, "probably in m/s2: multiply by 101.9"),
        (1000, 30, 5, "5 samples a second"),
        (1000, 30, 100, ""),
    ],
)
def test_motion_of_no_use_is_named(scale: float, noise: float, rate: float, said: str) -> None:
    draw = np.random.default_rng(1)
    samples = np.array([0, 0, scale]) + draw.normal(0, 1, (60, 3)) * noise
    if scale == 9.81:
        samples[::7] += 4 * scale
    problem, remark = check.motion(samples, rate)
    assert (said in problem) if said else (problem, remark) == ("", "")


def test_a_sensor_at_the_end_of_its_range() -> None:
    draw = np.random.default_rng(1)
    swing = draw.normal([0, 0, 1000], 1500, (200, 3))
    assert check.motion(swing, 100) == ("", "")
    _, remark = check.motion(np.clip(swing, -2000, 2000), 100)
    assert "beyond the sensor's range" in remark
    problem, _ = check.motion(np.clip(swing * 20, -2000, 2000), 100)
    assert "beyond the sensor's range" in problem


def test_a_column_without_numbers_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("time_ms,x_mg,y_mg,z_mg\n0,1,,1000\n10,2,nan,1001\n20,3,,1002\n")
    with pytest.raises(DataError, match=r"a\.csv has no number in column y_mg"):
        motion_csv.read(path, 100)
    path.write_text("time_ms,x_mg,y_mg,z_mg\n0,1,2,1000\n10,2,,1001\n")
    with pytest.raises(DataError, match=r"a\.csv, line 3 is not finite: '10,2,,1001'"):
        motion_csv.read(path, 100)


def test_motion_folders_are_checked(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    for label in ("squat", "negative"):
        (tmp_path / label).mkdir()
        for number in range(2):
            samples = draw.normal(600, 40, (40, 3)).astype(np.int16)
            motion_csv.write(tmp_path / label / f"{number}.csv", samples, 100)
        still = np.full((40, 3), 577, np.int16)
        motion_csv.write(tmp_path / label / "still.csv", still + len(label), 100)
    dataset = motion_folder.read(tmp_path)
    assert [one for one in dataset.skipped if "squat/still.csv does not move" in one]
    assert len(dataset.recordings) == 5


def test_a_fingerprint_is_of_contents_and_labels(tmp_path: Path) -> None:
    first, second = _sound(tmp_path, "a.wav", 1), _sound(tmp_path, "b.wav", 2)
    renamed = first.rename(tmp_path / "c.wav")
    original = check.fingerprint([Recording(renamed, "yes", "x"), Recording(second, "no", "y")])
    moved = _sound(tmp_path, "elsewhere/d.wav", 1)
    others = [Recording(moved, "yes", "z"), Recording(second, "no", "y")]
    assert check.fingerprint(others) == original
    relabelled = [Recording(moved, "no", "z"), Recording(second, "no", "y")]
    assert check.fingerprint(relabelled) != original
    _sound(tmp_path, "b.wav", 3)
    assert check.fingerprint(others) != original


def _strokes(folder: Path) -> None:
    strokes = [(label, np.linspace([0, 0], [way, 1], 8)) for label, way in (("1", 1), ("2", 2))]
    stroke_json.write(folder / "a.json", strokes)


def _wand(folder: Path) -> None:
    for label, pull in (("ring", 1), ("slope", 2)):
        lines = [f"{pull * 90 * (number % 3)},0,1000" for number in range(8)]
        (folder / f"gesture_{label}.txt").write_text("\n".join(["-,-,-", *lines]))


def _motions(folder: Path) -> None:
    for label, pull in (("ring", 1), ("slope", 2)):
        (folder / label).mkdir()
        rows = [f"{20 * number},{pull * 90 * (number % 3)},0,1000" for number in range(20)]
        text = "\n".join([",".join(motion_csv.COLUMNS), *rows])
        (folder / label / "a.csv").write_text(text)


def _words(folder: Path) -> None:
    for word, step in (("bleep", 7), ("blop", 9)):
        (folder / word).mkdir()
        wav.write(folder / word / "a.wav", (np.arange(1600) * step).astype(np.int16))


def _pictures(folder: Path) -> None:
    for label, gray in (("person", 9), ("not_person", 200)):
        (folder / label).mkdir()
        Image.fromarray(np.full((20, 30), gray, np.uint8)).save(folder / label / "a.png")


@pytest.mark.parametrize(
    ("make", "read", "digests"),
    [
        (_strokes, stroke_json.read, [0x139EAFE8B0C64BE3, 0x57908A38E9DBE084]),
        (_wand, magic_wand.read, [0x6F57C0E40F62A8B6, 0x6B8684C9EBF58F26]),
        (_motions, motion_folder.read, [0x71EFBA420A8CC271, 0x546CE0C960E88F96]),
        (_words, speech_commands.read, [0x97CDD2007C46C90B, 0xC46B4F65DC4FF013]),
        (_pictures, image_folder.read, [0x58C4518A2740AAD2, 0xE9DE290395269C6A]),
    ],
)
def test_digests_stay_or_bundles_forget_what_they_learned_from(
    make: Callable[[Path], None],
    read: Callable[[Path], Dataset],
    digests: list[int],
    tmp_path: Path,
) -> None:
    make(tmp_path)
    assert [one.digest for one in read(tmp_path).recordings] == digests


def test_folders_in_a_label_s_folder_are_of_that_label_and_hidden_files_are_none(
    tmp_path: Path,
) -> None:
    for word in ("yes", "no"):
        for speaker in ("ada", "bob"):
            _sound(tmp_path, f"{word}/{speaker}/1.wav", len(word + speaker) * ord(speaker[0]))
    (tmp_path / "yes" / "ada" / "._1.wav").write_bytes(b"of macOS")
    (tmp_path / "yes" / ".cache").mkdir()
    (tmp_path / "yes" / ".cache" / "x.wav").write_bytes(b"of something")
    (tmp_path / "README.txt").write_text("about")
    dataset = speech_commands.read(tmp_path)
    assert sorted(one.label for one in dataset.recordings) == ["no", "no", "yes", "yes"]
    assert dataset.skipped == ()
    assert sum("2 of its 2 recordings lie deeper, as in" in one for one in dataset.remarks) == 2


def test_labels_are_one_text_however_a_folder_s_name_is_written(tmp_path: Path) -> None:
    for number, word in enumerate(("cafe\u0301", "no")):
        _sound(tmp_path, f"{word}/1.wav", number)
    assert {one.label for one in speech_commands.read(tmp_path).recordings} == {"caf\u00e9", "no"}


@pytest.mark.parametrize(("word", "why"), [("a\u00a0b", "U+00A0"), ("caf\udce9", "byte 0xe9")])
def test_labels_that_are_not_alike_everywhere_are_refused(
    tmp_path: Path, word: str, why: str
) -> None:
    _sound(tmp_path, "no/1.wav", 1)
    _sound(tmp_path, f"{word}/1.wav", 2)
    with pytest.raises(DataError) as refused:
        speech_commands.read(tmp_path)
    assert why in refused.value.message
    refused.value.message.encode()


def test_names_of_files_that_are_no_utf_8_are_shown_escaped(tmp_path: Path) -> None:
    for word in ("yes", "no"):
        for number in range(8):
            _sound(tmp_path, f"{word}/{number}\udce9.wav", number + 9 * len(word))
    _sound(tmp_path, "no/short\udce9.wav", 1, seconds=0.01)
    dataset = speech_commands.read(tmp_path)
    (skipped,) = dataset.skipped
    assert r"short\xe9.wav lasts" in skipped
    split(dataset)
    assert len(check.fingerprint(dataset.recordings)) == 64


@pytest.mark.parametrize("beside", ["README.txt", "notes.json"])
def test_a_stray_file_beside_folders_of_motion_decides_nothing(tmp_path: Path, beside: str) -> None:
    draw = np.random.default_rng(1)
    for label in ("ring", "wing"):
        (tmp_path / label).mkdir()
        for number in range(3):
            samples = draw.normal([0, 0, 1000], 100, (60, 3)).astype(np.int16)
            motion_csv.write(tmp_path / label / f"{number}.csv", samples, 50)
    (tmp_path / beside).write_text('{"made": "today"}')
    assert set(tasks.load("gesture").read(tmp_path).labels) >= {"ring", "wing"}


def test_files_are_in_the_order_in_which_they_are_numbered() -> None:
    files = [Path(f"a/ring_{number}.csv") for number in (10, 2, 1, 9)]
    assert [file.stem for file in sorted(files, key=check.in_order)] == [
        "ring_1", "ring_2", "ring_9", "ring_10",
    ]  # fmt: skip
