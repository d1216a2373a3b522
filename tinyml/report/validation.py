"""The page of `tinyml validate`: what differs bit for bit, where first, and what layers cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tinyml.model import card as cards
from tinyml.records import Bundle, Firmware
from tinyml.report import parts, words
from tinyml.report.confusion import matrix
from tinyml.report.page import (
    Block,
    Cell,
    Column,
    Facts,
    Histogram,
    Note,
    Page,
    Section,
    TestCase,
    table,
)

if TYPE_CHECKING:
    from tinyml.device.mismatch import SettingMismatch
    from tinyml.measure.validate import LayerCheck, ValidationReport

_SHOWN = 10  # vectors whose differences are shown


def page(
    result: ValidationReport,
    bundle: Bundle,
    firmware: Firmware | None,
    *,
    serial_number: str = "",
    seconds: Mapping[str, float] | None = None,
) -> Page:
    """Return the page; `firmware`, where it was built here, adds its memory.

    `seconds`: how long each vector took, by its name. `serial_number`: of the board, where it has
    one.
    """
    sections = [_figures(result)]
    if result.counters:
        sections.append(parts.counters(result.counters, result.counter_unit))
    if result.layers:
        sections.append(_layers(result))
    sections += [*_differences(result), *_measured(bundle)]
    if firmware is not None:
        sections += [*parts.memory(firmware.project.source), *parts.firmware(firmware)]
    sections += parts.noise(bundle.card.noise or ())
    device = f"{result.board}, runtime {result.runtime}"
    compared = [("device", device), ("reference", result.reference)]
    return Page(
        name="validate",
        title=f"{result.model} on {result.board}",
        verdict=words.validation(result),
        identity=parts.identity(result.model, result.sha256, [row for row in compared if row[1]]),
        sections=tuple(sections),
        record=result,
        passed=result.passed,
        details=parts.details(result.sha256, firmware, serial_number),
        cases=_cases(result, seconds or {}),
        properties=_properties(result.model, result.sha256, result.board, result.runtime),
    )


def settings(differing: tuple[SettingMismatch, ...]) -> list[Block]:
    """Return a sentence for each setting that differs."""
    return [Note(words.setting(setting)) for setting in differing]


def setting_cases(differing: tuple[SettingMismatch, ...]) -> tuple[TestCase, ...]:
    """Return a failed test case for each setting that differs."""
    return tuple(
        TestCase("settings", setting.name, words.setting(setting)) for setting in differing
    )


def _properties(model: str, sha256: str, board: str, runtime: str) -> dict[str, str]:
    return {"model": model, "sha256": sha256, "board": board, "runtime": runtime}


def _figures(result: ValidationReport) -> Section:
    inferences = f"{result.vectors - result.mismatched_vectors} of {result.vectors} equal"
    values = f"{result.values - result.mismatched_values:,} of {result.values:,} equal"
    rows = [
        (result.counter_unit, words.spread(result) + " per inference"),
        ("arena", f"{result.arena_bytes:,} bytes"),
        ("stack", f"{result.stack_used_bytes:,} of {result.stack_bytes:,} bytes used"),
    ]
    if result.flash_bytes:
        rows.append(("flash", f"{result.flash_bytes:,} bytes"))
    if result.ram_bytes:
        rows.append(("RAM", f"{result.ram_bytes:,} bytes"))
    if result.top1_agreement is not None:
        rows.append(("top-1 agreement", f"{result.top1_agreement:.1%}"))
    compared = Facts((("inferences", inferences), ("values", values)), detail=True)
    return Section("Comparison", (compared, Facts(tuple(rows))))


def _differences(result: ValidationReport) -> list[Section]:
    """What differs; nothing where nothing does."""
    sections: list[Section] = []
    blocks: list[Block] = [
        Note(f"{mismatch.vector}: {words.difference(differs)}")
        for mismatch in result.mismatches[:_SHOWN]
        for differs in mismatch.differences
    ]
    if (hidden := len(result.mismatches) - _SHOWN) > 0:
        blocks.append(Note(f"... and {hidden} more vectors"))
    if blocks:
        sections.append(Section("What differs", tuple(blocks)))
    layer = result.first_diverging_layer
    if layer is not None and layer.first is not None:
        sections.append(_first(layer))
    if blocks := settings(result.settings):
        sections.append(Section("Settings that differ", tuple(blocks)))
    return sections


def _first(layer: LayerCheck) -> Section:
    """All that is known of the first layer that differs, with a histogram."""
    differs = layer.first
    assert differs is not None
    facts = Facts(
        (
            (
                "first in",
                f"operator {layer.op_index} {layer.op_name}: {words.tensor_name(layer.tensor)}",
            ),
            ("shape", words.shape(differs.shape)),
            ("first at", f"[{', '.join(map(str, differs.index))}], channel {differs.channel}"),
            ("values", f"expected {differs.expected:g}, device {differs.actual:g}"),
            (
                "differ",
                f"{differs.count:,} of {math.prod(differs.shape):,} values; {differs.spread}",
            ),
        )
    )
    caption = "By how much the values that differ are off."
    chart = (
        [Histogram(differs.histogram, "device - reference", "values", caption, True, detail=False)]
        if differs.histogram
        else []
    )
    return Section("First layer that differs", (facts, *chart))


def _layers(result: ValidationReport) -> Section:
    total = sum(layer.counter for layer in result.layers)
    most = max(layer.counter for layer in result.layers)
    rows = [
        (
            str(layer.op_index),
            layer.op_name,
            Cell(words.tensor_name(layer.tensor), title=layer.tensor),
            Cell(
                f"{layer.compared - layer.mismatched} of {layer.compared}", bad=layer.mismatched > 0
            ),
            words.difference(layer.first) if layer.first else "",
            *parts.layer_costs(layer.macs, layer.counter, most, total),
        )
        for layer in result.layers
    ]
    columns: tuple[str | Column, ...] = (
        Column("op", right=True),
        "operator",
        "tensor",
        Column("equal", right=True),
        Column("first difference", brief=True),
        *parts.layer_columns(result.counter_unit, detail=True),
    )
    notes = [
        Note(f"not run: operator {folded.op_index} {folded.op_name}, {folded.reason}")
        for folded in result.folded
    ]
    return Section("Layers", (table(columns, rows), *notes), wide=True)


def _measured(bundle: Bundle) -> list[Section]:
    """The accuracy and confusion that the bundle's card tells, where it does."""
    accuracy, counts = bundle.card.accuracy, bundle.card.confusion
    blocks: list[Block] = []
    if accuracy is not None:
        rows = [(name, _value(value)) for name, value in cards.plain(accuracy).items()]
        blocks.append(Facts(tuple(rows), detail=True))
    if bundle.labels and counts is not None:
        blocks.append(matrix(bundle.labels, counts))
    return [Section("Accuracy as its card tells it", tuple(blocks))] if blocks else []


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return " to ".join(map(_value, value))
    share = isinstance(value, float) and 0 <= value <= 1
    return f"{value:.2%}" if share else "-" if value is None else str(value)


def _cases(result: ValidationReport, seconds: Mapping[str, float]) -> tuple[TestCase, ...]:
    failures = {
        mismatch.vector: "\n".join(map(words.difference, mismatch.differences))
        for mismatch in result.mismatches
    }
    cases = []
    if equal := result.vectors - len(failures):
        spent = sum(taken for vector, taken in seconds.items() if vector not in failures)
        cases.append(TestCase("outputs", f"{equal} inferences equal the reference", seconds=spent))
    cases += [
        TestCase("outputs", vector, failure, seconds.get(vector, 0.0))
        for vector, failure in failures.items()
    ]
    for layer in result.layers:
        failure = ""
        if layer.mismatched:
            failure = f"{layer.mismatched} of {layer.compared} differ"
            failure += f"\n{words.difference(layer.first)}" if layer.first else ""
        name = f"{layer.op_index} {layer.op_name} {words.tensor_name(layer.tensor)}"
        cases.append(TestCase("layers", name, failure))
    return (*cases, *setting_cases(result.settings))
