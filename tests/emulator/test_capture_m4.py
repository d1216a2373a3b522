"""From a sensor to a model that hears it: capture, train, build, monitor on the emulated board."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinyml import device, features, tasks
from tinyml.cli import main
from tinyml.datasets import clips, wand
from tinyml.measure import playback
from tinyml.media import motion_csv
from tinyml.model import bundle
from tinyml.records import Board, Bundle, Firmware
from tinyml.training import Options
from tinyml.training.train import train

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu, pytest.mark.needs_pio]
LABELS = ("ring", "slope", "negative")
TAKES = 8  # of each, so that each has one in the test part
SEED = 77

Build = Callable[[Bundle, Board, str], Firmware]


def motions(folder: Path, label: str) -> Path:
    """Simulated recordings that a virtual sensor gives back."""
    target = folder / label
    target.mkdir(parents=True)
    for number in range(TAKES):
        samples = wand.simulated(label, SEED, number)
        motion_csv.write(target / f"{number}.csv", samples, wand.RATE_HZ)
    return target


def capture(label: str, out: Path, *more: str | Path) -> int:
    return main(["capture", "gesture", "--label", label, "--out", str(out), *map(str, more)])


@pytest.mark.needs_tensorflow
def test_what_a_sensor_gave_is_trained_on_and_heard(
    tinyml_build: Build, board: Board, runtime: Path, tmp_path: Path
) -> None:
    task = tasks.load("gesture")
    front_end = features.load(task.features)
    recorded = tmp_path / "recorded"
    device.flash(tinyml_build(bundle.load("gesture"), board, board.runtime))
    for label in LABELS:
        played = motions(tmp_path / "played", label)
        trim = ("--no-trim",) if label == "slope" else ()
        assert capture(label, recorded, "--source", played, "--yes", *trim) == 0
    for number, path in enumerate(sorted((recorded / "slope").glob("*.csv"))):
        assert np.array_equal(front_end.read(path), wand.simulated("slope", SEED, number))
    assert front_end.read(recorded / "ring" / "0001_me.csv").shape < (265, 3)  # trimmed

    options = Options(epochs=2, batch_size=8, width=0.2, variants=1)
    made = train("gesture", recorded, tmp_path / "mine", options, lambda _: None)
    assert made is not None
    assert made.labels == ("negative", "ring", "slope")
    device.flash(tinyml_build(made, board, board.runtime))
    heard = clips.load([recorded / "ring"], front_end)[:2]
    with device.connect(board) as connection:
        report = playback.play(connection, heard, against=made)
    assert report.passed, report.first_mismatch
    assert report.inferences > 10


def test_captures_continue_and_overwrite_nothing(
    tinyml_build: Build,
    board: Board,
    runtime: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    device.flash(tinyml_build(bundle.load("gesture"), board, board.runtime))
    played = motions(tmp_path, "ring")
    out = tmp_path / "out"
    (out / "ring").mkdir(parents=True)
    mine = out / "ring" / "0002_me.csv"
    mine.write_text("mine")
    assert capture("ring", out, "--source", played, "--count", "2", "--json") == 0
    kept = json.loads(capsys.readouterr().out)["kept"]
    assert [Path(one["path"]).name for one in kept] == ["0003_me.csv", "0004_me.csv"]
    assert mine.read_text() == "mine"
    notes = json.loads((out / "ring" / "0003_me.csv.json").read_text())
    assert (notes["board"], notes["sensor"], notes["rate_hz"]) == (board.id, "virtual", 100)
    assert (notes["overruns"], notes["lost"], notes["source"]) == (0, 0, "0.csv")
    assert not [one for one in (out / "ring").iterdir() if one.name.startswith(".")]
    assert main(["capture", "gesture", "--longest"]) == 0
    assert "any length" in capsys.readouterr().out
    assert capture("ring", out) == 2  # a virtual sensor gives nothing by itself
    assert "--source" in capsys.readouterr().err
    assert main(["capture", "keyword_spotting", "--label", "x", "--out", str(out)]) == 2
    assert "tinyml flash keyword_spotting" in capsys.readouterr().err


def test_sound_comes_whole(flashed: Firmware) -> None:
    sound = np.random.default_rng(1).integers(-30000, 30000, 12_345).astype(np.int16)
    with device.connect(flashed.project.board) as connection:
        recording = connection.record(len(sound), 16000, 1, sound)
        assert recording.room > 50_000  # samples in what the model leaves of the RAM
        assert connection.line_rate() > 1000
    assert np.array_equal(recording.samples, sound)
    assert (recording.overruns, recording.lost) == (0, 0)
