"""`tinyml flash`: put firmware on a board and see it answer."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = "build the firmware and put it on the board; an emulated board starts to run"
EXAMPLES = """
tinyml flash
tinyml flash model.tflite --board qemu-m4
tinyml devices --stop
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    arguments.add_board(parser)
    arguments.add_runtime(parser)
    arguments.add_slot(parser)
    arguments.add_sensor(parser)
    arguments.add_out(parser)
    arguments.add_port(parser)


def run(args: Namespace, console: Console) -> int:
    """Build, flash, and say what the board runs now."""
    from tinyml.cli import pipeline
    from tinyml.report import firmware

    choice = pipeline.choose(args)
    built = pipeline.build(choice, console)
    console.note(firmware.summary(built))
    pipeline.flash(built, console, args.port)
    model, runtime = choice.bundle, built.project.source.runtime
    console.print(firmware.running(model.name, model.sha256, choice.board.id, runtime))
    console.print(f"see what it does: tinyml monitor --board {choice.board.id}")
    return EXIT_PASSED
