"""`tinyml bench`: what models cost on a board, beside TensorFlow Lite Micro."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.measure.bench import BenchRow

HELP = "measure models on a board, beside what TensorFlow Lite Micro needs for them"
EXAMPLES = """
tinyml bench
tinyml bench kws_ref_model.tflite vww_96_int8.tflite --count 20
tinyml bench --layers --report report.html
tinyml bench --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        default=[arguments.DEFAULT_MODEL],
        help=f"shipped names, bundle folders or .tflite files (default: {arguments.DEFAULT_MODEL})",
    )
    arguments.add_board(parser)
    arguments.add_runtime(parser)
    arguments.add_count(parser, 5, "inferences to measure per model")
    parser.add_argument(
        "-l", "--layers", action="store_true", help="measure every layer, not the model alone"
    )
    arguments.add_report(parser)
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Build, flash and measure each model in turn."""
    from tinyml.cli import pipeline, saving
    from tinyml.measure import bench
    from tinyml.report import benchmark

    saving.require_places(args.report)
    rows, firmwares = [], []
    for choice in [pipeline.choose(args, model) for model in args.models]:
        firmware = pipeline.build(choice, console)
        firmwares.append(firmware)
        pipeline.flash(firmware, console)
        with (
            pipeline.connected(choice.board, console) as device,
            console.progress(f"measuring {choice.bundle.name}"),
        ):
            rows.append(bench.bench(device, firmware, args.count, args.layers))
    document = {"baseline": bench.provenance(), "rows": rows}
    if args.json:
        console.json("bench", document)
    else:
        _show(rows, console)
    page = benchmark.report(rows, firmwares, bench.provenance())
    saving.save(args.report, page, "bench", document, console)
    return 0


def _show(rows: list[BenchRow], console: Console) -> None:
    from tinyml.measure import bench

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
    for row in rows:
        if row.layers:
            console.print()
            _show_layers(row, console)
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


def _show_layers(row: BenchRow, console: Console) -> None:
    from tinyml.report.words import short

    unit = row.counter_unit
    total = sum(layer.counter for layer in row.layers)
    columns = ("MACs", unit, "share", f"MACs per {unit[:-1]}")
    console.print(f"{row.model}: {total:,} {unit} in {len(row.layers)} layers")
    console.table(
        ("op", "operator", "tensor", *columns),
        [
            (
                layer.op_index,
                layer.op_name,
                short(layer.tensor),
                f"{layer.macs:,}" if layer.macs else "",
                f"{layer.counter:,}",
                f"{layer.share:.1%}",
                f"{layer.macs_per_count:.2f}" if layer.macs_per_count is not None else "",
            )
            for layer in row.layers
        ],
        right=("op", *columns),
    )
