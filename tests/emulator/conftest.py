"""Emulated boards for tests: a runtime folder of their own, and one flashed with a model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinyml import device
from tinyml.build import pio
from tinyml.firmware import boards, plan, render
from tinyml.model import bundle
from tinyml.records import Board, Bundle, Firmware


@pytest.fixture(scope="session")
def board() -> Board:
    return boards.load("qemu-m4")


@pytest.fixture(scope="session")
def model() -> Bundle:
    """A model that can stream."""
    return bundle.load("keyword_spotting")


@pytest.fixture(scope="session")
def built(
    tinyml_build: Callable[[Bundle, Board, str], Firmware], board: Board, model: Bundle
) -> Firmware:
    """Its firmware."""
    return tinyml_build(model, board, board.runtime)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No emulated board runs, and those started here end; the path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="tml") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)
        for one in device.devices():
            device.stop(one.board)


@pytest.fixture
def flashed(runtime: Path, built: Firmware) -> Firmware:
    """The firmware, running on its board."""
    device.flash(built)
    return built


@pytest.fixture
def connection(flashed: Firmware) -> Iterator[device.Device]:
    """A connection to the board that runs it."""
    with device.connect(flashed.project.board) as connected:
        yield connected


@pytest.fixture
def broken(
    runtime: Path, board: Board, tmp_path: Path
) -> Callable[[str, str, str], tuple[Firmware, int]]:
    """Make firmware with an error: in `file`, put `statement` before the line with `before`.

    Returns it with the number of the new line.
    """

    def make(file: str, before: str, statement: str) -> tuple[Firmware, int]:
        golden = Path(__file__).parents[1] / "golden" / "softmax"
        chosen = bundle.load(str(min(golden.glob("*.tflite"))))
        project = render.generate(plan.resolve(chosen, board, board.runtime), tmp_path / "project")
        source = project.path / "src" / file
        lines = source.read_text(encoding="utf-8").splitlines()
        at = next(number for number, line in enumerate(lines) if before in line)
        lines.insert(at, statement)
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return pio.build(project), at + 1

    return make
