"""Other programs: what they leave, and that none outlives its time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinyml import proc
from tinyml.errors import ToolError


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends(pid: int) -> bool:
    """Wait for the end of a process; False where it does not come."""
    until = time.monotonic() + 20
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not runs(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGSEGV])
def test_what_a_program_started_ends_with_us(number: signal.Signals, tmp_path: Path) -> None:
    script = "sleep 100 & echo $! > child.new; mv child.new child; wait"
    # Where the tests run under nohup, SIGHUP would be ignored here as well.
    program = f"""
import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from tinyml import proc
proc.run(['sh', '-c', {script!r}])
"""
    ours = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path)
    until = time.monotonic() + 20
    while not (tmp_path / "child").exists() and time.monotonic() < until:
        time.sleep(0.05)
    child = int((tmp_path / "child").read_text())
    assert runs(child)
    ours.send_signal(number)
    ours.wait(20)
    assert ends(child)


def test_a_program_that_ends_by_itself_is_watched_no_longer() -> None:
    assert proc.run(["sh", "-c", "echo $$"]).code == 0
    with pytest.raises(ToolError, match="exit code 3"):
        proc.run(["sh", "-c", "exit 3"])


def test_a_program_that_is_given_up_takes_along_what_it_started(tmp_path: Path) -> None:
    script = "sleep 100 & echo $! > child; wait"
    with pytest.raises(ToolError, match="did not finish"):
        proc.run(["sh", "-c", script], cwd=tmp_path, timeout_s=0.5)
    assert ends(int((tmp_path / "child").read_text()))
