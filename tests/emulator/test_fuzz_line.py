"""The emulated board after a quarter of a megabyte of damaged frames: alive, and none believed."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from line_noise import burst

from tinyml import boards, build, bundle, device, firmware, protocol, wire
from tinyml.device import kinds
from tinyml.device.deadline import Deadline
from tinyml.records import Board

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]

MODEL = next(iter(sorted((Path(__file__).parents[1] / "golden" / "softmax").glob("*.tflite"))))
BYTES = 250_000
DEADLINE_S = 120.0


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    """The emulated board, running, among no others."""
    with tempfile.TemporaryDirectory(prefix="tml") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        board = boards.load("qemu-m4")
        project = firmware.generate(
            bundle.load(str(MODEL)), board, board.runtime, tmp_path / "project"
        )
        device.flash(build.build(project))
        yield board
        device.stop(board.id)


def test_fuzz(board: Board) -> None:
    rng = random.Random(3)
    requests = [m.request for m in protocol.MESSAGES if m.request is not None]
    forged = [
        wire.Frame(number, 1, bytes(request.fixed_bytes()) + rng.randbytes(60)).encode()
        for number, request in enumerate(requests, 1)
        if request is not protocol.Reset
    ]
    sent = good = bad = 0
    link = kinds.of(board).attach(board, DEADLINE_S).link
    while sent < BYTES:
        noise, taken, refused = burst(rng, forged)
        link.write(noise, Deadline(DEADLINE_S))
        while link.read(65536, Deadline(0.001)):
            pass
        sent, good, bad = sent + len(noise), good + taken, bad + refused
    # On the same connection: what is under way when one closes may be lost.
    with device.Device(link, board.id) as after:
        status = after.status()
    assert status.bad_frames == bad > 500
    assert status.frames > good
    assert status.inferences == 0
