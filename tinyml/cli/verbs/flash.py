"""`tinyml flash`: put firmware on a board and see it answer."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.cli.pipeline import Choice

HELP = "build the firmware and put it on the board; an emulated board starts to run"
EXAMPLES = """
tinyml flash
tinyml flash model.tflite --board qemu-m4
tinyml flash --json
tinyml devices --stop
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_project(parser)
    arguments.add_slot(parser)
    arguments.add_sensor(parser)
    arguments.add_check(parser)
    arguments.add_port(parser)
    arguments.add_threshold(parser)
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Build, flash, and say what the board runs now."""
    from tinyml.cli import pipeline
    from tinyml.report import firmware

    choice = pipeline.choose(args, console)
    built = pipeline.build(choice, console)
    console.note(firmware.summary(built))
    pipeline.flash(built, console, args.port)
    if args.json:
        console.json("flash", firmware.record(built))
        return EXIT_PASSED
    model, runtime = choice.bundle, built.project.source.runtime
    console.print(firmware.running(model.name, model.sha256, choice.board.id, runtime))
    console.print(_next(choice))
    return EXIT_PASSED


def _next(choice: Choice) -> str:
    """Return what to do with a board that runs a model: a stream can be watched, others proved."""
    board = choice.board.id
    if choice.bundle.stream is not None:
        return f"see what it does: tinyml monitor --board {board}"
    model = shlex.quote(choice.origin.model)
    return f"see that it computes the same: tinyml validate {model} --board {board}"
