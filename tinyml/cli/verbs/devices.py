"""`tinyml devices`: the emulated boards that run now."""

from __future__ import annotations

import contextlib
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli.arguments import DEFAULT_BOARD, add_json
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = """list the emulated boards that run now, stop them, or let other programs open one

--pty gives a board's serial line a path like /dev/pts/5, until Ctrl-C, for programs that want a
serial port: terminals, the benchmark runner of MLPerf Tiny.
"""
EXAMPLES = """
tinyml devices
tinyml devices --stop
tinyml devices --stop qemu-m4
tinyml devices --pty
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
    parser.add_argument(
        "--pty",
        metavar="BOARD",
        nargs="?",
        const=DEFAULT_BOARD,
        help="offer the line of BOARD as a terminal device until Ctrl-C (default: %(const)s)",
    )
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """List, or stop and say what was stopped."""
    from tinyml import device
    from tinyml.report.page import table

    if args.stop is not None:
        return _stop(args.stop, console)
    if args.pty is not None:
        return _offer(args.pty, console)
    running = device.devices()
    if args.json:
        console.json("devices", {"devices": running})
    elif running:
        rows = [(each.board, each.pid, each.model, each.line) for each in running]
        console.show(table(("board", "pid", "model", "line"), rows))
    else:
        console.print("no emulated board runs; start one with: tinyml flash")
    return EXIT_PASSED


def _offer(board: str, console: Console) -> int:
    from tinyml import device

    with device.open_terminal(board) as terminal, contextlib.suppress(KeyboardInterrupt):
        console.note(f"{board} is at this path until Ctrl-C:")
        console.print(terminal.path)
        console.flush()
        terminal.serve()
    return EXIT_PASSED


def _stop(name: str, console: Console) -> int:
    from tinyml import device

    chosen = [name] if name else [each.board for each in device.devices()]
    for board in chosen:
        device.stop(board)
        console.print(f"stopped {board}")
    if not chosen:
        console.print("no emulated board runs")
    return EXIT_PASSED
