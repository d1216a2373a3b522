"""`tinyml monitor`: what a running device recognises and says."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_COMPARISON_FAILED, EXIT_PASSED

if TYPE_CHECKING:
    import re

    from tinyml.cli.console import Console

HELP = """show what the device that runs recognises and says

Attaches to the device as it is; start one with `tinyml flash`. --source plays recordings into the
virtual sensor, one after the other, and ends with a table of what was said and recognised.
Without it the board's own sensor is heard until --timeout or Ctrl-C; a virtual one is at rest.

With --json every line is a JSON document: kind "device" (once), "event", "text", "log", and at the
end of the sources "clips".
"""
EXAMPLES = """
tinyml monitor --source models/keyword_spotting/examples
tinyml monitor --source yes.wav no.wav --until "yes"
tinyml monitor --timeout 10 --log monitor.log
tinyml monitor --source recordings/ --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_board(parser)
    arguments.add_port(parser)
    parser.add_argument(
        "-s",
        "--source",
        metavar="PATH",
        type=Path,
        nargs="+",
        help="recordings (.wav, or .csv of motion), or folders of them, to play",
    )
    parser.add_argument(
        "-t", "--timeout", metavar="S", type=_seconds, help="stop after this many seconds"
    )
    parser.add_argument(
        "-u",
        "--until",
        metavar="REGEX",
        type=_pattern,
        help="stop at the first line that matches; exit 1 when none does",
    )
    parser.add_argument("--log", metavar="FILE", type=Path, help="append every line to FILE")
    parser.add_argument("--json", action="store_true", help="print lines of JSON")


def run(args: Namespace, console: Console) -> int:
    """Listen until the sources end, the time is over, or a line matches."""
    from tinyml.cli.listening import Monitor

    with Monitor(args, console) as monitor:
        monitor.run()
    missed = args.until is not None and not monitor.matched
    return EXIT_COMPARISON_FAILED if missed else EXIT_PASSED


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _pattern(text: str) -> re.Pattern[str]:
    import re

    try:
        return re.compile(text)
    except re.error as error:
        raise ArgumentTypeError(f"{text!r} is not a regular expression: {error}") from error
