"""What would make a firmware fit is computed from the model at hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinyml import runtimes
from tinyml.build import fit_hints, pio
from tinyml.build.fit_hints import Need
from tinyml.errors import DoesNotFitError
from tinyml.firmware import boards
from tinyml.model import bundle
from tinyml.records import Project


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path))
    monkeypatch.delenv("TINYML_TFLM_DIR", raising=False)


def project(board: str, runtime: str = "tflm", **changes: int) -> Project:
    model = bundle.load("keyword_spotting")
    chosen = replace(boards.load(board), **changes)
    return Project(Path("x"), chosen, model, runtimes.load(runtime).generate(model, chosen))


def test_the_other_runtime_comes_first_where_it_suffices() -> None:
    made = project("nano33ble", ram_bytes=100_000)
    compiled = runtimes.load("compiled").generate(made.bundle, made.board)
    saved = made.source.arena_bytes - compiled.arena_bytes
    enough = fit_hints.changes(made, Need(200_000, 100_000 + saved))
    assert enough[0].startswith(f"--runtime compiled needs an arena of {compiled.arena_bytes:,} ")
    too_much = fit_hints.changes(made, Need(200_000, 100_000 + saved + 1))
    assert not any("--runtime" in one for one in too_much)


def test_the_width_is_the_largest_that_suffices() -> None:
    made = project("nano33ble", "compiled")
    width = made.bundle.card.width
    over = made.source.arena_bytes // 2
    (told,) = [one for one in fit_hints.changes(made, Need(1, made.board.ram_bytes + over))
               if "--width" in one]  # fmt: skip
    narrower = float(told.split("--width ")[1].split()[0])
    assert narrower <= width / 2 + 0.01
    assert narrower + 0.05 > width / 2 - 0.01
    assert told.startswith("tinyml train keyword_spotting ")
    too_much = Need(1, made.board.ram_bytes + made.source.arena_bytes + 1)
    assert not any("--width" in one for one in fit_hints.changes(made, too_much))


def test_another_board_has_to_hold_code_and_data_where_they_share_a_memory() -> None:
    made = project("nano33ble", "compiled")
    spresense = boards.load("spresense").ram_bytes
    fits = fit_hints.changes(made, Need(200_000, spresense - 200_000))
    assert any(one.startswith("--board spresense ") for one in fits)
    too_much = fit_hints.changes(made, Need(200_000, spresense - 200_000 + 1))
    assert not any("spresense" in one for one in too_much)
    assert "no board known here has" in too_much[0]


def test_what_the_linker_said_becomes_figures_and_changes() -> None:
    made = project("nano33ble")
    output = "ld: region `RAM' overflowed by 12000 bytes\ncollect2: error: ld returned 1\n"
    error = pio.explain(output, made, (("arena", ".bss", 150_000),))
    assert isinstance(error, DoesNotFitError)
    assert "257,760 bytes of RAM needed, nano33ble has 245,760 (12,000 too many)" in error.message
    assert "arena 150,000 (.bss)" in error.hint
    assert "--runtime compiled" in error.hint
    assert "--board spresense" in error.hint


def test_a_shared_memory_that_is_full_is_told_as_one() -> None:
    made = project("spresense")
    error = pio.explain("ld: region `ram' overflowed by 9 bytes\n", made, ())
    assert isinstance(error, DoesNotFitError)
    assert "code, constants and data need more than the 786,432 bytes" in error.message
    assert "--runtime compiled" in error.hint
