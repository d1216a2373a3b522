"""Other programs: what they leave, and that none outlives its time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tinyml import proc
from tinyml.errors import ToolError


def test_a_program_that_is_given_up_takes_along_what_it_started(tmp_path: Path) -> None:
    script = "sleep 100 & echo $! > child; wait"
    with pytest.raises(ToolError, match="did not finish"):
        proc.run(["sh", "-c", script], cwd=tmp_path, timeout_s=0.5)
    state = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    until = time.monotonic() + 20
    while state.exists() and state.read_text().split()[2] != "Z" and time.monotonic() < until:
        time.sleep(0.05)
    assert time.monotonic() < until
