"""What C++ prints is held back, but not where the process dies of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinyml import quiet

_DYING = """
import os
from tinyml import quiet
with quiet.held():
    os.write(2, b"said and forgotten ")
with quiet.held():
    os.write(2, b"check failed: a > b")
    {end}
"""


def _run(end: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _DYING.format(end=end)],
        env={**os.environ, "TMPDIR": str(folder), "PYTHONFAULTHANDLER": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_where_a_process_dies_is_shown(tmp_path: Path) -> None:
    done = _run("os.abort()", tmp_path)
    assert done.returncode == -6
    assert "Fatal Python error: Aborted" in done.stderr
    assert 'File "<string>", line 8' in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", ["pass", "raise SystemExit"])
def test_nothing_is_shown_or_left_otherwise(end: str, tmp_path: Path) -> None:
    done = _run(end, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_blocks_inside_each_other_hear_their_own() -> None:
    with quiet.held() as outer:
        os.write(2, b"one ")
        with quiet.held() as inner:
            os.write(2, b"two")
        os.write(2, b"three")
    assert (outer(), inner()) == ("one three", "two")
