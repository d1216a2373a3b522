"""`tinyml bench`: what models cost on a board, beside TensorFlow Lite Micro."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments

if TYPE_CHECKING:
    from tinyml.bench import BenchRow
    from tinyml.cli.console import Console

HELP = "measure models on a board, beside what TensorFlow Lite Micro needs for them"
EXAMPLES = """
tinyml bench
tinyml bench kws_ref_model.tflite vww_96_int8.tflite --count 20
tinyml bench --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        default=[arguments.DEFAULT_MODEL],
        help="shipped names, bundle folders or .tflite files (default: %(default)s)",
    )
    arguments.add_board(parser)
    arguments.add_runtime(parser)
    arguments.add_count(parser, 5, "inferences to measure per model")
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Build, flash and measure each model in turn."""
    from tinyml import bench
    from tinyml.cli import pipeline

    rows = []
    for choice in [pipeline.choose(args, model) for model in args.models]:
        firmware = pipeline.build(choice, console)
        pipeline.flash(firmware, console)
        with (
            pipeline.connected(choice.board, console) as device,
            console.progress(f"measuring {choice.bundle.name}"),
        ):
            rows.append(bench.bench(device, firmware, args.count))
    if args.json:
        console.json("bench", {"baseline": bench.provenance(), "rows": rows})
    else:
        _show(rows, console)
    return 0


def _show(rows: list[BenchRow], console: Console) -> None:
    from tinyml import bench

    unit = rows[0].counter_unit
    console.table(
        ("model", f"{unit} min", "median", "max", "arena", "RAM", "flash", "beyond constants"),
        [
            (
                row.model,
                f"{row.counter_min:,}",
                f"{row.counter_median:,}",
                f"{row.counter_max:,}",
                f"{row.arena_bytes:,}",
                f"{row.ram_bytes:,}",
                f"{row.flash_bytes:,}",
                f"{row.code_bytes:,}",
            )
            for row in rows
        ],
        right=(f"{unit} min", "median", "max", "arena", "RAM", "flash", "beyond constants"),
    )
    if any(row.tflm_cmsis_nn for row in rows):
        console.print()
        _show_baseline(rows, console)
        console.print(f"baseline: {bench.provenance()}")
    if unit == "instructions":
        console.print("Instructions per inference, not time: a chip's cycles per instruction vary.")


def _show_baseline(rows: list[BenchRow], console: Console) -> None:
    columns = ("reference kernels", "CMSIS-NN", "ours", "CMSIS-NN / ours", "arena", "flash")
    console.table(
        ("TFLM for the same file", *columns),
        [
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
        ],
        right=columns,
    )
