"""The report of `tinyml validate`: verdict, what differed, and what each layer costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tinyml.device.mismatch import Setting
from tinyml.records import Bundle, Firmware
from tinyml.report import Report, figures, parts, words
from tinyml.report.junit import Case, Suite
from tinyml.report.page import Block, Cell, Facts, Figure, Note, Page, Section, table

if TYPE_CHECKING:
    from tinyml.measure.playback import StreamReport
    from tinyml.measure.validate import LayerCheck, ValidationReport

_SHOWN = 50


def report(result: ValidationReport, bundle: Bundle, firmware: Firmware | None) -> Report:
    """Return the report; `firmware`, where it was built here, adds its memory."""
    return Report(_page(result, bundle, firmware), _suite(result))


def stream_report(result: StreamReport, firmware: Firmware | None) -> Report:
    """Return the report of a validated stream."""
    where = (("board", result.board), ("runtime", result.runtime))
    clips = table(
        ("clip", "said", "recognised", "score", "second", ""),
        [
            (
                one.name,
                one.said or "?",
                ", ".join(event.label for event in one.heard) or "-",
                ", ".join(f"{event.score:.2f}" for event in one.heard) or "-",
                f"{one.start_s:.2f}",
                Cell(_judged(one.right), bad=one.right is False),
            )
            for one in result.clips
        ],
        right=("score", "second"),
    )
    facts = Facts(
        (
            ("stream", f"{result.stream_s:.1f} s at {result.real_time_factor:.2f} times real time"),
            ("dropped", f"{result.dropped} samples"),
            (result.counter_unit, words.spread(result) + " per inference"),
            ("front end", f"{result.front_counter_per_stride:,} per {result.stride_ms} ms"),
            ("recognised", f"{result.right} of {result.judged} clips as said"),
        )
    )
    differs = [Note(f"First difference: {result.first_mismatch}")] if result.first_mismatch else []
    differs += [Note(words.setting(one)) for one in result.settings]
    sections = [Section("Stream", (facts,)), Section("Clips", (clips,), wide=True)]
    if differs:
        sections.insert(0, Section("What differs", tuple(differs), wide=True))
    if firmware is not None:
        sections += [*parts.memory(firmware.project.source), *parts.firmware(firmware)]
    page = Page(
        f"{result.model} streamed to {result.board}",
        result.passed,
        words.streamed(result),
        parts.identity(result.model, result.sha256, where, firmware),
        tuple(sections),
    )
    whole = result.inferences > 0 and result.mismatched == 0 and result.dropped == 0
    failure = "" if whole else f"{words.streamed(result)}\n{result.first_mismatch}".rstrip()
    name = f"{result.inferences} inferences"
    cases = (Case("stream", name, failure), *_settings(result.settings))
    return Report(page, Suite("tinyml.stream", dict(where), cases))


def _page(result: ValidationReport, bundle: Bundle, firmware: Firmware | None) -> Page:
    where = (("board", result.board), ("runtime", result.runtime))
    sections: list[Section] = [*_differences(result), _figures(result)]
    if result.counters:
        sections.append(parts.counters(result.counters, result.counter_unit))
    if result.layers:
        sections.append(_layers(result))
    sections += [*parts.noise(bundle.card), *_measured(bundle)]
    if firmware is not None:
        sections += [*parts.memory(firmware.project.source), *parts.firmware(firmware)]
    return Page(
        f"{result.model} on {result.board}",
        result.passed,
        words.validation(result),
        parts.identity(result.model, result.sha256, where, firmware),
        tuple(sections),
    )


def _figures(result: ValidationReport) -> Section:
    rows = [
        ("inferences", f"{result.vectors - result.mismatched_vectors} of {result.vectors} equal"),
        ("values", f"{result.values - result.mismatched_values:,} of {result.values:,} equal"),
        (result.counter_unit, words.spread(result) + " per inference"),
        ("arena", f"{result.arena_bytes:,} bytes"),
        ("stack", f"{result.stack_used_bytes:,} of {result.stack_bytes:,} bytes used"),
    ]
    if result.top1_agreement is not None:
        rows.append(("top-1", f"{result.top1_agreement:.1%} agreement with the reference"))
    return Section("Comparison", (Facts(tuple(rows)),))


def _differences(result: ValidationReport) -> list[Section]:
    """What differs; nothing where nothing does."""
    found: list[Section] = []
    blocks: list[Block] = [Note(words.setting(one)) for one in result.settings]
    blocks += [
        Note(f"{mismatch.vector}: {words.describe(one)}")
        for mismatch in result.mismatches[:_SHOWN]
        for one in mismatch.differences
    ]
    if (hidden := len(result.mismatches) - _SHOWN) > 0:
        blocks.append(Note(f"and {hidden} more inferences"))
    if blocks:
        found.append(Section("What differs", tuple(blocks)))
    layer = result.first_diverging_layer
    if layer is not None and layer.first is not None:
        found.append(_first(layer))
    return found


def _first(layer: LayerCheck) -> Section:
    first = layer.first
    assert first is not None
    blocks: list[Block] = [
        Facts(
            (
                ("operator", f"{layer.op_index} {layer.op_name}"),
                ("tensor", layer.tensor),
                ("shape", "x".join(map(str, first.shape)) or "scalar"),
                ("first at", f"[{', '.join(map(str, first.index))}], channel {first.channel}"),
                ("values", f"expected {first.expected:g}, device {first.actual:g}"),
                ("differ", f"{first.count:,} values, {first.spread}".rstrip(", ")),
            )
        )
    ]
    if first.histogram:
        name = "device less reference"
        drawing = figures.columns(first.histogram, "histogram of differences", name, "values", True)
        blocks.append(Figure(drawing, "By how much the values that differ are off."))
    return Section("First layer that differs", tuple(blocks))


def _layers(result: ValidationReport) -> Section:
    unit = result.counter_unit
    total = sum(one.counter for one in result.layers) or 1
    most = max(one.counter for one in result.layers) or 1
    rows = [
        (
            Cell(str(one.op_index)),
            Cell(one.op_name),
            Cell(words.short(one.tensor), title=one.tensor),
            Cell(f"{one.compared - one.mismatched} of {one.compared}", bad=one.mismatched > 0),
            Cell(f"{one.macs:,}" if one.macs else ""),
            Cell(f"{one.counter:,}", bar=one.counter / most),
            Cell(f"{one.counter / total:.1%}"),
            Cell(f"{one.macs / one.counter:.2f}" if one.macs and one.counter else ""),
        )
        for one in result.layers
    ]
    columns = ("op", "operator", "tensor", "equal", "MACs", unit, "share", f"MACs per {unit[:-1]}")
    blocks: list[Block] = [table(columns, rows, right=("op", "equal", "MACs", *columns[5:]))]
    blocks += [
        Note(f"Not run: operator {one.op_index} {one.op_name}, {one.reason}")
        for one in result.folded
    ]
    return Section("Layers", tuple(blocks), wide=True)


def _measured(bundle: Bundle) -> list[Section]:
    """The accuracy and confusion that the bundle's card tells, where it does."""
    accuracy, counts = bundle.card.get("accuracy"), bundle.card.get("confusion")
    blocks: list[Block] = []
    if isinstance(accuracy, Mapping):
        rows = [(str(name), _value(value)) for name, value in accuracy.items()]
        blocks.append(Facts(tuple(rows)))
    if bundle.labels and isinstance(counts, Mapping):
        blocks.append(confusion(bundle.labels, counts))
    return [Section("Accuracy as its card tells it", tuple(blocks), wide=True)] if blocks else []


