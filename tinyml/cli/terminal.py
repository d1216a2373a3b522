"""The terminal as a view that fills it: single keys in, a picture out, and all of it put back.

Whatever ends the `with` block, an exception or SIGTERM included, the terminal is as it was.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, TextIO

from rich.console import Console as RichConsole
from rich.live import Live
from rich.text import Text

QUIT_KEYS = "\x1d\x03q"  # Ctrl-], Ctrl-C, q
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_LOCAL, _CHARACTERS = 3, 6  # fields of what tcgetattr returns


class Screen:
    """The alternate screen of `out`, and keys of `keyboard` where that is a terminal as well."""

    def __init__(self, out: TextIO, keyboard: TextIO | None = None) -> None:
        keyboard = sys.stdin if keyboard is None else keyboard
        self._keyboard = keyboard.fileno() if keyboard.isatty() else None
        self._console = RichConsole(file=out, highlight=False)
        self._live = Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._settings: list[Any] | None = None
        self._handlers: dict[signal.Signals, Any] = {}

    @property
    def has_keys(self) -> bool:
        """Whether keys can be pressed."""
        return self._keyboard is not None

    @property
    def is_ascii(self) -> bool:
        """Whether it shows no other characters."""
        return not self._console.encoding.lower().startswith("utf")

    def __enter__(self) -> Screen:
        try:
            for number in _SIGNALS:
                self._handlers[number] = signal.signal(number, _leave)
            if self._keyboard is not None:
                self._settings = termios.tcgetattr(self._keyboard)
                by_key = _by_key(self._settings, os.fpathconf(self._keyboard, "PC_VDISABLE"))
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, by_key)
            self._live.start()
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def typed(self) -> str:
        """Return what was typed since the last call."""
        if self._keyboard is None or not select.select([self._keyboard], [], [], 0)[0]:
            return ""
        typed = os.read(self._keyboard, 64)
        if not typed:  # the terminal has gone
            return QUIT_KEYS[0]
        return typed.decode("ascii", "replace")

    def draw(self, picture: Callable[[int, int], Text]) -> None:
        """Show what `picture` makes for so many columns and lines."""
        width, height = self._console.size
        self._live.update(picture(width, height), refresh=True)

    def _restore(self) -> None:
        try:
            self._live.stop()
        finally:
            if self._keyboard is not None and self._settings is not None:
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._settings)
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._handlers.clear()


def _by_key(settings: list[Any], disabled: int) -> list[Any]:
    """Return settings for single keys without echo; Ctrl-C still interrupts.

    Nothing suspends or ends the process past `__exit__`: Ctrl-Z and Ctrl-\\ do nothing. `disabled`
    is the character that stands for none.
    """
    changed = [*settings]
    changed[_LOCAL] &= ~(termios.ECHO | termios.ICANON)
    changed[_CHARACTERS] = [*settings[_CHARACTERS]]
    changed[_CHARACTERS][termios.VMIN] = 1
    changed[_CHARACTERS][termios.VTIME] = 0
    for character in (termios.VSUSP, termios.VQUIT):
        changed[_CHARACTERS][character] = bytes([disabled & 0xFF])
    return changed


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
