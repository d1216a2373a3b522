"""`tinyml capture`: labelled recordings of a board's sensor, where `tinyml train` reads them."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = """record labelled sensor data from a board, for training

Records what the board's own sensor gives (flash it first with a model of the task), or, with a
virtual sensor, what --source plays to it. Each recording is trimmed to where something happens and
becomes a file in the folder that `tinyml train TASK --data DIR` reads; what is known about it is in
a .json file beside it. Numbers go on where they ended; nothing is overwritten. A recording that is
incomplete (the device or the line lost samples) or empty is refused and made again; one beyond the
sensor's range is named.

Where the line is slower than the sensor the device records into its memory: the command says how
long a recording may be, and --longest says only that.
"""
EXAMPLES = """
tinyml capture keyword_spotting --label yes --speaker ann --board nano33ble --out my_words
tinyml capture keyword_spotting --label silence --seconds 30 --count 1 --out my_words
tinyml capture gesture --label ring --count 20 --yes --board nano33ble --out my_gestures
tinyml capture gesture --label ring --source ring_0.csv ring_1.csv --out my_gestures
tinyml capture keyword_spotting --longest --board spresense
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_task(parser, "what to record for")
    parser.add_argument("-l", "--label", metavar="L", help="what is said, done or seen")
    parser.add_argument(
        "-o", "--out", metavar="DIR", type=Path, help="folder of recordings to add to"
    )
    parser.add_argument(
        "-n",
        "--count",
        metavar="N",
        type=arguments.positive,
        help="recordings to make (default: 10, or one of each source)",
    )
    parser.add_argument(
        "-s", "--seconds", metavar="S", type=_seconds, help="length of each (default: the task's)"
    )
    parser.add_argument(
        "--speaker",
        metavar="NAME",
        default="me",
        help="who speaks or moves: all recordings of one end up in the same part of the data "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--source",
        metavar="PATH",
        type=Path,
        nargs="+",
        help="recordings, or folders of them, to play into a virtual sensor",
    )
    parser.add_argument("--no-trim", action="store_true", help="keep what comes before and after")
    parser.add_argument(
        "-y", "--yes", action="store_true", help="keep every usable recording, ask nothing"
    )
    parser.add_argument(
        "--longest", action="store_true", help="say how long a recording may be, record nothing"
    )
    arguments.add_board(parser)
    arguments.add_port(parser)
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Record until there are enough; 1 when fewer could be kept."""
    from tinyml.cli import recording

    return recording.run(args, console)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.05 <= seconds <= 3600:
        raise ArgumentTypeError(f"{text!r} is not 0.05 to 3600 seconds")
    return seconds
