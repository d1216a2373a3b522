"""`tinyml generate`: a PlatformIO project that stands alone."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = "write a self-contained PlatformIO project with the model compiled to C"
EXAMPLES = """
tinyml generate
tinyml generate model.tflite --board qemu-m4 --out firmware
cd firmware && pio run
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    arguments.add_board(parser)
    arguments.add_runtime(parser)
    arguments.add_sensor(parser)
    arguments.add_out(parser)


def run(args: Namespace, console: Console) -> int:
    """Write the project and say where it is."""
    from tinyml.cli import pipeline

    project = pipeline.generate(pipeline.choose(args), console)
    console.print(f"{project.path} is a PlatformIO project for {project.board.id}")
    console.print(f"build it: tinyml build --out {project.path}, or: cd {project.path} && pio run")
    return 0
