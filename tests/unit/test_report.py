"""Reports: well formed, alone in the world, true to their figures, and harmless with any text."""

from __future__ import annotations

import dataclasses
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml import runtimes
from tinyml.cli import results
from tinyml.cli.console import Console
from tinyml.device.mismatch import SettingMismatch
from tinyml.errors import ConfigError
from tinyml.firmware import boards
from tinyml.measure import evaluate
from tinyml.measure.bench import BenchRow, LayerCost
from tinyml.measure.playback import StreamReport
from tinyml.measure.spotting import SpottingReport, StreamSourceResult, WordResult
from tinyml.measure.validate import LayerCheck, Mismatch, ValidationReport
from tinyml.model import bundle
from tinyml.model.metrics import ClassResult, OperatingPoint, Roc
from tinyml.model.tensor_diff import Bin, Difference
from tinyml.records import Accuracy, Bundle, Card, LayerNoise, Placement
from tinyml.report import (
    benchmark,
    document,
    evaluation,
    html,
    junit,
    parts,
    provenance,
    spotting,
    streaming,
    svg,
    terminal,
    thresholds,
    validation,
    words,
)
from tinyml.report.page import (
    ArenaMap,
    Facts,
    Histogram,
    Note,
    Page,
    Section,
    TestCase,
    table,
)

