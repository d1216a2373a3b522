"""`tinyml generate`: a PlatformIO project that stands alone."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = "write a self-contained PlatformIO project or Arduino sketch with the model in C"
EXAMPLES = """
tinyml generate
tinyml generate model.tflite --board qemu-m4 --out firmware
tinyml generate --board nano33ble --format arduino
tinyml generate gesture --prefix wand_ --out wand
cd firmware && pio run
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    arguments.add_board(parser)
    arguments.add_runtime(parser)
    arguments.add_generation(parser)
    arguments.add_slot(parser)
    arguments.add_sensor(parser)
    arguments.add_prefix(parser)
    arguments.add_out(parser)
    parser.add_argument(
        "-f",
        "--format",
        choices=("platformio", "arduino"),
        default="platformio",
        help="a PlatformIO project, or a sketch for the Arduino IDE (default: %(default)s)",
    )


def run(args: Namespace, console: Console) -> int:
    """Write the project and say where it is."""
    from tinyml.cli import pipeline

    if args.format == "arduino":
        file = pipeline.sketch(pipeline.choose(args), console, args.out)
        console.print(f"{file} is a sketch for the Arduino IDE")
        console.print(f"what it needs there: {file.parent / 'README.md'}")
        return 0
    project = pipeline.generate(pipeline.choose(args), console)
    console.print(f"{project.path} is a PlatformIO project for {project.board.id}")
    console.print(f"build it: tinyml build --out {project.path}, or: cd {project.path} && pio run")
    return 0
