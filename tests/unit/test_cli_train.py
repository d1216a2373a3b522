"""What `tinyml train` says around training itself; nothing is trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tinyml import cli, train
from tinyml.training import Progress


def _interrupted(*arguments: Any, **_: Any) -> None:
    _, _, out, _, on_progress, *_ = arguments
    on_progress(Progress("training", 1, 2, 0.5, 0.25, 7261))
    if out.name == "kept":
        train.checkpoint_path(out).write_bytes(b"state")
    raise KeyboardInterrupt


@pytest.mark.parametrize("out", ["kept", "nothing"])
def test_an_interrupted_run_says_how_to_go_on(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "train", _interrupted)
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
        f"tinyml train keyword_spotting --data 'my words' --out {tmp_path / out} --epochs 9 "
        "--qat --from none"
    )
    assert (f"continue with: {again} --resume" in shown.err) == (out == "kept")
    assert shown.err.endswith("interrupted\n")
    assert shown.out == ""
