"""The live screen on a real terminal: what it shows, what keys do, and what it leaves behind."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pytest
from fake_board import FakeBoard

from tinyml.media import wav

WAIT_S = 240.0  # for what must come: a machine with much else to do takes its time
ENTER, LEAVE, SHOW_CURSOR = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"


def _hear_interrupts() -> None:
    """Undo that a shell has its background jobs, such as these tests, ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A terminal in which `tinyml monitor` runs, and everything it was sent."""

    def __init__(self, folder: Path, *arguments: str, columns: int = 100, lines: int = 30) -> None:
        self._master, self._slave = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self._slave)
        self.sent = b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tinyml", "monitor", *arguments],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            cwd=folder,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
            preexec_fn=_hear_interrupts,
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    @property
    def settings(self) -> list[Any]:
        return termios.tcgetattr(self._slave)

    def read(self) -> None:
        if select.select([self._master], [], [], 0.05)[0]:
            self.sent += os.read(self._master, 65536)

    def until(self, wanted: bytes | Callable[[], bool], since: int = 0) -> int:
        """Wait until `wanted` has been sent, or is true; return where what was sent ends."""
        end = time.monotonic() + WAIT_S
        while not (wanted in self.sent[since:] if isinstance(wanted, bytes) else wanted()):
            assert time.monotonic() < end, self.sent[-2000:].decode("utf-8", "replace")
            self.read()
        return len(self.sent)

    def ends_with(self, code: int) -> None:
        """Wait for the end, and see the terminal as it was before."""
        self.until(lambda: self.process.poll() is not None)
        for _ in range(5):
            self.read()
        assert self.process.returncode == code, self.sent[-2000:].decode("utf-8", "replace")
        assert self.settings == self.before
        assert self.sent.count(ENTER) == self.sent.count(LEAVE) == 1
        assert self.sent.rindex(LEAVE) > self.sent.rindex(ENTER)
        assert self.sent.rindex(SHOW_CURSOR) > self.sent.rindex(b"\x1b[?25l")


@pytest.fixture
def board() -> Iterator[FakeBoard]:
    with FakeBoard() as board:
        yield board


def test_keys_act_and_the_terminal_is_as_it_was(board: FakeBoard, tmp_path: Path) -> None:
    with Terminal(tmp_path, "--port", board.port) as terminal:
        at = terminal.until(b"Ctrl-] or Ctrl-C quits")
        at = terminal.until(b"inferences/s", at)
        assert not terminal.settings[3] & (termios.ECHO | termios.ICANON)
        terminal.press(b"?")
        at = terminal.until(b"restart the device's firmware", at)
        terminal.press(b"?l")
        at = terminal.until(b"logging to monitor.log", at)
        terminal.press(b"r")
        at = terminal.until(b"--- reset", at)
        assert "RESET" in board.device.executed
        terminal.press(b"\x1a\x1c")  # Ctrl-Z and Ctrl-\ would leave the terminal as it is now
        terminal.press(b"p")
        at = terminal.until(b"paused", at)
        terminal.resize(40, 10)
        terminal.press(b"p")
        terminal.until(b"Ctrl-] Ctrl-C quit", at)
        terminal.press(b"\x1d")
        terminal.ends_with(0)
    assert b"samples dropped" in terminal.sent[terminal.sent.rindex(LEAVE) :]
    assert "--- reset" in (tmp_path / "monitor.log").read_text()
    assert b"\x1b[2Jo" not in terminal.sent  # the fake's label clears no screen


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "SIGHUP", "gone"])
def test_whatever_ends_it_the_terminal_is_as_it_was(
    board: FakeBoard, tmp_path: Path, how: str
) -> None:
    for name in ("a.wav", "b.wav"):
        wav.write(tmp_path / name, np.zeros(1600, np.int16))
    with Terminal(
        tmp_path, "--port", board.port, "--no-reconnect", "--source", "a.wav", "b.wav"
    ) as terminal:
        terminal.until(b"playing b.wav")
        if how == "Ctrl-C":
            # As the terminal's driver does; it is not the controlling terminal of the process.
            os.kill(terminal.process.pid, signal.SIGINT)
            terminal.ends_with(0)
            left = terminal.sent[terminal.sent.rindex(LEAVE) :]
            assert b"a.wav" in left  # what was finished is summed up
            assert b"b.wav" not in left
        elif how == "gone":
            board.unplug()
            terminal.ends_with(3)
            left = terminal.sent[terminal.sent.rindex(LEAVE) :]
            assert b"0 samples dropped" in left
            assert b"has gone" in left
        else:
            number = signal.Signals[how]
            os.kill(terminal.process.pid, number)
            terminal.ends_with(128 + number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_it_leaves_the_totals(
    board: FakeBoard, tmp_path: Path, number: signal.Signals
) -> None:
    with Terminal(tmp_path, "--port", board.port, "--plain") as terminal:
        terminal.until(lambda: "SENSOR" in board.device.executed)
        terminal.until(b"runs tiny")
        os.kill(terminal.process.pid, number)
        terminal.until(lambda: terminal.process.poll() is not None)
        terminal.until(b"samples dropped")
    assert terminal.process.returncode == 128 + number


def test_a_terminal_that_cannot_be_drawn_on_gets_lines(board: FakeBoard, tmp_path: Path) -> None:
    with Terminal(tmp_path, "--port", board.port, "--plain") as terminal:
        terminal.until(b"runs tiny")
        terminal.until(lambda: "SENSOR" in board.device.executed)
        os.kill(terminal.process.pid, signal.SIGINT)
        terminal.until(lambda: terminal.process.poll() is not None)
        terminal.until(b"interrupted")
    assert terminal.process.returncode == 130
    assert ENTER not in terminal.sent
    assert b"0 samples dropped" in terminal.sent
