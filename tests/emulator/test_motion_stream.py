"""Motion streamed into the emulated board: what the host computes, three values per sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tinyml import device, features
from tinyml.datasets import clips
from tinyml.measure import playback, stream_reference
from tinyml.model import bundle
from tinyml.records import Board, Bundle, Firmware

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]


def test_gestures_are_recognised_and_every_inference_is_the_hosts(
    tinyml_build: Callable[[Bundle, Board, str], Firmware], board: Board, runtime: Path
) -> None:
    model = bundle.load("gesture")
    config, _ = stream_reference.require_listening(model)
    front_end = features.load(config)
    played = clips.load([model.path / "examples"], front_end)
    device.flash(tinyml_build(model, board, board.runtime))
    with device.connect(board) as connection:
        report = playback.play(connection, played, against=model)
    assert report.passed, report.first_mismatch
    gap = clips.whole_rows(round(playback.GAP_S * front_end.rate_hz), front_end)
    samples = sum(len(one.samples) + gap for one in played)
    assert (report.dropped, report.stream_s) == (0, samples / 100)
    assert report.inferences > 100
    assert report.right >= report.judged - 1