RUN = provenance.collect(["validate", "--layers"], 1_800_000_000.0)
HOSTILE = "<script>alert(1)</script>\"'><img src=http://evil.example/x>\x1b[2J & \ufffe \udcff"
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Checker(HTMLParser):
    """Knows what is open, and collects what a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def checked(page: Page) -> Checker:
    """Parse the page and the XML; nothing in either comes from elsewhere or runs."""
    text = html.render(page, RUN)
    text.encode("utf-8")
    document.render(page.name, page.record).encode("utf-8")
    checker = Checker()
    checker.feed(text)
    checker.close()
    assert checker.open == []
    assert checker.links == []
    assert "script" not in checker.tags
    assert "img" not in checker.tags
    assert "@import" not in text
    assert "url(" not in text
    ElementTree.fromstring(junit.render(page, RUN))
    return checker


def layers(name: str) -> tuple[LayerCheck, ...]:
    first = Difference(
        name, (0, 1), 3.0, -4.0, 5, 9.0, (1, 8), 1, 1, 8, (Bin(-9, -5, 2), Bin(-4, 0, 3))
    )
    return (
        LayerCheck(0, 0, "CONV_2D", name, 4, 0, None, 1000, 700),
        LayerCheck(1, 2, name, name, 4, 2, first, 500, 0),
    )


def validated(name: str, passed: bool = False) -> ValidationReport:
    found = layers(name)
    assert found[1].first is not None
    return ValidationReport(
        passed=passed, model=name, sha256="ab" * 32, board=name, runtime="compiled", vectors=4,
        mismatched_vectors=1, values=32, mismatched_values=5, worst=9.0, top1_agreement=0.75,
        counter_unit="cycles", counter_min=90, counter_median=95, counter_max=120, arena_bytes=64,
        stack_used_bytes=300, stack_bytes=4096, flash_bytes=None, ram_bytes=None,
        mismatches=(Mismatch(name, (found[1].first,)),), layers=found, folded=(),
        first_diverging_layer=found[1], counters=(90, 95, 95, 120),
        settings=(SettingMismatch("features.stride_ms", "20", name),),
    )  # fmt: skip


def a_bundle(name: str) -> Bundle:
    card = Card(
        accuracy=Accuracy(None, 0.9, 9, name),
        confusion={name: {name: 3}, "x": {"y": 1}},
        noise=(
            LayerNoise(3, name, name, sqnr_db=31.25, added=0.002, clipped=0.0),
            LayerNoise(3, name, name, sqnr_db=None, added=0.002, clipped=0.5),
        ),
    )
    return Bundle(name, b"", "ab" * 32, Path("m"), labels=(name, "x"), card=card)


def point(threshold: float) -> OperatingPoint:
    return OperatingPoint.of(threshold, spoken=9, rejected=2, confused=1, accepted=3, hours=0.5)


def evaluated(name: str) -> evaluate.EvaluationReport:
    return evaluate.EvaluationReport(
        model=name, sha256="ab" * 32, data=name, part="test", on="oracle", clips=10, accuracy=0.8,
        float_accuracy=None, note=name, classes=(ClassResult(name, 10, None, 0.8, 0.9, None),),
        confusion={name: {name: 8}}, skipped=(name,), clips_per_second=9.0, passed=False, low=0.5,
        high=0.9, macro_f1=0.9,
        places=(
            evaluate.ExecutorResult("oracle", 0.8, 0, 9.0),
            evaluate.ExecutorResult(name, 0.8, 3, 90.0),
        ),
        sources=(evaluate.SourceResult(name, 4, 0.5, 0.2, 0.8),),
        rocs={name: Roc((1.0, 0.5), (0.0, 1.0), (0.0, 1.0)), "b": Roc((1.0,), (0.0,), (0.0,))},
        points=(point(0.2), point(0.6)), threshold=0.5, most_per_hour=1.0, advised=point(0.6),
        chosen_on="validation",
    )  # fmt: skip


def spotted(name: str) -> SpottingReport:
    return SpottingReport(
        passed=True, model=name, sha256="ab" * 32, data=name, part="test", on=name, stream_s=60.0,
        background_s=0.0, seed=1, places=(StreamSourceResult(name, 5, 0, 2.0),),
        words=(WordResult(name, 3, 1, 0),), points=(point(0.2), point(0.6)), card=point(0.5),
        most_per_hour=1.0, advised=None, chosen_on="test", latency_ms=(-3, 5, 400),
    )  # fmt: skip


def benched(name: str) -> BenchRow:
    return BenchRow(
        model=name, sha256="ab" * 32, board=name, runtime="compiled", counter_unit="instructions",
        counter_min=5, counter_median=5, counter_max=5, arena_bytes=64, ram_bytes=9, flash_bytes=9,
        constant_bytes=3, code_bytes=6, tflm_reference=None, tflm_cmsis_nn=None, ratio=None,
        counters=(5, 5), layers=(LayerCost(0, 0, name, name, 10, 5, 1.0, 2.0),),
    )  # fmt: skip


def built(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A firmware of the shipped model, whose ELF file says hostile things."""
    model = bundle.load("keyword_spotting")
    board = boards.load("qemu-m4")
    source = runtimes.load("compiled").generate(model, board)
    memory = (*source.memory, Placement(HOSTILE, 0, 64, 0, 3))
    source = dataclasses.replace(source, memory=memory)
    monkeypatch.setattr(parts.elf, "sections", lambda elf: ((HOSTILE, 100, "flash"),))
    monkeypatch.setattr(parts.elf, "compiler", lambda elf: HOSTILE)
    return SimpleNamespace(
        project=SimpleNamespace(board=board, source=source, bundle=model),
        elf=Path("none"), flash_bytes=9, ram_bytes=9, stack_bytes=4,
        contributors=((HOSTILE, HOSTILE, 50),),
    )  # fmt: skip


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> list[Page]:
    """A page of each kind, with a hostile text in every place that comes from outside."""
    firmware = built(monkeypatch)
    return [
        validation.page(validated(HOSTILE), a_bundle(HOSTILE), firmware),
        evaluation.page(evaluated(HOSTILE), a_bundle(HOSTILE)),
        spotting.page(spotted(HOSTILE)),
        benchmark.page([benched(HOSTILE)], [firmware], HOSTILE),
    ]


def test_every_page_stands_alone_and_escapes_every_text(every: list[Page]) -> None:
    for report in every:
        page = checked(report)
        assert "<script>alert(1)</script>" in "".join(page.texts)  # as text, and not gone


def on_terminal(page: Page) -> str:
    out = io.StringIO()
    terminal.render(page, out)
    return out.getvalue()


def test_a_terminal_gets_the_same_page_without_its_details(every: list[Page]) -> None:
    for page in every:
        text = on_terminal(page)
        assert "\x1b" not in text
        assert "Traceback" not in text
    validated_page, *_, benched_page = every
    lines = on_terminal(validated_page).splitlines()
    assert lines[0].startswith("model            <script>alert(1)</script>")
    assert lines[2].startswith("cycles           90 min")  # facts of two sections are one list
    assert lines[-1].startswith("FAILED: 1 of 4 inferences differ")
    assert f"{'-9 .. -5':>16}{'2':>10}  {'#' * 22}" in lines
    assert "sha256" not in on_terminal(benched_page)


