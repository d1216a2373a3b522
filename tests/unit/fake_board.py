"""FakeDevice behind a real line: a TCP server or a pseudo terminal that can go and come back."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import threading
import tty
from pathlib import Path
from types import TracebackType

from fake_device import FakeDevice

from tinyml.protocol import messages as p

# What a device with the audio front end says of it; the fake's labels 0 and 1 make no event.
AUDIO = [
    p.Parameter(16000.0, "features.sample_rate_hz"),
    p.Parameter(30.0, "features.window_ms"),
    p.Parameter(20.0, "features.stride_ms"),
    p.Parameter(40.0, "features.channels"),
    p.Parameter(0.0, "stream.background"),
    p.Parameter(1.0, "stream.background"),
    p.Parameter(2.0, "stream.stride_frames"),
    p.Parameter(1.0, "stream.average"),
]


def listening_device() -> FakeDevice:
    """A device that streams and whose front end this tinyml has."""
    return FakeDevice(claims={p.InfoSection.PARAMETERS: list(AUDIO)})


class FakeBoard:
    """A board while the `with` block lasts. `unplug` takes it away, `plug` brings it back."""

    def __init__(self, device: FakeDevice | None = None, *, link: Path | None = None) -> None:
        """With `link`, a pseudo terminal to which that path leads; else a TCP port."""
        self.device = listening_device() if device is None else device
        self.noise = b""  # what it sends besides, after every answer
        self._link = link
        self._number = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._end: tuple[int, int] = os.pipe()
        self._server: socket.socket | None = None
        self._port = 0

    def __enter__(self) -> FakeBoard:
        self.plug()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unplug()

    @property
    def port(self) -> str:
        """What --port takes."""
        return f"socket://127.0.0.1:{self._port}" if self._link is None else str(self._link)

    def plug(self, link: Path | None = None) -> None:
        """Start to answer, anew: at the same port, or through another `link`."""
        self.device.restart()
        self._end = os.pipe()
        if self._link is None:
            self._server = socket.create_server(("127.0.0.1", self._port))
            self._port = self._server.getsockname()[1]
            serve = self._serve_tcp
        else:
            self._link = link or self._link
            self._pty = pty.openpty()
            tty.setraw(self._pty[1])
            self._link.symlink_to(os.ttyname(self._pty[1]))
            serve = self._serve_pty
        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Be gone: the line breaks."""
        if self._thread is None:
            return
        os.write(self._end[1], b"x")
        self._thread.join(10)
        self._thread = None
        for handle in self._end:
            os.close(handle)
        if self._server is not None:
            self._server.close()
        if self._link is not None:
            self._link.unlink()
            for handle in self._pty:
                os.close(handle)

    def _serve_tcp(self) -> None:
        assert self._server is not None
        while True:
            ready, _, _ = select.select([self._server, self._end[0]], [], [])
            if self._end[0] in ready:
                return
            connected, _ = self._server.accept()
            with connected:
                if not self._answer(connected.fileno()):
                    return

    def _serve_pty(self) -> None:
        self._answer(self._pty[0])

    def _answer(self, handle: int) -> bool:
        """Answer until the host has gone (True) or the board is unplugged (False)."""
        while True:
            ready, _, _ = select.select([handle, self._end[0]], [], [])
            if self._end[0] in ready:
                return False
            try:
                data = os.read(handle, 4096)
            except OSError:
                return True
            if not data:
                return True
            answer = self.device.feed(data) + self.noise
            with contextlib.suppress(OSError):
                while answer:
                    answer = answer[os.write(handle, answer) :]
