"""`tinyml doctor`: what is installed, what is missing, and the command that fixes it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli.arguments import add_json
from tinyml.errors import EXIT_PASSED, EXIT_TOOL

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = "say what is installed, what is missing, and the command that fixes it"
EXAMPLES = """
tinyml doctor
tinyml doctor --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Print one row per need; exit 3 where a required one is missing."""
    from tinyml import doctor

    with console.progress("looking around"):
        checks = doctor.examine()
    ready = doctor.ready(checks)
    if args.json:
        console.json("doctor", {"ready": ready, "checks": checks})
        return EXIT_PASSED if ready else EXIT_TOOL
    console.table(
        ("", "what", "found", "needed for"),
        [
            (
                "ok" if check.ok else "missing" if check.level == doctor.REQUIRED else "optional",
                check.name,
                check.found,
                check.needed_for,
            )
            for check in checks
        ],
    )
    for fix in dict.fromkeys(check.fix for check in checks if check.fix):
        console.print(f"fix: {fix}")
    console.print("ready" if ready else "not ready: something required is missing")
    return EXIT_PASSED if ready else EXIT_TOOL
