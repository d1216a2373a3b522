"""`tinyml boards`: the boards that can be named."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli.arguments import add_json
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = "list the boards that --board can name"
EXAMPLES = """
tinyml boards
tinyml boards --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Print one row per board."""
    from tinyml.firmware import boards
    from tinyml.report.page import table

    known = [boards.load(name) for name in boards.names()]
    if args.json:
        console.json("boards", {"boards": known})
        return EXIT_PASSED
    rows = [
        (
            board.id,
            board.name,
            board.cpu,
            f"{board.flash_bytes:,}",
            f"{board.ram_bytes:,}",
            board.runtime,
            board.link,
        )
        for board in known
    ]
    columns = ("board", "name", "cpu", "flash", "RAM", "runtime", "link")
    console.show(table(columns, rows, right=("flash", "RAM")))
    return EXIT_PASSED
