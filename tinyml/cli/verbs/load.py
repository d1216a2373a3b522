"""`tinyml load`: another model for a device that runs, without building firmware."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = """replace the model of a running device over its serial line, without building firmware

The firmware must have a model slot: tinyml flash --model-slot. Under the compiled runtime the model
must have the structure of the one that was built (a fine-tuned one has), under tflm the same
operators, inputs and outputs. The device uses it once all of it arrived and its hash is right;
whatever goes wrong, the model that ran runs on. After a restart the built-in model runs.
"""
EXAMPLES = """
tinyml flash --model-slot
tinyml load my_model
tinyml load my_model --port /dev/ttyACM0
tinyml load --built-in
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    arguments.add_board(parser)
    arguments.add_port(parser)
    parser.add_argument(
        "--built-in", action="store_true", help="run the model of the firmware again; no MODEL"
    )
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Check the model, send it, and say what the device runs now."""
    from tinyml.cli import pipeline
    from tinyml.device import model_slot
    from tinyml.firmware import boards
    from tinyml.report import firmware

    board = boards.load(args.board)
    with pipeline.connected(board, console, args.port) as device:
        if args.built_in:
            device.unload()
        else:
            chosen = pipeline.load_model(args, console)
            slot = model_slot.prepare(device, board, chosen)
            with console.progress(f"sending {len(slot.block):,} bytes") as shown:
                device.load(
                    slot,
                    chosen.name,
                    chosen.sha256,
                    on_sent=lambda sent: shown.update("", sent, len(slot.block)),
                )
        info = device.info
    if args.json:
        console.json(
            "load",
            {
                "board": info.board,
                "model": info.model,
                "sha256": info.sha256,
                "runtime": info.runtime,
                "built_in": args.built_in,
            },
        )
        return EXIT_PASSED
    runs = firmware.running(info.model, info.sha256, info.board, info.runtime)
    console.print(f"{runs}{', as built' if args.built_in else ' until it restarts'}")
    return EXIT_PASSED
