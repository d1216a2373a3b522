"""Reports in a real browser: nothing is cut, on a phone as on a wide screen, in light and dark."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tinyml import runtimes
from tinyml.firmware import boards
from tinyml.measure import footprint
from tinyml.measure.bench import BenchRow, LayerCost
from tinyml.measure.evaluate import EvaluationReport, ExecutorResult
from tinyml.measure.validate import LayerCheck, Mismatch, ValidationReport
from tinyml.model import bundle
from tinyml.model.metrics import ClassResult, OperatingPoint, Roc
from tinyml.model.tensor_diff import Bin, Difference
from tinyml.records import Bundle, CSource, Firmware, Project
from tinyml.report import benchmark, evaluation, html, inspection, parts, provenance, validation
from tinyml.report import firmware as firmware_page
from tinyml.report.page import Page

pytestmark = pytest.mark.needs_chromium

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (390, 768, 1024, 1280, 1920)
LONG = "a_label_that_somebody_made_as_long_as_a_sentence_without_any_space"
RUN = dataclasses.replace(
    provenance.collect(["validate", "--inputs", f"recordings/{LONG}/{LONG}"], 1_800_000_000.0),
    commit="0123456789ab-dirty",
)
# Elements that show less than they hold; a table cell counts where its own text is cut.
CUT = """() => [...document.querySelectorAll('body, section, dl, dd, dt, table, th, td, svg')]
  .filter(e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
  .map(e => `${e.tagName} ${e.scrollWidth} > ${e.clientWidth}: ${e.textContent.trim()}`)
"""
# Texts of charts that begin or end outside of their drawing, or lie on one another.
OUTSIDE = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
  const all = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()])
    .filter(([t, r]) => r.width > 0);
  const beyond = texts.filter(([t, r]) => r.left < all.left - 1 || r.right > all.right + 1
    || r.top < all.top - 1 || r.bottom > all.bottom + 1).map(([t]) => 'outside: ' + t.textContent);
  const over = texts.flatMap(([t, r], n) => texts.slice(n + 1).filter(([u, q]) =>
    Math.min(r.right, q.right) - Math.max(r.left, q.left) > 1 &&
    Math.min(r.bottom, q.bottom) - Math.max(r.top, q.top) > 2)
    .map(([u]) => `${t.textContent} on ${u.textContent}`));
  return [...beyond, ...over];
})"""


def a_firmware(model: Bundle, source: CSource) -> Firmware:
    return Firmware(
        project=Project(Path("build", LONG), boards.load("qemu-m4"), model, source),
        elf=Path("none"), flash_bytes=81_680, ram_bytes=35_684, stack_bytes=8192,
        contributors=tuple((f"op{n}_weights", ".rodata", 10_000 - n) for n in range(9)),
    )  # fmt: skip


def validated(model: Bundle, source: CSource) -> ValidationReport:
    shape = (1, 13, 5, 96)
    found = Difference(
        source.steps[4].tensor_name, (0, 0, 0, 0), -126.0, -108.0, 65, 23.0, shape, 0, 1, 96,
        tuple(Bin(n, n, n - 10) for n in range(11, 24)),
    )  # fmt: skip
    layers = tuple(
        LayerCheck(
            number, step.op_index, step.op_name, step.tensor_name, 20, 17 if number == 4 else 0,
            found if number == 4 else None, 800_000 - 9_999 * number, 599_040,
        )
        for number, step in enumerate(source.steps)
    )  # fmt: skip
    return ValidationReport(
        passed=False, model=model.name, sha256=model.sha256, board="qemu-m4", runtime="compiled",
        vectors=20, mismatched_vectors=17, values=240, mismatched_values=68, worst=9.0,
        top1_agreement=0.85, counter_unit="instructions", counter_min=4_423_499,
        counter_median=4_423_502, counter_max=4_425_502, arena_bytes=10_760, stack_used_bytes=640,
        stack_bytes=8192, flash_bytes=81_680, ram_bytes=35_684,
        mismatches=(Mismatch("yes_1.wav", (found,)),), layers=layers, folded=(),
        first_diverging_layer=layers[4],
        counters=tuple(4_423_499 + 97 * n for n in range(20)),
    )  # fmt: skip


def evaluated(model: Bundle) -> EvaluationReport:
    labels = (*model.labels[:-1], LONG)
    points = tuple(
        OperatingPoint.of(
            n / 50, spoken=286, rejected=5 * n, confused=2, accepted=55 - n, hours=0.5
        )
        for n in range(5, 50)
    )
    return EvaluationReport(
        model=model.name, sha256=model.sha256, data="speech_commands", part="test", on="oracle",
        clips=385, accuracy=0.8987, float_accuracy=0.9039, note="",
        classes=tuple(ClassResult(label, 32, 0.945, 1.0, 0.92, 1.0) for label in labels),
        confusion={said: {label: 3 for label in labels} | {said: 120} for said in labels},
        skipped=(f"{LONG}/{LONG}.wav: truncated",), clips_per_second=90.0, passed=True, low=0.8645,
        high=0.925, macro_f1=0.889,
        places=tuple(ExecutorResult(on, 0.8987, 0, 384.0) for on in ("oracle", "host", "qemu-m4")),
        sources=(), rocs={label: Roc((1.0, 0.5), (0.0, 1.0), (0.0, 0.3)) for label in labels},
        points=points, threshold=0.9, most_per_hour=1.0, advised=points[-1], chosen_on="validation",
    )  # fmt: skip


def benched(model: Bundle, source: CSource, name: str) -> BenchRow:
    return BenchRow(
        model=name, sha256=model.sha256, board="qemu-m4", runtime="compiled",
        counter_unit="instructions", counter_min=4_423_499, counter_median=4_423_502,
        counter_max=4_425_502, arena_bytes=10_760, ram_bytes=35_684, flash_bytes=81_680,
        constant_bytes=58_356, code_bytes=23_324, tflm_reference=None, tflm_cmsis_nn=None,
        ratio=None, counters=(4_423_499, 4_423_502, 4_425_502),
        layers=tuple(
            LayerCost(n, s.op_index, s.op_name, s.tensor_name, 599_040, 526_277, 0.119, 1.14)
            for n, s in enumerate(source.steps)
        ),
    )  # fmt: skip


def too_large(found: footprint.Footprint) -> footprint.Footprint:
    problem = "arena needs 301,056 bytes and constants 1,303,968; qemu-m4 has 262,144 of RAM"
    costs = [
        dataclasses.replace(cost, fits=False, problem=problem, hint="try --width 0.5, or " + LONG)
        for cost in found.runtimes
    ]
    return dataclasses.replace(found, runtimes=tuple(costs))


@pytest.fixture(scope="module")
def pages() -> dict[str, Page]:
    """A page of each kind, with as many layers, labels and digits as real ones have."""
    model, board = bundle.load("keyword_spotting"), boards.load("qemu-m4")
    source = runtimes.load("compiled").generate(model, board)
    firmware = a_firmware(model, source)
    sections = ((".rodata", 62_656, "flash"), (".bss", 27_480, "RAM"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts.elf, "sections", lambda elf: sections)
        patch.setattr(parts.elf, "compiler", lambda elf: "GCC: (15:12.2.rel1-1) 12.2.1 20221205")
        return {
            "validate": validation.page(validated(model, source), model, firmware),
            "evaluate": evaluation.page(evaluated(model), model),
            "bench": benchmark.page(
                [benched(model, source, name) for name in ("kws_ref_model", LONG)],
                [firmware, firmware],
                "TensorFlow Lite Micro",
            ),
            "inspect": inspection.page(too_large(footprint.inspect(model, board))),
            "build": firmware_page.page(firmware),
        }


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    browser = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["validate", "evaluate", "bench", "inspect", "build"])
def test_nothing_is_cut_at_any_width(
    name: str, width: int, pages: dict[str, Page], chromium: Browser
) -> None:
    shown = chromium.new_page(viewport={"width": width, "height": 900})
    shown.set_content(html.render(pages[name], RUN))
    assert shown.locator("section").count() >= 3
    cut = [each for each in shown.evaluate(CUT) if LONG not in each or "TD" not in each]
    assert not cut
    assert not shown.evaluate(OUTSIDE)
    shown.close()


def test_cells_of_a_confusion_matrix_are_square(pages: dict[str, Page], chromium: Browser) -> None:
    shown = chromium.new_page(viewport={"width": 1280, "height": 900})
    shown.set_content(html.render(pages["evaluate"], RUN))
    boxes = [cell.bounding_box() for cell in shown.locator(".square td.heat").all()]
    assert len(boxes) == 144
    for box in boxes:
        assert box is not None
        assert 0.8 < box["width"] / box["height"] < 1.25
    shown.close()


def test_a_dark_page_is_dark(pages: dict[str, Page], chromium: Browser) -> None:
    shown = chromium.new_page(color_scheme="dark")
    shown.set_content(html.render(pages["validate"], RUN))
    ground = "getComputedStyle(document.body).backgroundColor"
    red, green, blue = shown.evaluate(f"() => {ground}.match(/\\d+/g).map(Number)")
    assert max(red, green, blue) < 64
    shown.close()


def test_a_page_says_when_how_and_with_what_it_was_made(pages: dict[str, Page]) -> None:
    text = html.render(pages["validate"], RUN)
    for said in ("2027-01-15", "tinyml validate --inputs", "0123456789ab-dirty", "tflite-micro",
                 "platformio", "GCC: (15:12.2.rel1-1)"):  # fmt: skip
        assert said in text
