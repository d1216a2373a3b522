"""The report of `tinyml bench`: what models cost on a board, layer by layer and byte by byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyml.records import Firmware
from tinyml.report import Report, parts, words
from tinyml.report.junit import Case, Suite
from tinyml.report.page import Cell, Note, Page, Section, table

if TYPE_CHECKING:
    from tinyml.measure.bench import BenchRow


def report(rows: Sequence[BenchRow], firmwares: Sequence[Firmware], baseline: str) -> Report:
    """Return the report of `rows`, each measured with the firmware at the same place.

    `baseline` says how TFLM's figures were measured.
    """
    first = rows[0]
    sections = [_costs(rows), *_tflm(rows, baseline)]
    for row, firmware in zip(rows, firmwares, strict=True):
        prefix = f"{row.model}: " if len(rows) > 1 else ""
        sections += _model(row, firmware, prefix)
    names = ", ".join(row.model for row in rows)
    where = (("board", first.board), ("runtime", first.runtime))
    hashes = ", ".join(row.sha256 if len(rows) == 1 else row.sha256[:16] for row in rows)
    page = Page(
        f"{names} on {first.board}",
        None,
        "; ".join(f"{row.model}: {row.counter_median:,} {row.counter_unit}" for row in rows),
        parts.identity(names, hashes, where, firmwares[0]),
        tuple(sections),
    )
    cases = tuple(
        Case(row.model, f"{row.counter_median:,} {row.counter_unit} per inference") for row in rows
    )
    return Report(page, Suite("tinyml.bench", dict(where), cases))


def _costs(rows: Sequence[BenchRow]) -> Section:
    unit = rows[0].counter_unit
    most = max(row.counter_median for row in rows) or 1
    columns = ("model", unit, "min", "max", "arena", "RAM", "flash", "beyond constants")
    cells = [
        (
            row.model,
            Cell(f"{row.counter_median:,}", bar=row.counter_median / most),
            f"{row.counter_min:,}",
            f"{row.counter_max:,}",
            f"{row.arena_bytes:,}",
            f"{row.ram_bytes:,}",
            f"{row.flash_bytes:,}",
            f"{row.code_bytes:,}",
        )
        for row in rows
    ]
    blocks = (table(columns, cells, right=columns[1:]), Note("Median per inference; bytes."))
    return Section("Cost", blocks, wide=True)


def _tflm(rows: Sequence[BenchRow], baseline: str) -> list[Section]:
    known = [row for row in rows if row.tflm_reference and row.tflm_cmsis_nn]
    if not known:
        return []
    columns = ("model", "reference kernels", "CMSIS-NN", "ours", "CMSIS-NN / ours")
    cells = [
        (
            row.model,
            f"{row.tflm_reference.instructions:,}",
            f"{row.tflm_cmsis_nn.instructions:,}",
            f"{row.counter_median:,}",
            f"{row.ratio:.2f}" if row.ratio else "-",
        )
        for row in known
        if row.tflm_reference and row.tflm_cmsis_nn
    ]
    blocks = (table(columns, cells, right=columns[1:]), Note(f"Baseline: {baseline}"))
    return [Section("TensorFlow Lite Micro for the same file", blocks, wide=True)]


def _model(row: BenchRow, firmware: Firmware, prefix: str) -> list[Section]:
    sections = [_layers(row, prefix)] if row.layers else []
    sections += [
        parts.counters(row.counters, row.counter_unit, prefix),
        *parts.memory(firmware.project.source, prefix),
        *parts.firmware(firmware, prefix),
    ]
    return sections


def _layers(row: BenchRow, prefix: str) -> Section:
    unit = row.counter_unit
    most = max(one.counter for one in row.layers) or 1
    columns = ("op", "operator", "tensor", "MACs", unit, "share", f"MACs per {unit[:-1]}")
    cells = [
        (
            str(one.op_index),
            one.op_name,
            Cell(words.short(one.tensor), title=one.tensor),
            f"{one.macs:,}" if one.macs else "",
            Cell(f"{one.counter:,}", bar=one.counter / most),
            f"{one.share:.1%}",
            f"{one.macs_per_count:.2f}" if one.macs_per_count is not None else "",
        )
        for one in row.layers
    ]
    return Section(
        f"{prefix}Layers", (table(columns, cells, right=("op", *columns[3:])),), wide=True
    )
