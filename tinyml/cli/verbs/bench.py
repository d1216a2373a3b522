"""`tinyml bench`: what models cost on a board, beside TensorFlow Lite Micro."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_INPUT, EXIT_PASSED, TinymlError

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.measure.bench import BenchRow
    from tinyml.records import Firmware

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
    arguments.add_port(parser)
    arguments.add_count(parser, 5, "inferences to measure per model")
    parser.add_argument(
        "-l", "--layers", action="store_true", help="measure every layer, not the model alone"
    )
    arguments.add_report(parser)
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Build, flash and measure each model in turn; one that fails leaves the others' results."""
    from tinyml.cli import results
    from tinyml.measure import bench
    from tinyml.report import benchmark

    results.require_places(args.report)
    rows, firmwares = [], []
    failures: list[TinymlError] = []
    for model in args.models:
        try:
            row, firmware = _measure(args, model, console)
        except TinymlError as error:
            if len(args.models) == 1:
                raise
            console.note(f"{model} is left out: {error.message}")
            if error.hint:
                console.note(f"hint: {error.hint}")
            failures.append(error)
            continue
        rows.append(row)
        firmwares.append(firmware)
    if not rows:
        raise failures[0]
    results.show(benchmark.page(rows, firmwares, bench.provenance()), args, console)
    return EXIT_INPUT if failures else EXIT_PASSED


def _measure(args: Namespace, model: str, console: Console) -> tuple[BenchRow, Firmware]:
    """Measure one model on the board, or at an address of --port that runs it already."""
    from tinyml.cli import pipeline
    from tinyml.device import ports
    from tinyml.measure import bench

    choice = pipeline.choose(args, console, model)
    firmware = pipeline.build(choice, console)
    if not ports.is_address(args.port):
        pipeline.flash(firmware, console, args.port)
    with (
        pipeline.connected(choice.board, console, args.port) as device,
        console.progress(f"measuring {choice.bundle.name}"),
    ):
        return bench.bench(device, firmware, args.count, args.layers), firmware
