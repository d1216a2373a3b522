"""`tinyml devices`: the emulated boards that run now."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli.arguments import add_json

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = "list the emulated boards that run now, or stop them"
EXAMPLES = """
tinyml devices
tinyml devices --stop
tinyml devices --stop qemu-m4
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--stop",
        metavar="BOARD",
        nargs="?",
        const="",
        help="stop the emulated board BOARD, or all of them",
    )
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """List, or stop and say what was stopped."""
    from tinyml import device

    if args.stop is not None:
        return _stop(args.stop, console)
    running = device.devices()
    if args.json:
        console.json("devices", {"devices": running})
    elif running:
        console.table(
            ("board", "pid", "model", "line"),
            [(one.board, one.pid, one.model, one.line) for one in running],
        )
    else:
        console.print("no emulated board runs; start one with: tinyml flash")
    return 0


def _stop(name: str, console: Console) -> int:
    from tinyml import device

    chosen = [name] if name else [one.board for one in device.devices()]
    for board in chosen:
        device.stop(board)
        console.print(f"stopped {board}")
    if not chosen:
        console.print("no emulated board runs")
    return 0
