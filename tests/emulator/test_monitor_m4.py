"""The monitor on the emulated board: its page for several viewers, and a board that is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tinyml import device
from tinyml.records import Firmware

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]

CLIP = Path(__file__).parents[2] / "models" / "keyword_spotting" / "examples" / "yes.wav"
WAIT_S = 120.0


@pytest.fixture
def monitor(flashed: Firmware, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A monitor that plays a clip to the emulated board, with a page."""
    with subprocess.Popen(
        [sys.executable, "-m", "tinyml", "monitor", "--json", "--web", ":0", "--source", str(CLIP)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        yield process
        process.kill()


def url_of(monitor: subprocess.Popen[str]) -> str:
    assert monitor.stderr is not None
    found = re.fullmatch(r"page: (\S+)\n", monitor.stderr.readline())
    assert found
    return found[1]


def messages(url: str) -> list[dict[str, Any]]:
    """Everything a viewer is sent, until the end."""
    with urllib.request.urlopen(f"{url}events", timeout=WAIT_S) as stream:
        lines = [line.decode() for line in stream]
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def test_several_viewers_see_what_the_command_prints(monitor: subprocess.Popen[str]) -> None:
    url = url_of(monitor)
    got: list[list[dict[str, Any]]] = [[], [], []]

    def look(number: int) -> None:
        got[number] = messages(url)

    viewers = [threading.Thread(target=look, args=(number,)) for number in range(len(got))]
    for viewer in viewers:
        viewer.start()
    out, err = monitor.communicate(timeout=WAIT_S)
    assert monitor.returncode == 0, err
    for viewer in viewers:
        viewer.join(WAIT_S)
    records = [json.loads(line) for line in out.splitlines()]
    printed = [one for one in records if one["kind"] == "inference"]
    assert len(printed) == 6
    for seen in got:
        reads = [one for one in seen if one["kind"] == "read"]
        assert [one["second"] for one in reads] == [one["second"] for one in printed]
        assert [one["top"] for one in reads] == [one["top"] for one in printed]
        assert [(one["label"], one["said"]) for one in seen if one["kind"] == "heard"] == [
            ("yes", "yes")
        ]
        rows = sum(len(one["data"]) * 3 // 4 // 40 for one in seen if one["kind"] == "rows")
        assert rows == 99  # of two seconds
        assert (seen[0]["kind"], seen[-1]["kind"]) == ("start", "end")
    assert records[-1]["kind"] == "summary"
    assert (records[-1]["right"], records[-1]["dropped"], records[-1]["lost"]) == (1, 0, 0)


def test_a_board_that_is_killed_and_flashed_again_goes_on(
    monitor: subprocess.Popen[str], flashed: Firmware
) -> None:
    assert monitor.stdout is not None
    for line in monitor.stdout:
        if json.loads(line)["kind"] == "inference":
            break
    (running,) = device.devices()
    os.kill(running.pid, signal.SIGKILL)
    for line in monitor.stdout:
        if json.loads(line)["kind"] == "disconnected":
            break
    device.flash(flashed)
    out, err = monitor.communicate(timeout=WAIT_S)
    assert monitor.returncode == 0, err
    kinds = [json.loads(line)["kind"] for line in out.splitlines()]
    assert "reconnected" in kinds
    summary = json.loads(out.splitlines()[-1])
    assert (summary["right"], summary["judged"], summary["connections"]) == (1, 1, 2)
