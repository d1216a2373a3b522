"""Synthetic speech: reproducible, cached, apart from the voices of the examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml.datasets import espeak
from tinyml.errors import ToolError
from tinyml.media import wav
from tinyml.model import bundle


def test_missing_program_comes_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match="espeak-ng is not installed") as caught:
        espeak.generate(1)
    assert caught.value.hint == "sudo apt-get install espeak-ng"


def test_example_voices_are_not_trained_on() -> None:
    assert not set(espeak.EXAMPLE_VARIANTS) & set(espeak.VARIANTS)
    folded = {name.lower() for name in espeak.VARIANTS}
    assert not {name.lower() for name in espeak.EXAMPLE_VARIANTS} & folded


def test_resampling_keeps_a_tone() -> None:
    time = np.arange(22050) / 22050
    tone = (10000 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
    out = espeak.resampled(tone, 22050, 16000)
    expected = 10000 * np.sin(2 * np.pi * 1000 * np.arange(len(out)) / 16000)
    assert len(out) == 16000
    assert np.abs(out - expected)[100:-100].max() < 50


def test_resampling_removes_what_would_alias() -> None:
    time = np.arange(22050) / 22050
    tone = (10000 * np.sin(2 * np.pi * 9500 * time)).astype(np.int16)
    out = espeak.resampled(tone, 22050, 16000)
    assert np.abs(out[100:-100]).max() < 500


@pytest.mark.needs_espeak
def test_words_are_spoken_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path))
    seen: list[tuple[int, int]] = []
    first = espeak.generate(2, seed=3, on_progress=lambda *step: seen.append(step))
    assert seen[-1] == (32, 32)
    assert first.stand_in
    assert len(first.labels) == 12
    for one in first.recordings:
        samples = wav.read(one.path)
        assert one.long or len(samples) == 16000
        assert samples.any()
        assert one.group.removeprefix("espeak ") not in espeak.EXAMPLE_VARIANTS
    monkeypatch.setattr(espeak, "speak", None)
    assert espeak.generate(2, seed=3) == first


@pytest.mark.needs_espeak
def test_speech_is_reproducible() -> None:
    voice = espeak.Voice("en-us", "f3", 150, 50)
    first, again = espeak.speak("yes", voice), espeak.speak("yes", voice)
    assert np.array_equal(first, again)
    other = espeak.speak("no", voice)
    assert not np.array_equal(first, other)


def test_shipped_examples_were_spoken_by_voices_apart() -> None:
    script = Path(__file__).parents[2] / "scripts" / "make_examples"
    text = script.read_text(encoding="utf-8")
    assert all(f'"{variant}"' not in text for variant in espeak.VARIANTS)
    assert bundle.load("keyword_spotting").card.files["examples/examples.json"]
