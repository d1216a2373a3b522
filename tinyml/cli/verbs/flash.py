"""`tinyml flash`: put firmware on a board and see it answer."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments

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

    choice = pipeline.choose(args)
    firmware = pipeline.build(choice, console)
    pipeline.flash(firmware, console, args.port)
    model, runtime = choice.bundle, firmware.project.source.runtime
    console.print(
        f"{choice.board.id} runs {model.name} ({model.sha256[:12]}) under the {runtime} runtime"
    )
    console.print(f"see what it does: tinyml monitor --board {choice.board.id}")
    return 0
