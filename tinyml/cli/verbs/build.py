"""`tinyml build`: firmware from a model, and what it takes of the board."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED, ConfigError

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = "build firmware with PlatformIO and show what it takes of the board"
EXAMPLES = """
tinyml build
tinyml build model.tflite --board qemu-m4 --runtime compiled
tinyml build --runtime tflm --fit
tinyml build --report report.html
tinyml build --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_project(parser)
    arguments.add_generation(parser)
    arguments.add_slot(parser)
    arguments.add_sensor(parser)
    arguments.add_prefix(parser)
    arguments.add_check(parser)
    arguments.add_threshold(parser)
    arguments.add_report(parser)
    arguments.add_json(parser)
    parser.add_argument(
        "--fit",
        action="store_true",
        help="measure the arena that --runtime tflm needs and reserve just that, now and later",
    )
    parser.add_argument(
        "-p",
        "--port",
        metavar="PORT",
        help="with --fit: measure on the board there (default: "
        "on the emulated one, with the same library)",
    )


def run(args: Namespace, console: Console) -> int:
    """Build and print the sizes."""
    from tinyml.cli import pipeline, results
    from tinyml.report import firmware

    results.require_places(args.report)
    choice = pipeline.choose(args, console)
    if args.fit:
        pipeline.fit(choice, console, args.port)
    elif args.port is not None:
        raise ConfigError("--port says where --fit measures", "add --fit, or: tinyml flash")
    results.show(firmware.page(pipeline.build(choice, console)), args, console)
    return EXIT_PASSED
