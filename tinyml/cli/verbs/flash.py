"""`tinyml flash`: put firmware on a board and see it answer."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.records import Firmware

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
    console.note(_sizes(firmware))
    pipeline.flash(firmware, console, args.port)
    model, runtime = choice.bundle, firmware.project.source.runtime
    console.print(
        f"{choice.board.id} runs {model.name} ({model.sha256[:12]}) under the {runtime} runtime"
    )
    console.print(f"see what it does: tinyml monitor --board {choice.board.id}")
    return 0


def _sizes(firmware: Firmware) -> str:
    """Return in a line what the firmware takes of its board; `tinyml build` shows it in full."""
    board, source = firmware.project.board, firmware.project.source
    return (
        f"flash {firmware.flash_bytes:,} of {board.flash_bytes:,} bytes, "
        f"RAM {firmware.ram_bytes:,} of {board.ram_bytes:,} "
        f"(arena {source.arena_bytes:,}, stack {firmware.stack_bytes:,})"
    )
