"""`tinyml doctor`: what is installed, what is missing, and the command that fixes it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli.arguments import add_json
from tinyml.errors import EXIT_PASSED, EXIT_TOOL, ConfigError

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = "say what is installed, what is missing, and the command that fixes it"
EXAMPLES = """
tinyml doctor
tinyml doctor --json
tinyml doctor --fix spresense
tinyml doctor --fix spresense --from ~/Downloads
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_json(parser)
    parser.add_argument(
        "--fix", metavar="PLATFORM", help="install what this platform builds with (spresense)"
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="DIR",
        type=Path,
        help="with --fix: take the archives from this folder instead of downloading them",
    )


def run(args: Namespace, console: Console) -> int:
    """Print one row per need; exit 3 where a required one is missing."""
    from tinyml.cli import doctor
    from tinyml.report.page import table

    if args.fix is not None:
        with console.progress(f"installing for {args.fix}") as shown:
            folders = doctor.fix(args.fix, args.source, shown.update)
        for folder in folders:
            console.print(f"installed: {folder}")
        return EXIT_PASSED
    if args.source is not None:
        raise ConfigError("--from says where --fix finds archives", "name a platform: --fix NAME")
    with console.progress("looking around"):
        checks = doctor.examine()
    ready = doctor.ready(checks)
    if args.json:
        console.json("doctor", {"ready": ready, "checks": checks})
        return EXIT_PASSED if ready else EXIT_TOOL
    rows = [
        (
            "ok" if check.ok else "missing" if check.level == doctor.REQUIRED else "optional",
            check.name,
            check.found,
            check.needed_for,
        )
        for check in checks
    ]
    console.show(table(("", "what", "found", "needed for"), rows))
    for fix in dict.fromkeys(check.fix for check in checks if check.fix):
        console.print(f"fix: {fix}")
    console.print("ready" if ready else "not ready: something required is missing")
    return EXIT_PASSED if ready else EXIT_TOOL
