"""`tinyml inspect`: what a model is and what it costs, before anything is built."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.measure.footprint import Footprint, OperatorInfo
    from tinyml.records import Bundle, TensorInfo

HELP = "show a model's operators, MACs, arena and flash, and whether it fits a board"
EXAMPLES = """
tinyml inspect
tinyml inspect model.tflite --board qemu-m4
tinyml inspect model.tflite --all-boards
tinyml inspect my_model --sqnr words/
tinyml inspect model.tflite --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    arguments.add_board(parser)
    parser.add_argument(
        "--all-boards", action="store_true", help="only say which boards hold it, by runtime"
    )
    parser.add_argument(
        "--sqnr",
        metavar="DATA",
        type=Path,
        help="only say what int8 loses in which layer, on recordings or an .npz of inputs",
    )
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Print the operators and the cost per runtime."""
    from tinyml.firmware import boards
    from tinyml.measure import footprint
    from tinyml.model import bundle

    board, model = boards.load(args.board), bundle.load(args.model)
    if args.sqnr is not None:
        return _sqnr(model, args, console)
    if args.all_boards:
        return _all_boards(model, args, console)
    with console.progress(f"compiling {model.name}"):
        found = footprint.inspect(model, board)
    if args.json:
        console.json("inspect", found)
    else:
        _show(found, console)
    return 0


def _all_boards(model: Bundle, args: Namespace, console: Console) -> int:
    """Print which boards hold the model."""
    from tinyml.firmware import boards
    from tinyml.measure import footprint

    with console.progress(f"compiling {model.name}"):
        found = [footprint.inspect(model, boards.load(name)) for name in boards.names()]
    if args.json:
        console.json("inspect-boards", {"boards": found})
        return 0
    rows = [
        (
            one.board,
            cost.runtime,
            ("" if cost.arena_exact else "at most ") + f"{cost.arena_bytes:,}",
            f"{cost.constant_bytes:,}",
            f"{one.board_ram_bytes:,}",
            f"{one.board_flash_bytes:,}",
            "yes" if cost.fits else f"no: {cost.problem}",
        )
        for one in found
        for cost in one.runtimes
    ]
    console.table(
        ("board", "runtime", "arena", "constants", "RAM", "flash", "fits"),
        rows,
        right=("arena", "constants", "RAM", "flash"),
    )
    console.print("Firmware, stack and sensors come on top: tinyml build counts every byte.")
    return 0


def _sqnr(model: Bundle, args: Namespace, console: Console) -> int:
    """Print what int8 loses in each layer."""
    from tinyml.cli import noise
    from tinyml.model import vectors
    from tinyml.model.oracle import Oracle
    from tinyml.training import layer_noise

    with console.progress(f"comparing {model.name} with its float network"):
        infos = [tensor.info for tensor in Oracle(model.model, model.name).inputs]
        floating = layer_noise.floating(model)
        if args.sqnr.suffix in (".npz", ".npy"):
            inputs = [one.arrays[0] for one in vectors.load(args.sqnr, model, infos)]
        else:
            inputs = layer_noise.training_inputs(model, args.sqnr)
        layers = layer_noise.measure(model.model, floating, inputs)
    if args.json:
        console.json("sqnr", {"layers": layer_noise.document(layers)})
    else:
        noise.show(layers, console)
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
