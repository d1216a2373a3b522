"""Sections that several pages share: identity, flash and RAM, the map of the arena."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from tinyml import __version__
from tinyml.build import elf
from tinyml.records import CSource, Firmware
from tinyml.report import figures, words
from tinyml.report.page import Block, Cell, Facts, Figure, Note, Section, table

_LARGEST = 12


def identity(
    model: str, sha256: str, where: Sequence[tuple[str, str]], firmware: Firmware | None = None
) -> Facts:
    """Return what was run where (`where`: names and values), and with which tools."""
    rows = [("model", model), ("sha256", sha256), *where, ("tinyml", __version__)]
    rows.append(("reference", f"tflite-micro {_version('tflite-micro')}"))
    if firmware is not None and (compiler := elf.compiler(firmware.elf)):
        rows.append(("compiler", compiler))
    rows.append(("host", f"Python {platform.python_version()}, {platform.machine()}"))
    return Facts(tuple(rows))


def memory(source: CSource, prefix: str = "") -> tuple[Section, ...]:
    """Return the map of the arena; nothing for a runtime that plans at run time."""
    if not source.memory:
        return ()
    steps = len(source.steps)
    drawing = figures.memory(source.memory, source.arena_bytes, steps)
    caption = (
        f"{drawing.label}. Step -1 is the input, {steps} the output; what a step writes may begin "
        "where its input lies, as far as its kernel allows. Grey is scratch memory."
    )
    return (Section(f"{prefix}Arena over time", (Figure(drawing, caption),)),)


def firmware(built: Firmware, prefix: str = "") -> tuple[Section, ...]:
    """Return what of the board the firmware takes, by section and by its largest symbols."""
    board = built.project.board
    facts = Facts(
        (
            ("flash", _of(built.flash_bytes, board.flash_bytes)),
            ("RAM", _of(built.ram_bytes, board.ram_bytes)),
            ("constants", f"{built.project.source.constant_bytes:,} bytes of the model"),
            ("arena", f"{built.project.source.arena_bytes:,} bytes of the model"),
            ("stack", f"{built.stack_bytes:,} bytes reserved"),
        )
    )
    blocks: list[Block] = [facts]
    if sections := elf.sections(built.elf):
        most = max(size for _, size, _ in sections)
        rows = [
            (Cell(name), Cell(place), Cell(f"{size:,}", bar=size / most))
            for name, size, place in sections
        ]
        blocks.append(table(("section", "in", "bytes"), rows))
    return (
        Section(f"{prefix}Flash and RAM", tuple(blocks)),
        Section(f"{prefix}Largest symbols", (_symbols(built),)),
    )


def noise(card: Mapping[str, Any]) -> tuple[Section, ...]:
    """Return what each layer loses as int8, where the bundle's `card` tells it, and soundly."""
    told = card.get("noise")
    layers = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    ratios = [one.get("sqnr_db") for one in layers]
    most = max((one for one in ratios if isinstance(one, int | float)), default=0.0) or 1.0
    rows = [
        (
            str(one.get("index", "")),
            str(one.get("operator", "")),
            words.short(str(one.get("tensor", ""))),
            Cell(f"{ratio:.1f}", bar=ratio / most)
            if isinstance(ratio, int | float)
            else Cell("exact"),
            _share(one.get("added")),
            _share(one.get("clipped")),
        )
        for one, ratio in zip(layers, ratios, strict=True)
    ]
    columns = ("op", "operator", "tensor", "SQNR dB", "noise added", "clipped")
    note = Note(
        "Signal to quantization noise of each layer's output against the float model, from the "
        "same inputs; the noise that a layer adds to that of its inputs, as a share of the signal; "
        "and values beyond the range of its int8."
    )
    block = table(columns, rows, right=("op", *columns[3:]))
    return (Section("What int8 loses, layer by layer", (block, note), wide=True),) if rows else ()


def counters(values: Sequence[int], unit: str, prefix: str = "") -> Section:
    """Return how many instructions or cycles inferences took, as a histogram where they vary."""
    if len(set(values)) == 1:
        block: Block = Note(f"Each of {len(values)} inferences took exactly {values[0]:,} {unit}.")
    else:
        bins = figures.bins_of(values)
        drawing = figures.columns(bins, f"histogram of {unit}", unit, "inferences")
        block = Figure(
            drawing,
            f"{len(values)} inferences took {min(values):,} to {max(values):,} {unit}.",
        )
    blocks = [block]
    if unit == "instructions":
        blocks.append(Note("Instructions are not time: a chip's cycles per instruction vary."))
    return Section(f"{prefix}{unit.capitalize()} per inference", tuple(blocks))


def _symbols(built: Firmware) -> Block:
    shown = built.contributors[:_LARGEST]
    most = max((size for _, _, size in shown), default=1)
    rows = [
        (Cell(name), Cell(section), Cell(f"{size:,}", bar=size / most))
        for name, section, size in shown
    ]
    return table(("symbol", "section", "bytes"), rows)


def _share(value: object) -> str:
    return f"{value:.3%}" if isinstance(value, int | float) else "-"


def _of(used: int, limit: int) -> str:
    return f"{used:,} of {limit:,} bytes ({used / limit:.1%})"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