def test_a_verdict_never_contradicts_its_counts() -> None:
    layer = dataclasses.replace(validated("net"), mismatched_vectors=0, mismatches=())
    said = words.validation(layer)
    assert said.startswith("FAILED: the outputs of all 4 inferences equal the reference; inside, ")
    assert "first in operator 2 net (net)" in said
    settings = dataclasses.replace(layer, first_diverging_layer=None)
    assert words.validation(settings).endswith(
        "; the firmware was built with other settings than the model's: features.stride_ms"
    )


def test_a_table_on_a_narrow_terminal_shortens_names_in_their_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    name = "recordings/of_somebody/with/a/long/path/yes_0017.wav"
    rows = [(name, "yes", "yes", "0.82", "22.79", "right")]
    columns = ("clip", "said", "recognised", "score", "second", "")
    terminal.write([[table(columns, rows, right=("score", "second"))]], out)
    (row,) = [line for line in out.getvalue().splitlines() if "0017" in line]
    assert row.split()[0] == "recordings/...es_0017.wav"
    assert row.rstrip().endswith("right")
    assert len(row.rstrip()) <= 72


def test_a_failed_validation_names_layer_difference_and_setting() -> None:
    report = validation.page(validated("net"), a_bundle("net"), None)
    text = " ".join(checked(report).texts)
    assert report.passed is False
    for said in ("1 of 4 inferences differ", "expected 3, device -4", "channel 1",
                 "31.2", "exact", "0.200%",
                 "built with features.stride_ms net, the model needs 20"):  # fmt: skip
        assert said in text, said
    root = ElementTree.fromstring(junit.render(report, RUN))
    suite = root[0]
    failed = [
        case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None
    ]
    assert failed == ["net", "2 net net", "features.stride_ms"]
    assert suite.get("failures") == "3"
    assert suite.get("tests") == str(len(list(suite.iter("testcase")))) == "5"


def test_a_passed_one_has_no_failures() -> None:
    result = dataclasses.replace(
        validated("net", passed=True), mismatched_vectors=0, mismatches=(), settings=(),
        layers=layers("net")[:1], first_diverging_layer=None,
    )  # fmt: skip
    report = validation.page(result, a_bundle("net"), None)
    assert "PASSED: 4 of 4 inferences and 1 layers each" in " ".join(checked(report).texts)
    assert ElementTree.fromstring(junit.render(report, RUN)).get("failures") == "0"


@pytest.mark.parametrize(
    ("figures", "failures"),
    [
        ({}, 0),
        ({"passed": False, "dropped": 31}, 1),
        ({"passed": False, "inferences": 0}, 1),
        ({"passed": False, "mismatched": 2}, 1),
    ],
)
def test_a_stream_that_did_not_pass_fails_in_junit(figures: dict[str, Any], failures: int) -> None:
    streamed = StreamReport(
        passed=True, proved=True, model="m", sha256="0" * 64, board="b", runtime="compiled",
        sample_rate_hz=16000, stream_s=1.0, real_time_factor=1.0, clips=(), right=0, judged=0,
        inferences=4, mismatched=0, first_mismatch="", dropped=0, counter_unit="cycles",
        counter_min=1, counter_median=1, counter_max=1, stride_ms=20, front_counter_per_stride=1,
    )  # fmt: skip
    report = streaming.page(dataclasses.replace(streamed, **figures), None)
    root = ElementTree.fromstring(junit.render(report, RUN))
    assert root.get("failures") == str(failures)
    if figures.get("dropped"):
        assert "31 samples were lost" in report.verdict


def test_places_that_disagree_fail_in_junit() -> None:
    report = evaluation.page(evaluated("net"), a_bundle("net"))
    root = ElementTree.fromstring(junit.render(report, RUN))
    assert [f.get("message") for f in root.iter("failure")] == [
        "3 have other scores than on oracle"
    ]


