"""`tinyml clean`: what builds left behind; models and recordings stay."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = """remove what builds left behind

Generated projects with what was built in them go; bundles, recordings and whatever else lies beside
them stay, and so does a project with files that were changed since. --cache also removes what is
kept for later builds and can be made again: compiled objects, host builds, measured arenas, spoken
words, downloaded data sets.
"""
EXAMPLES = """
tinyml clean
tinyml clean build/ other_projects/
tinyml clean --cache --dry-run
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "folders",
        metavar="DIR",
        type=Path,
        nargs="*",
        default=[arguments.BUILD],
        help=f"projects, or folders of them (default: {arguments.BUILD})",
    )
    parser.add_argument(
        "--cache", action="store_true", help="also remove what is kept for later builds"
    )
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="only say what would be removed"
    )
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Remove projects, and say what each took of the disk."""
    from tinyml.cli import leftovers

    removed = []
    for folder in [*leftovers.projects(args.folders), *(leftovers.cached() if args.cache else ())]:
        size = leftovers.size(folder)
        if not args.dry_run and not leftovers.remove(folder, console.note):
            continue
        removed.append({"path": folder, "bytes": size})
        if not args.json:
            console.print(f"{folder}  {size:,} bytes")
    if args.json:
        console.json("clean", {"removed": removed, "dry_run": args.dry_run})
    elif not removed:
        console.print("nothing to remove")
    return EXIT_PASSED
