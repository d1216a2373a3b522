"""The emulated board as tests of the line need it: bare, and among no others."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest import mock

from line_peer import LinePeer

from tinyml import device
from tinyml.build import pio
from tinyml.device import kinds
from tinyml.device.deadline import Deadline
from tinyml.device.links import Link
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle

SMALL = min((Path(__file__).parents[1] / "golden" / "softmax").glob("*.tflite"))
_SEND_S = 120.0


class EmulatedPeer(LinePeer):
    """A board behind a link."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link

    def send(self, data: bytes) -> None:
        deadline = Deadline(_SEND_S)
        while data:  # reading in between: a board that cannot answer does not listen either
            data = data[self._link.write(data, Deadline(0.05)) :]
            while self._read(0.001):
                pass
            assert not deadline.passed, "the emulated board does not take what is sent to it"

    def _read(self, timeout_s: float) -> int:
        data = self._link.read(65536, Deadline(timeout_s))
        self._frames += self.receiver.feed(data)
        return len(data)


@contextmanager
def emulated_peer(folder: Path) -> Iterator[EmulatedPeer]:
    """Build and flash a small model in `folder`; yield the line to it."""
    board = boards.load("qemu-m4")
    project = render.generate(
        plan.resolve(bundle.load(str(SMALL)), board, board.runtime), folder / "project"
    )
    built = pio.build(project)
    # Sockets have short names only.
    with (
        tempfile.TemporaryDirectory(prefix="tml") as runtime,
        mock.patch.dict(os.environ, XDG_RUNTIME_DIR=runtime),
    ):
        device.flash(built)
        try:
            with closing(kinds.of(board).attach(board, _SEND_S).link) as link:
                yield EmulatedPeer(link)
        finally:
            device.stop(board.id)
