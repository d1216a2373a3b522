"""`tinyml capture` with a device in Python: questions, refusals, what is said and what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_device import Clock, FakeDevice, FakeLink

from tinyml import device
from tinyml.cli import main, recording
from tinyml.device import deadline
from tinyml.device.client import Device
from tinyml.media import wav

Run = Callable[..., int]


class Microphone(FakeDevice):
    """Hears half a second of a tone in every recording, after as long a silence."""

    def _chunks(self, samples: bytes) -> bytes:
        values = np.arange(len(samples) // 2)
        tone = 9000 * np.sin(values / 9) * ((values > 8000) & (values < 16000))
        return super()._chunks(tone.astype("<i2").tobytes())


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Microphone:
    """The device that every command finds; no countdown takes time."""
    clock = Clock()
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=clock.monotonic))
    monkeypatch.setattr(recording.time, "sleep", lambda seconds: None)
    made = Microphone(sensor="pdm")

    def connect(*_: Any, **__: Any) -> Device:
        return Device(FakeLink(made, clock), "fake")

    monkeypatch.setattr(device, "connect", connect)
    return made


def run(out: Path, *more: str) -> int:
    return main(["capture", "keyword_spotting", "--label", "yes", "--out", str(out), *more])


def files(out: Path) -> list[str]:
    return sorted(one.name for one in (out / "yes").glob("*.wav"))


def test_words_are_recorded_trimmed_and_described(
    fake: Microphone, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--count", "2", "--yes", "--speaker", "ann") == 0
    out = capsys.readouterr().out
    assert "2 of 2 recordings kept" in out
    assert "\x1b" not in out
    assert len(files(tmp_path)) == 2
    path = tmp_path / "yes" / files(tmp_path)[0]
    assert len(wav.read(path)) == 16000  # of two seconds
    notes = json.loads(path.with_name(f"{path.name}.json").read_text())
    assert (notes["speaker"], notes["sensor"], notes["label"]) == ("ann", "pdm", "yes")
    assert "\x1b" not in notes["board"]


def test_a_person_may_record_again_or_end(
    fake: Microphone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["r", "r", "r", "r", "", "q"])  # as often as it takes
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", answer)
    assert run(tmp_path, "--count", "5") == 1  # fewer than were wanted
    assert len(files(tmp_path)) == 1
    assert fake.executed.count("CAPTURE") >= 6
    assert all("Enter keeps it" in one for one in asked)


def test_ctrl_d_ends_as_q_does(
    fake: Microphone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answer(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", answer)
    assert run(tmp_path, "--count", "2") == 1
    assert "0 of 2 recordings kept" in capsys.readouterr().out
    assert not files(tmp_path)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_incomplete_recordings_are_tried_again_and_never_kept(
    fake: Microphone, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    fake.overruns = 31
    assert run(tmp_path, "--count", "1", "--yes", *more) == 1
    told = capsys.readouterr()
    assert "lost 31 samples" in told.err
    assert not (tmp_path / "yes").exists()
    if more:
        document = json.loads(told.out)
        assert document["kept"] == []
        assert "31" in document["refused"][0]["reason"]


def test_a_recording_longer_than_the_memory_is_refused_with_the_longest(
    fake: Microphone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Device, "line_rate", lambda self: 11_500.0)
    assert run(tmp_path, "--seconds", "10") == 2
    told = capsys.readouterr().err
    assert "at most 2.8 s, not 10" in told
    assert "--seconds 2.8" in told
    assert run(tmp_path, "--seconds", "2", "--count", "1", "--yes") == 0
    assert main(["capture", "keyword_spotting", "--longest", "--json"]) == 0
    assert 2.7 < json.loads(capsys.readouterr().out.split("\n", 2)[2])["longest_s"] < 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "x.wav"], "does not exist"),
        (["--label", "../up"], "cannot be a label"),
        (["--speaker", "a/b"], "cannot be a speaker"),
    ],
)
def test_what_makes_no_sense_is_an_error(
    fake: Microphone,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    assert run(tmp_path, *arguments) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