def confusion(labels: tuple[str, ...], counts: Mapping[str, Mapping[str, int]]) -> Block:
    """Return the table of what was said (rows) and recognised (columns), as far as it is one."""
    rows = []
    for said in labels:
        row = counts.get(said)
        known = row if isinstance(row, Mapping) else {}
        cells = [_count(known.get(label)) for label in labels]
        most = sum(cells) or 1
        rows.append(
            (
                Cell(said),
                *(
                    Cell(
                        str(count) if count else "",
                        heat=count / most,
                        title=f"{said} taken for {label}: {count}",
                        bad=count > 0 and label != said,
                    )
                    for label, count in zip(labels, cells, strict=True)
                ),
            )
        )
    return table(("said", *labels), rows, right=labels)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _value(value: object) -> str:
    share = isinstance(value, float) and 0 <= value <= 1
    return f"{value:.2%}" if share else "-" if value is None else str(value)


def _judged(right: bool | None) -> str:
    return "" if right is None else "right" if right else "wrong"


def _settings(settings: tuple[Setting, ...]) -> tuple[Case, ...]:
    return tuple(Case("settings", one.name, words.setting(one)) for one in settings)


def _suite(result: ValidationReport) -> Suite:
    failures = {
        mismatch.vector: "\n".join(words.describe(one) for one in mismatch.differences)
        for mismatch in result.mismatches
    }
    equal = result.vectors - len(failures)
    cases = [Case("outputs", f"{equal} inferences equal the reference")] if equal else []
    cases += [Case("outputs", vector, failure) for vector, failure in failures.items()]
    cases += [
        Case(
            "layers",
            f"{one.op_index} {one.op_name} {words.short(one.tensor)}",
            f"{one.mismatched} of {one.compared} differ"
            + (f"\n{words.describe(one.first)}" if one.first else "")
            if one.mismatched
            else "",
        )
        for one in result.layers
    ]
    cases += _settings(result.settings)
    properties = {
        "model": result.model,
        "sha256": result.sha256,
        "board": result.board,
        "runtime": result.runtime,
    }
    return Suite("tinyml.validate", properties, tuple(cases))
