"""Two models side by side: McNemar's test, what flipped, limits, and how it is shown."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml import cli
from tinyml.datasets import Recording
from tinyml.errors import ConfigError
from tinyml.measure import comparison
from tinyml.measure.bench import BenchRow, LayerCost
from tinyml.model import metrics
from tinyml.report import comparison as comparison_page
from tinyml.report import terminal

ROW = BenchRow(
    model="old", sha256="ab" * 32, board="qemu-m4", runtime="compiled",
    counter_unit="instructions", counter_min=100, counter_median=100, counter_max=100,
    arena_bytes=64, ram_bytes=1000, flash_bytes=2000, constant_bytes=500, code_bytes=1500,
    tflm_reference=None, tflm_cmsis_nn=None, ratio=None, counters=(100,),
    layers=(LayerCost(0, 0, "CONV_2D", "t", 10, 90, 1.0, 0.1),),
)  # fmt: skip
NEW = dataclasses.replace(
    ROW, model="new", flash_bytes=2050, counter_median=80, ram_bytes=1000,
    layers=(LayerCost(0, 0, "CONV_2D", "t", 10, 70, 1.0, 0.1),),
)  # fmt: skip


def clips(count: int) -> list[Recording]:
    return [Recording(Path("yes", f"{n}.wav"), "yes", str(n)) for n in range(count)]


@pytest.mark.parametrize(
    ("lost", "gained", "p_value"),
    [(0, 0, 1.0), (1, 0, 1.0), (0, 5, 0.0625), (0, 6, 0.03125), (5, 15, 0.04138947), (10, 10, 1.0)],
)
def test_mcnemar_is_the_exact_binomial_test(lost: int, gained: int, p_value: float) -> None:
    assert metrics.mcnemar(lost, gained) == pytest.approx(p_value)
    assert metrics.mcnemar(gained, lost) == pytest.approx(p_value)


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_mcnemar_is_a_probability(lost: int, gained: int) -> None:
    assert 0 <= metrics.mcnemar(lost, gained) <= 1


def test_what_flipped_is_listed_and_counted() -> None:
    before = ["yes", "yes", "no", "yes", "no", "up"]
    after = ["yes", "no", "yes", "yes", "up", "up"]
    paired = comparison.paired(clips(6), before, after)
    assert (paired.lost, paired.gained, paired.recordings) == (1, 1, 6)
    assert paired.before == paired.after == 50
    assert [clip.name for clip in paired.flipped] == ["yes/1.wav", "yes/2.wav"]
    assert not paired.is_significant
    assert comparison.paired(clips(9), ["no"] * 9, ["yes"] * 9).is_significant


@pytest.mark.parametrize(
    ("text", "exceeded"),
    [
        ("flash>+2%", True), ("flash > +3%", False), ("flash>+49", True), ("flash>+50", False),
        ("flash>2049", True), ("flash<2050", False), ("instructions<-10%", True), ("ram>+0", False),
        ("ram<+0", False), ("instructions>+0%", False), ("accuracy<-1", True),
        ("accuracy<-60", False), ("accuracy<60", True),
    ],
)  # fmt: skip
def test_limits(text: str, exceeded: bool) -> None:
    accuracy = comparison.paired(clips(4), ["yes"] * 4, ["yes", "yes", "no", "no"])
    report = comparison.compare(ROW, NEW, accuracy, [comparison.limit(text)])
    assert report.exceeded == ((text,) if exceeded else ())
    assert report.passed is not exceeded
    assert comparison_page.page(report).verdict.startswith("FAILED" if exceeded else "PASSED")


@pytest.mark.parametrize("text", ["", "flash", "flash>", "flash=2", "flash>2%", ">+2%", "a>+1e9"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(ConfigError, match="is no limit"):
        comparison.limit(text)


@pytest.mark.parametrize(
    ("text", "hint"), [("flsh>+2%", "flash"), ("accuracy<-1", "--data"), ("cycles>+1%", "known")]
)
def test_a_limit_on_what_is_not_measured(text: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="not measured") as refused:
        comparison.compare(ROW, NEW, None, [comparison.limit(text)])
    assert hint in refused.value.hint


def test_the_page_shows_both_and_what_changed() -> None:
    accuracy = comparison.paired(clips(4), ["yes"] * 4, ["yes", "yes", "no", "no"])
    out = io.StringIO()
    terminal.render(comparison_page.page(comparison.compare(ROW, NEW, accuracy)), out)
    rows = [line.split() for line in out.getvalue().splitlines()]
    assert ["flash", "2,000", "2,050", "+50", "+2.5%"] in rows
    assert ["accuracy", "100.00%", "50.00%", "-50.00", "points"] in rows
    assert ["yes/2.wav", "yes", "yes", "no"] in rows
    assert ["0", "CONV_2D", "90", "70", "-20"] in rows
    assert "2 are lost and 0 gained: the difference may be chance" in out.getvalue()


def test_a_limit_that_is_none_is_refused_before_anything_is_built(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["compare", "gesture", "gesture", "--fail-if", "flash=2"]) == 2
    assert "is no limit" in capsys.readouterr().err
