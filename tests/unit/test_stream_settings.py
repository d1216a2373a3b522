"""Other stream settings for a model: what changes, what stays, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tinyml import cli
from tinyml.errors import ConfigError
from tinyml.model import bundle, stream_settings

GOLDEN = Path(__file__).parents[1] / "golden"


def test_a_copy_has_the_settings_and_everything_else_of_the_original(tmp_path: Path) -> None:
    before = bundle.load("keyword_spotting")
    changed = stream_settings.changed(before, threshold=0.8, average=5, refractory_ms=0)
    stream_settings.save(changed, tmp_path / "strict")
    after = bundle.load(tmp_path / "strict")
    assert after.stream is not None
    assert before.stream is not None
    assert (after.stream.threshold, after.stream.average, after.stream.refractory_ms) == (0.8, 5, 0)
    assert after.stream.background == before.stream.background
    assert after.name == "strict"
    assert after.sha256 == before.sha256
    assert bundle.read_files(after) == bundle.read_files(before)
    assert after.card.accuracy == before.card.accuracy
    assert bundle.load("keyword_spotting").stream == before.stream


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"threshold": 0.0}, "threshold is 0"),
        ({"threshold": 1.5}, "threshold is 1.5, not 0 to 1"),
        ({"threshold": float("nan")}, "threshold is nan"),
        ({"average": 0}, "average is 0, not 1 to 32"),
        ({"average": 33}, "average is 33"),
        ({"refractory_ms": 10**12}, "refractory is"),
    ],
)
def test_what_the_recognizer_cannot_do_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        stream_settings.changed(bundle.load("keyword_spotting"), **settings)


def test_a_model_without_a_stream_has_no_threshold() -> None:
    model = next(iter(sorted(GOLDEN.glob("conv_2d/*.tflite"))))
    with pytest.raises(ConfigError, match="not used on streams"):
        stream_settings.changed(bundle.load(model), threshold=0.5)


def test_the_command_writes_a_card_and_replaces_none_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "strict"
    given = ["tune", "keyword_spotting", "--threshold", "0.8", "--out", str(out)]
    assert cli.main(given) == 0
    assert "threshold  0.5 -> 0.8" in capsys.readouterr().out
    assert cli.main(given) == 2
    told = capsys.readouterr().err
    assert "holds a bundle already" in told
    assert "--force" in told
    assert cli.main([*given, "--force", "--refractory", "900"]) == 0
    assert "refractory_ms  700 -> 900" in capsys.readouterr().out
    assert cli.main(["tune", "--out", str(tmp_path / "x")]) == 2
    assert not (tmp_path / "x").exists()
