"""`tinyml bench`: what models cost on a board, beside TensorFlow Lite Micro."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console

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
    from tinyml.cli import pipeline, results
    from tinyml.measure import bench
    from tinyml.report import benchmark

    results.require_places(args.report)
    rows, firmwares = [], []
    for choice in [pipeline.choose(args, console, model) for model in args.models]:
        firmware = pipeline.build(choice, console)
        firmwares.append(firmware)
        pipeline.flash(firmware, console)
        with (
            pipeline.connected(choice.board, console) as device,
            console.progress(f"measuring {choice.bundle.name}"),
        ):
            rows.append(bench.bench(device, firmware, args.count, args.layers))
    results.show(benchmark.page(rows, firmwares, bench.provenance()), args, console)
    return EXIT_PASSED
