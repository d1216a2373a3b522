"""`tinyml monitor`: what a running device recognises and says."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_COMPARISON_FAILED, EXIT_PASSED, ConfigError

if TYPE_CHECKING:
    import re

    from tinyml.cli.console import Console

DEFAULT_WEB = ("127.0.0.1", 8000)
RECONNECT_S = 60.0

HELP = """show what the device that runs recognises and says

Attaches to the device as it is; start one with `tinyml flash`. On a terminal the picture is live
(keys are in its first line); piped or with --plain it is lines. --source plays recordings into the
virtual sensor, one after the other, as fast as a sensor would give them (or as fast as the line
carries them, if that is slower; it says how fast that was), and ends with a table of what was said
and recognised. Without it the board's own sensor is heard until --timeout or a key; a virtual one
is at rest. A device that goes and comes back, also at another port, is found again.

With --json every line is a JSON document: kind "device", "inference", "event", "text", "log",
"playing", "status", "disconnected", "reconnected" or "reset" (when it happens), "bytes" (--hex),
"clips" at the end of the sources, and "summary" at the end.
"""
EXAMPLES = """
tinyml monitor
tinyml monitor --source models/keyword_spotting/examples --web
tinyml monitor --source yes.wav no.wav --until "yes"
tinyml monitor --port '/dev/serial/by-id/*Nano*' --timeout 10 --log monitor.log --timestamp
tinyml monitor --source recordings/ --fast --json
tinyml monitor --source recordings/ --keep-misses misses
tinyml monitor --board nano33ble --web --record my_words
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_board(parser)
    arguments.add_port(parser)
    _add_source(parser)
    parser.add_argument(
        "-w",
        "--web",
        metavar="HOST:PORT",
        nargs="?",
        type=_address,
        const=DEFAULT_WEB,
        help="serve the picture as a web page, to this computer only unless HOST says otherwise "
        "(default: 127.0.0.1:8000; port 0: any that is free)",
    )
    _add_keeping(parser)
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
    parser.add_argument(
        "--threshold",
        metavar="T",
        type=arguments.share,
        help="averaged score that an event needs, 0..1, applied to the scores here; the firmware "
        "keeps its own (default: the firmware's)",
    )
    parser.add_argument("--log", metavar="FILE", type=Path, help="append every line to FILE")
    parser.add_argument(
        "--timestamp", action="store_true", help="put the time before every line, also in the log"
    )
    parser.add_argument("--plain", action="store_true", help="lines, also on a terminal")
    parser.add_argument(
        "--hex", action="store_true", help="show every byte of the line as well, as lines"
    )
    parser.add_argument("--json", action="store_true", help="print lines of JSON")
    _add_reconnect(parser)


def run(args: Namespace, console: Console) -> int:
    """Watch until the sources end, the time is over, a line matches, or a key is pressed."""
    from tinyml.cli.listening import Monitor

    if args.record is not None and args.web is None:
        raise ConfigError("--record is for the page", "add --web")
    if args.keep_misses is not None and not args.source:
        raise ConfigError(
            "--keep-misses keeps what --source plays", "name recordings in folders of their labels"
        )
    monitor = Monitor(args, console)
    monitor.run()
    missed = args.until is not None and not monitor.matched
    return EXIT_COMPARISON_FAILED if missed else EXIT_PASSED


def _add_keeping(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--record",
        metavar="DIR",
        type=Path,
        help="with --web: let the page keep what was just heard under a label in DIR, which "
        "`tinyml train` reads",
    )
    parser.add_argument(
        "--keep-misses",
        metavar="DIR",
        type=Path,
        help="keep recordings of --source that were not recognised as their label in DIR, which "
        "`tinyml train --from MODEL --data DIR` learns from",
    )
    parser.add_argument(
        "--speaker",
        metavar="NAME",
        default="me",
        help="who is recorded, a part of the files' names (default: %(default)s)",
    )


def _add_source(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-s",
        "--source",
        metavar="PATH",
        type=Path,
        nargs="+",
        help="recordings of the kind that the model's front end takes, or folders of them, to play",
    )
    parser.add_argument(
        "--fast", action="store_true", help="play as fast as the line carries the samples"
    )


def _add_reconnect(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--reconnect",
        metavar="S",
        type=_seconds,
        default=RECONNECT_S,
        help="how long a device that has gone may take to come back (default: %(default)g)",
    )
    parser.add_argument(
        "--no-reconnect", action="store_true", help="end with an error when the device goes"
    )


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


def _address(text: str) -> tuple[str, int]:
    """HOST:PORT, :PORT, PORT or HOST; an IPv6 address stands in brackets."""
    host, colon, port = text.rpartition(":")
    if text.isdecimal():
        host, port = "", text
    elif not colon or text.endswith("]"):
        host, port = text, ""
    if (port and not port.isdecimal()) or int(port or 0) > 65535:
        raise ArgumentTypeError(f"{text!r} is no HOST:PORT")
    default_host, default_port = DEFAULT_WEB
    return host.strip("[]") or default_host, int(port) if port else default_port
