"""The page of `tinyml bench`: instructions or cycles, RAM and flash of models, beside TFLM's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyml.records import Firmware
from tinyml.report import parts, words
from tinyml.report.page import Block, Cell, Column, Facts, Note, Page, Section, TestCase, table

if TYPE_CHECKING:
    from tinyml.measure.bench import BenchRow


def page(rows: Sequence[BenchRow], firmwares: Sequence[Firmware], baseline: str) -> Page:
    """Return the page of `rows`, each measured with the firmware at the same place.

    `baseline` says how TFLM's figures were measured.
    """
    first = rows[0]
    sections = [_costs(rows), *_tflm(rows, baseline)]
    for row, firmware in zip(rows, firmwares, strict=True):
        prefix = f"{row.model}: " if len(rows) > 1 else ""
        sections += _model(row, firmware, prefix)
    names = ", ".join(row.model for row in rows)
    hashes = ", ".join(row.sha256 if len(rows) == 1 else row.sha256[:16] for row in rows)
    return Page(
        name="bench",
        title=f"{names} on {first.board}",
        headline="; ".join(
            f"{row.model}: {row.counter_median:,} {row.counter_unit}" for row in rows
        ),
        identity=Facts((("device", f"{first.board}, runtime {first.runtime}"),), detail=True),
        sections=tuple(sections),
        record={"baseline": baseline, "rows": rows},
        details=parts.details(hashes, firmwares[0]),
        cases=tuple(
            TestCase(row.model, f"{row.counter_median:,} {row.counter_unit} per inference")
            for row in rows
        ),
        properties={"board": first.board, "runtime": first.runtime},
    )


def _costs(rows: Sequence[BenchRow]) -> Section:
    unit = rows[0].counter_unit
    most = max(row.counter_median for row in rows) or 1
    columns = (f"{unit} min", "median", "max", "arena", "RAM", "flash", "beyond constants")
    cells = [
        (
            row.model,
            f"{row.counter_min:,}",
            Cell(f"{row.counter_median:,}", bar=row.counter_median / most),
            f"{row.counter_max:,}",
            f"{row.arena_bytes:,}",
            f"{row.ram_bytes:,}",
            f"{row.flash_bytes:,}",
            f"{row.code_bytes:,}",
        )
        for row in rows
    ]
    blocks: list[Block] = [table(("model", *columns), cells, right=columns)]
    if unit == "instructions":
        text = "Instructions per inference, not time: a chip's cycles per instruction vary."
        blocks.append(Note(text))
    return Section("Cost", tuple(blocks), wide=True)


def _tflm(rows: Sequence[BenchRow], baseline: str) -> list[Section]:
    columns = ("reference kernels", "CMSIS-NN", "ours", "CMSIS-NN / ours", "arena", "flash")
    cells = [
        (
            row.model,
            f"{row.tflm_reference.instructions:,}",
            f"{row.tflm_cmsis_nn.instructions:,}",
            f"{row.counter_median:,}",
            f"{row.ratio:.2f}" if row.ratio else "-",
            f"{row.tflm_cmsis_nn.arena_bytes:,}",
            f"{row.tflm_cmsis_nn.flash_bytes:,}",
        )
        for row in rows
        if row.tflm_reference and row.tflm_cmsis_nn
    ]
    if not cells:
        note = Note("what TensorFlow Lite Micro needs is known of MLPerf Tiny's and its own models")
        return [Section("TensorFlow Lite Micro", (note,), wide=True)]
    block = table(("TFLM for the same file", *columns), cells, right=columns)
    return [Section("TensorFlow Lite Micro", (block, Note(f"baseline: {baseline}")), wide=True)]


def _model(row: BenchRow, firmware: Firmware, prefix: str) -> list[Section]:
    sections = [_layers(row, prefix)] if row.layers else []
    return [
        *sections,
        parts.counters(row.counters, row.counter_unit, prefix),
        *parts.memory(firmware.project.source, prefix),
        *parts.firmware(firmware, prefix),
    ]


def _layers(row: BenchRow, prefix: str) -> Section:
    total = sum(layer.counter for layer in row.layers)
    most = max(layer.counter for layer in row.layers)
    columns: tuple[str | Column, ...] = (
        Column("op", right=True),
        "operator",
        "tensor",
        *parts.layer_columns(row.counter_unit),
    )
    cells = [
        (
            layer.op_index,
            layer.op_name,
            Cell(words.tensor_name(layer.tensor), title=layer.tensor),
            *parts.layer_costs(layer.macs, layer.counter, most, total),
        )
        for layer in row.layers
    ]
    text = f"{row.model}: {total:,} {row.counter_unit} in {len(row.layers)} layers"
    return Section(f"{prefix}Layers", (Note(text), table(columns, cells)), wide=True)
