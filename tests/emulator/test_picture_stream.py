"""Pictures and strokes streamed into the emulated board: what the host computes, one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyml import device, features
from tinyml.datasets import clips
from tinyml.features.image import FORMATS
from tinyml.measure import playback, stream_reference
from tinyml.media import photo
from tinyml.model import bundle
from tinyml.records import Board, Bundle, FeatureConfig, Firmware, StreamConfig

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]


def test_digits_are_recognised_and_every_inference_is_the_hosts(
    tinyml_build: Callable[[Bundle, Board, str], Firmware], board: Board, runtime: Path
) -> None:
    model = bundle.load("digits")
    config, _ = stream_reference.require_listening(model)
    played = clips.load([model.path / "examples"], features.load(config))
    device.flash(tinyml_build(model, board, board.runtime))
    with device.connect(board) as connection:
        report = playback.play(connection, [*played, played[-1]], against=model)
    assert report.passed, report.first_mismatch
    assert (report.dropped, report.inferences) == (0, len(played) + 1)
    assert report.right == report.judged == len(played) + 1  # the same digit twice, too


def test_photographs_are_cut_resized_and_judged_as_on_the_host(
    tinyml_build: Callable[[Bundle, Board, str], Firmware],
    board: Board,
    runtime: Path,
    tmp_path: Path,
) -> None:
    """A model that gives the means of red, green and blue of 7x5 pixels names a colour."""
    path = Path(__file__).parents[1] / "golden" / "mean" / "spatial.tflite"
    bare = bundle.load(str(path))
    params = {
        "sample_rate_hz": 2 * 32 * 20, "source_width": 32, "source_height": 20,
        "format": FORMATS["uyvy"], "width": 7, "height": 5, "channels": 3,
    }  # fmt: skip
    model = replace(
        bare,
        labels=("red", "green", "blue"),
        features=FeatureConfig("image", params),
        stream=StreamConfig(1, 1, 0.2, 0, repeats=True),
    )
    rng = np.random.default_rng(1)
    for number, label in enumerate(model.labels):
        pixels = rng.integers(0, 60, (50, 60, 3), np.uint8)
        pixels[..., number] += 180
        (tmp_path / label).mkdir()
        photo.write(tmp_path / label / "a.png", pixels)
    assert model.features is not None
    played = clips.load([tmp_path], features.load(model.features))
    device.flash(tinyml_build(model, board, board.runtime))
    with device.connect(board) as connection:
        report = playback.play(connection, played, against=model)
    assert report.passed, report.first_mismatch
    assert (report.dropped, report.inferences) == (
        0,
        3 * (1 + 2),
    )  # a second of darkness after each
    assert (report.right, report.judged) == (3, 3)
    assert report.stride_ms == 500
