"""`tinyml inspect`: what a model is and what it costs, before anything is built."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.footprint import Footprint, OperatorInfo
    from tinyml.records import TensorInfo

HELP = "show a model's operators, MACs, arena and flash, and whether it fits a board"
EXAMPLES = """
tinyml inspect
tinyml inspect model.tflite --board qemu-m4
tinyml inspect model.tflite --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    arguments.add_board(parser)
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Print the operators and the cost per runtime."""
    from tinyml import boards, bundle, footprint

    board, model = boards.load(args.board), bundle.load(args.model)
    with console.progress(f"compiling {model.name}"):
        found = footprint.inspect(model, board)
    if args.json:
        console.json("inspect", found)
    else:
        _show(found, console)
    return 0


def _show(found: Footprint, console: Console) -> None:
    console.facts(
        [
            ("model", f"{found.model}, {found.model_bytes:,} bytes, sha256 {found.sha256[:16]}"),
            *(("input", _tensor(info)) for info in found.inputs),
            *(("output", _tensor(info)) for info in found.outputs),
            *((("labels", " ".join(found.labels)),) if found.labels else ()),
            ("MACs", f"{found.macs:,} per inference"),
        ]
    )
    console.print()
    console.table(
        ("op", "operator", "output", "quantization", "MACs", "share", "constants", "folded"),
        [_row(operator, found.macs) for operator in found.operators],
        right=("op", "MACs", "share", "constants"),
    )
    console.print()
    flash, ram = found.board_flash_bytes, found.board_ram_bytes
    console.print(f"on {found.board} with {flash:,} bytes of flash and {ram:,} of RAM")
    console.table(
        ("runtime", "arena", "constants", "steps", "fits"),
        [
            (
                cost.runtime,
                ("" if cost.arena_exact else "at most ") + f"{cost.arena_bytes:,}"
                if cost.steps
                else "-",
                f"{cost.constant_bytes:,}" if cost.steps else "-",
                cost.steps or "-",
                "yes" if cost.fits else f"no: {cost.problem}",
            )
            for cost in found.runtimes
        ],
        right=("arena", "constants", "steps"),
    )
    for cost in found.runtimes:
        if cost.hint:
            console.print(f"{cost.runtime}: {cost.hint}")


def _row(operator: OperatorInfo, total: int) -> tuple[object, ...]:
    return (
        operator.index,
        operator.name,
        f"{operator.dtype} {_shape(operator.shape)}",
        _quantization(operator.scale, operator.zero_point),
        f"{operator.macs:,}" if operator.macs else "",
        f"{operator.macs / total:.1%}" if operator.macs else "",
        f"{operator.constant_bytes:,}" if operator.constant_bytes else "",
        operator.folded,
    )


def _tensor(info: TensorInfo) -> str:
    quantization = _quantization(info.scale, info.zero_point)
    return f"{info.name} {info.dtype} {_shape(info.shape)} {quantization}".rstrip()


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _quantization(scale: float, zero_point: int) -> str:
    return f"{scale:.6g} * (q {-zero_point:+d})" if scale else ""