@given(st.text())
def test_any_text_is_legal_in_both(text: str) -> None:
    page = Page(
        name=text, title=text, identity=Facts(()), sections=(), record={},
        cases=(TestCase(text, text, text),), properties={text: text},
    )  # fmt: skip
    case = next(ElementTree.fromstring(junit.render(page, RUN)).iter("testcase"))
    if text.isascii() and text.isprintable():
        assert case.get("name") == text


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_any_text_is_shown_as_text(text: str) -> None:
    rows = ((text, text),)
    page = Page(
        name="x", title=text, identity=Facts(rows), record={}, verdict=text, headline=text,
        sections=(Section(text, (Facts(rows), table((text, "b"), [(text, text)]), Note(text))),),
    )  # fmt: skip
    parser = Checker()
    parser.feed(html.render(page, RUN))
    assert set(parser.tags) <= {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "p", "main", "div",
        "section", "h2", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "span",
        "footer",
    }  # fmt: skip
    out = io.StringIO()
    terminal.render(page, out)
    assert not {"\x1b", "\x07", "\r", "\x9b"} & set(out.getvalue())


def test_a_map_of_the_arena_is_to_scale() -> None:
    placements = [Placement("a", 0, 50, -1, 0), Placement("scratch of X", 50, 50, 0, 0)]
    drawing = svg.draw(ArenaMap(tuple(placements), 100, 3, ""))
    one, two = drawing.boxes
    assert one.height == pytest.approx(two.height, abs=0.2)
    assert two.y + two.height == pytest.approx(one.y, abs=0.2)
    assert one.width == pytest.approx(2 * two.width, abs=0.2)  # it lives twice as long
    assert one.x + one.width == pytest.approx(two.x + two.width, abs=0.2)
    assert two.style == "scratch"


@settings(max_examples=40)
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=50),
    st.floats(-1e6, 1e6),
    st.floats(0, 1e6),
)
def test_histograms_and_ticks_of_anything(values: list[int], low: float, span: float) -> None:
    bins = svg.bins_of(values)
    assert sum(one.count for one in bins) == len(values)
    assert len(bins) <= 25
    drawing = svg.draw(Histogram(bins, "", "", ""))
    for rect in drawing.boxes:
        assert rect.width > 0
        assert 0 <= rect.x <= drawing.width
        assert 0 <= rect.y <= rect.y + rect.height <= drawing.height
    found = svg.ticks(low, low + span)
    assert 1 <= len(found) <= 12


def test_files_by_their_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = evaluation.page(evaluated("net"), a_bundle("net"))
    paths = [tmp_path / name for name in ("r.html", "r.xml", "r.json")]
    results.require_places(paths)
    results.save(paths, report, Console())
    assert paths[0].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert ElementTree.parse(paths[1]).getroot().tag == "testsuites"
    document = json.loads(paths[2].read_text(encoding="utf-8"))
    assert (document["schema"], document["clips"]) == ("tinyml.evaluate/1", 10)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["r.html", "r.json", "r.xml"]
    assert "wrote" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no report can be written to .*absent.*r\.html"):
        results.require_places([tmp_path / "absent" / "r.html"])
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ConfigError):
        results.require_places([tmp_path / "folder.html"])


def test_advice_claims_no_more_than_was_heard() -> None:
    report = evaluated("m")
    strict = words.advice(report)
    assert "threshold 0.60, chosen on part validation. On part test it misses" in strict
    assert "fewer than 15.5 per hour, and it did not keep to the limit" in strict
    unsure = words.advice(dataclasses.replace(report, most_per_hour=9.0))
    assert unsure.endswith(
        "15.5 per hour: so little background cannot show that it keeps to the limit"
    )
    sure = words.advice(dataclasses.replace(report, most_per_hour=16.0, chosen_on="test"))
    assert "chosen on part test itself" in sure
    assert sure.endswith("fewer than 15.5 per hour")
    assert "no threshold keeps to that" in words.advice(dataclasses.replace(report, advised=None))
    silent = OperatingPoint.of(0.6, spoken=9, rejected=2, confused=1, accepted=0, hours=0.0)
    nothing = dataclasses.replace(report, points=(silent,), advised=None)
    assert "were not measured" in words.advice(nothing)
    assert [one.title for one in thresholds.curves([silent, silent], None)] == ["Missed"]
