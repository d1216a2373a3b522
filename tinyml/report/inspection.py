"""The pages of `tinyml inspect`: operators, shapes and MACs; footprint by runtime and board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyml.report import parts, words
from tinyml.report.page import (
    Block,
    Cell,
    Column,
    Facts,
    Note,
    Page,
    Section,
    Table,
    TestCase,
    table,
)

if TYPE_CHECKING:
    from tinyml.measure.footprint import Footprint, OperatorInfo, RuntimeCost
    from tinyml.records import CSource, LayerNoise, TensorInfo


def page(footprint: Footprint) -> Page:
    """Return the page of one model on one board."""
    flash, ram = footprint.board_flash_bytes, footprint.board_ram_bytes
    board = f"on {footprint.board} with {flash:,} bytes of flash and {ram:,} of RAM"
    hints = [Note(f"{cost.runtime}: {cost.hint}") for cost in footprint.runtimes if cost.hint]
    size = f"{footprint.model}, {footprint.model_bytes:,} bytes, sha256 {footprint.sha256[:16]}"
    return Page(
        name="inspect",
        title=f"{footprint.model} on {footprint.board}",
        headline=f"{footprint.macs:,} MACs per inference; it "
        + ("fits" if footprint.fits else "does not fit"),
        identity=Facts((("model", size),)),
        sections=(
            Section("Tensors", (_tensors(footprint),)),
            Section("Operators", (_operators(footprint),), wide=True),
            Section("Cost by runtime", (Note(board), _costs(footprint), *hints)),
        ),
        record=footprint,
        details=parts.details(footprint.sha256),
        cases=tuple(_case(cost, footprint) for cost in footprint.runtimes),
        properties={"model": footprint.model, "sha256": footprint.sha256},
    )


def boards_page(model: str, footprints: Sequence[Footprint]) -> Page:
    """Return the page of one model on several boards."""
    rows = [
        (
            each.board,
            cost.runtime,
            _arena(cost),
            f"{cost.constant_bytes:,}",
            f"{each.board_ram_bytes:,}",
            f"{each.board_flash_bytes:,}",
            _fits(cost),
        )
        for each in footprints
        for cost in each.runtimes
    ]
    right = ("arena", "constants", "RAM", "flash")
    note = "Firmware, stack and sensors come on top: tinyml build counts every byte."
    block = table(("board", "runtime", *right, "fits"), rows, right=right)
    return Page(
        name="inspect-boards",
        title=f"{model} on all boards",
        identity=Facts((("model", model),), detail=True),
        sections=(Section("Boards", (block, Note(note)), wide=True),),
        record={"boards": footprints},
    )


def plan_page(model: str, source: CSource) -> Page:
    """Return the page of how each layer is computed, and of what lies where in the arena."""
    rows = [
        (
            each.op_index,
            each.op_name,
            f"{each.channels} of {each.all_channels}",
            each.kernel,
            each.note,
        )
        for each in source.decisions
    ]
    columns = (Column("op", right=True), "operator", "channels", "kernel", "decided")
    record = {"model": model, "layers": source.decisions, "memory": source.memory}
    return Page(
        name="plan",
        title=f"{model}: how the compiled runtime computes it",
        identity=Facts((("model", model),), detail=True),
        sections=(
            Section("Layers", (table(columns, rows),), wide=True),
            Section(f"Arena of {source.arena_bytes:,} bytes", (_placements(source),), wide=True),
            *parts.memory(source),
        ),
        record={**record, "arena_bytes": source.arena_bytes},
    )


def _placements(source: CSource) -> Table:
    """What lies where, and from which step to which."""
    right = [Column(name, right=True) for name in ("offset", "bytes", "from step", "to step")]
    rows = [
        (f"{each.offset:,}", f"{each.bytes:,}", each.first, each.last, each.name)
        for each in source.memory
    ]
    return table((*right, "tensor"), rows)


def noise_page(model: str, layers: Sequence[LayerNoise]) -> Page:
    """Return the page of what int8 loses in each layer; `layers` as a card describes them."""
    return Page(
        name="sqnr",
        title=f"{model}: what int8 loses, layer by layer",
        identity=Facts((("model", model),), detail=True),
        sections=(Section("Layers", (parts.layer_noise(layers),), wide=True),),
        record={"layers": layers},
    )


def _case(cost: RuntimeCost, footprint: Footprint) -> TestCase:
    name = f"{footprint.model} fits {footprint.board} under {cost.runtime}"
    return TestCase("fits", name, "" if cost.fits else f"{cost.problem}\n{cost.hint}".rstrip())


def _tensors(footprint: Footprint) -> Facts:
    rows = [
        *(("input", _tensor(info)) for info in footprint.inputs),
        *(("output", _tensor(info)) for info in footprint.outputs),
    ]
    if footprint.labels:
        rows.append(("labels", " ".join(footprint.labels)))
    return Facts((*rows, ("MACs", f"{footprint.macs:,} per inference")))


def _operators(footprint: Footprint) -> Table:
    most = max((operator.macs for operator in footprint.operators), default=0) or 1
    columns = (
        Column("op", right=True),
        "operator",
        "output",
        "quantization",
        Column("MACs", right=True),
        Column("share", right=True),
        Column("constants", right=True),
        "folded",
    )
    return table(columns, [_operator(each, footprint.macs, most) for each in footprint.operators])


def _operator(operator: OperatorInfo, total: int, most: int) -> tuple[object, ...]:
    macs = operator.macs
    return (
        operator.index,
        operator.name,
        f"{operator.dtype} {words.shape(operator.shape)}",
        _quantization(operator.scale, operator.zero_point),
        Cell(f"{macs:,}", bar=macs / most) if macs else "",
        f"{macs / total:.1%}" if macs else "",
        f"{operator.constant_bytes:,}" if operator.constant_bytes else "",
        operator.folded,
    )


def _costs(footprint: Footprint) -> Block:
    rows = [
        (
            cost.runtime,
            _arena(cost) if cost.steps else "-",
            f"{cost.constant_bytes:,}" if cost.steps else "-",
            cost.steps or "-",
            _fits(cost),
        )
        for cost in footprint.runtimes
    ]
    right = ("arena", "constants", "steps")
    return table(("runtime", *right, "fits"), rows, right=right)


def _arena(cost: RuntimeCost) -> str:
    return ("" if cost.arena_exact else "at most ") + f"{cost.arena_bytes:,}"


def _fits(cost: RuntimeCost) -> str:
    return "yes" if cost.fits else f"no: {cost.problem}"


def _tensor(info: TensorInfo) -> str:
    quantization = _quantization(info.scale, info.zero_point)
    return f"{info.name} {info.dtype} {words.shape(info.shape)} {quantization}".rstrip()


def _quantization(scale: float, zero_point: int) -> str:
    return f"{scale:.6g} * (q {-zero_point:+d})" if scale else ""
