"""What `tinyml train` says around training itself; nothing is trained here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tinyml import cli
from tinyml.model import metrics
from tinyml.records import Accuracy, Bundle, Card, Division
from tinyml.training import Progress, train


def _interrupted(*arguments: Any, **_: Any) -> None:
    _, _, out, _, on_progress, *_ = arguments
    on_progress(Progress("training", 1, 2, 0.5, 0.25, 7261))
    if out.name in ("kept", "anew"):
        train.checkpoint_path(out).write_bytes(b"state")
    raise KeyboardInterrupt


@pytest.mark.parametrize("out", ["kept", "anew", "others", "nothing"])
def test_an_interrupted_run_says_how_to_go_on(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "train", _interrupted)
    if out in ("anew", "others"):
        checkpoint = train.checkpoint_path(tmp_path / out)
        checkpoint.write_bytes(b"what another training left")
        os.utime(checkpoint, (1, 1))
    given = [
        "--data",
        "my words",
        "--epochs",
        "9",
        "--qat",
        "--from",
        "none",
        "--out",
        str(tmp_path / out),
    ]
    assert cli.main(["train", "keyword_spotting", *given, "--json"]) == cli.EXIT_INTERRUPTED
    shown = capsys.readouterr()
    again = (
        f"tinyml train keyword_spotting --data 'my words' --out {tmp_path}/{out} --epochs 9 "
        "--qat --from none"
    )
    assert (f"continue with: {again} --resume" in shown.err) == (out in ("kept", "anew"))
    assert shown.err.endswith("interrupted\n")
    assert shown.out == ""


@pytest.mark.parametrize(
    ("right", "clips", "labels", "said"),
    [
        (10, 10, 3, ["asked about 10"]),
        (11, 20, 2, ["interval 34.21% to 74.18% is not above always saying the same, 50.00%"]),
        (5, 10, 3, ["not above always saying the same, 33.33%", "asked about 10"]),
        (15, 20, 2, []),
        (0, 0, 2, ["not above always saying the same", "asked about 0"]),
    ],
)
def test_a_useless_model_does_not_end_like_a_good_one(
    right: int,
    clips: int,
    labels: int,
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    share = right / max(clips, 1)
    low, high = metrics.wilson(right, clips)
    card = Card(
        accuracy=Accuracy(share, share, clips, "test", interval=(low, high)),
        labels=tuple(str(number) for number in range(labels)),
        confusion={str(number): {"0": clips // labels} for number in range(labels)},
        training={},
        split=Division("by speaker"),
    )
    names = tuple("abcdefgh"[:labels])
    made = Bundle("m", b"", "ab" * 32, tmp_path, labels=names, card=card)
    monkeypatch.setattr(train, "train", lambda *_: made)
    assert cli.main(["train", "keyword_spotting", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert f"int8    {share:.2%}, 95 % interval {low:.2%} to {high:.2%}" in shown
    warnings = [line for line in shown.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == len(said)
    assert all(part in line for part, line in zip(said, warnings, strict=True))
