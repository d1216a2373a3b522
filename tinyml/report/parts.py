"""Sections that several pages share: identity, flash and RAM, the map of the arena, layer noise."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml.build import elf
from tinyml.records import ARENA_ORIGINS, CSource, Firmware, LayerNoise
from tinyml.report import svg, words
from tinyml.report.page import ArenaMap, Block, Cell, Column, Facts, Histogram, Note, Section, table

LARGEST = 8  # symbols shown


def identity(model: str, sha256: str, where: Sequence[tuple[str, str]]) -> Facts:
    """Return which model ran where (`where`: names and values)."""
    return Facts((("model", words.model(model, sha256)), *where))


def details(sha256: str, firmware: Firmware | None = None, serial_number: str = "") -> Facts:
    """Return what tells two runs apart: the model's whole hash, the compiler, the very board."""
    rows = [("sha256", sha256)]
    if firmware is not None and (compiler := elf.compiler(firmware.elf)):
        rows.append(("compiler", compiler))
    if serial_number:
        rows.append(("board serial", serial_number))
    return Facts(tuple(rows), detail=True)


def memory(source: CSource, prefix: str = "") -> tuple[Section, ...]:
    """Return the map of the arena; nothing for a runtime that plans at run time."""
    if not source.memory:
        return ()
    steps = len(source.steps)
    chart = ArenaMap(source.memory, source.arena_bytes, steps, "")
    caption = (
        f"{svg.arena_label(chart)}. Step -1 is the input, {steps} the output; what a step writes "
        "may begin where its input lies, as far as its kernel allows. Grey is scratch memory."
    )
    chart = ArenaMap(source.memory, source.arena_bytes, steps, caption)
    return (Section(f"{prefix}Arena over time", (chart,)),)


def firmware(built: Firmware, prefix: str = "", *, detail: bool = True) -> tuple[Section, ...]:
    """Return what of the board the firmware takes, by section and by its largest symbols."""
    blocks: list[Block] = [sizes(built, detail=detail)]
    if sections := elf.sections(built.elf):
        most = max(size for _, size, _ in sections)
        rows = [(name, place, Cell(f"{size:,}", bar=size / most)) for name, size, place in sections]
        blocks.append(table(("section", "in", "bytes"), rows, right=("bytes",), detail=True))
    return (
        Section(f"{prefix}Flash and RAM", tuple(blocks)),
        Section(f"{prefix}Largest symbols", (_symbols(built, detail),)),
    )


def sizes(built: Firmware, *, detail: bool = False) -> Facts:
    """Return what the firmware takes of its board's flash and RAM, and the model of that."""
    board, source = built.project.board, built.project.source
    return Facts(
        (
            ("flash", _used_and_free(built.flash_bytes, board.flash_bytes)),
            ("  constants", f"{source.constant_bytes:,} bytes of the model"),
            ("RAM", _used_and_free(built.ram_bytes, board.ram_bytes)),
            (
                "  arena",
                f"{source.arena_bytes:,} bytes of the model, {ARENA_ORIGINS[source.arena_origin]}",
            ),
            ("  stack", f"{built.stack_bytes:,} bytes reserved"),
        ),
        detail,
    )


def noise(layers: Sequence[LayerNoise]) -> tuple[Section, ...]:
    """Return what each layer loses as int8, as a bundle's card states it; nothing of no layers."""
    if not layers:
        return ()
    note = Note(
        "Signal to quantization noise of each layer's output against the float model, from the "
        "same inputs; the noise that a layer adds to that of its inputs, as a share of the signal; "
        "and values beyond the range of its int8.",
        detail=True,
    )
    block = layer_noise(layers, detail=True)
    return (Section("What int8 loses, layer by layer", (block, note), wide=True),)


def layer_noise(layers: Sequence[LayerNoise], *, detail: bool = False) -> Block:
    """Return the table of layers; one without noise is exact."""
    ratios = [layer.sqnr_db for layer in layers if layer.sqnr_db is not None]
    most = max(ratios, default=0.0) or 1.0
    rows = [
        (
            str(layer.index),
            layer.operator,
            "exact"
            if layer.sqnr_db is None
            else Cell(f"{layer.sqnr_db:.1f}", bar=layer.sqnr_db / most),
            _share(layer.added, 3),
            _share(layer.clipped, 2),
            words.tensor_name(layer.tensor),
        )
        for layer in layers
    ]
    columns = ("op", "operator", "SQNR dB", "adds", "clipped", "tensor")
    return table(columns, rows, right=("op", "SQNR dB", "adds", "clipped"), detail=detail)


def counters(values: Sequence[int], unit: str, prefix: str = "") -> Section:
    """Return how many instructions or cycles inferences took, as a histogram where they vary."""
    blocks: list[Block]
    if len(set(values)) == 1:
        text = f"Each of {len(values)} inferences took exactly {values[0]:,} {unit}."
        blocks = [Note(text, detail=True)]
    else:
        caption = f"{len(values)} inferences took {min(values):,} to {max(values):,} {unit}."
        blocks = [Histogram(svg.bins_of(values), unit, "inferences", caption)]
    return Section(f"{prefix}{unit.capitalize()} per inference", tuple(blocks))


def layer_columns(unit: str, *, detail: bool = False) -> tuple[Column, ...]:
    """Return the headings of `layer_costs`."""
    names = ("MACs", unit, "share", f"MACs per {unit[:-1]}")
    return tuple(Column(name, right=True, detail=detail) for name in names)


def layer_costs(macs: int, counter: int, most: int, total: int) -> tuple[Cell, ...]:
    """Return a layer's cells below `layer_columns`; `most`, `total`: of all layers' counters."""
    return (
        Cell(f"{macs:,}" if macs else ""),
        Cell(f"{counter:,}", bar=counter / (most or 1)),
        Cell(f"{counter / (total or 1):.1%}"),
        Cell(f"{macs / counter:.2f}" if macs and counter else ""),
    )


def _symbols(built: Firmware, detail: bool) -> Block:
    shown = built.contributors[:LARGEST]
    most = max((size for _, _, size in shown), default=1)
    rows = [(name, section, Cell(f"{size:,}", bar=size / most)) for name, section, size in shown]
    return table(("largest", "section", "bytes"), rows, right=("bytes",), detail=detail)


def _share(value: float, decimals: int) -> str:
    return f"{value:.{decimals}%}" if value else "-"


def _used_and_free(size: int, limit: int) -> str:
    return f"{words.used(size, limit)}, {limit - size:,} free"
