"""Arguments that several commands share, so that they are spelled and explained the same way."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from tinyml.errors import DataError
from tinyml.firmware import boards
from tinyml.model.generations import GENERATIONS, REFERENCE
from tinyml.records import RuntimeOptions
from tinyml.registry import Registry

DEFAULT_MODEL = "keyword_spotting"
DEFAULT_BOARD = boards.DEFAULT
BUILD = Path("build")  # where commands write when nobody says where


def add_model(parser: ArgumentParser) -> None:
    """MODEL, a shipped name, a bundle folder or a .tflite file; None where none is named."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        help=f"shipped name, bundle folder or .tflite file (default: {DEFAULT_MODEL})",
    )


def add_task(parser: ArgumentParser, what: str) -> None:
    """TASK; the help names all there are by their files: help must not import their libraries."""
    names = Registry("tinyml.tasks", "task").names()
    parser.add_argument("task", metavar="TASK", help=f"{what}: {', '.join(names)}")


def add_board(parser: ArgumentParser) -> None:
    """--board, DEFAULT_BOARD where none is named."""
    parser.add_argument(
        "-b",
        "--board",
        metavar="BOARD",
        default=DEFAULT_BOARD,
        help="a name that `tinyml boards` lists (default: %(default)s)",
    )


def add_project(parser: ArgumentParser) -> None:
    """MODEL, --board, --runtime, --out and --force of a project; None for what is not named.

    A project that is there already says itself what it holds.
    """
    add_model(parser)
    parser.add_argument(
        "-b",
        "--board",
        metavar="BOARD",
        help="a name that `tinyml boards` lists (default: that of the project in --out, else "
        f"{DEFAULT_BOARD})",
    )
    add_runtime(parser)
    parser.add_argument(
        "-o",
        "--out",
        metavar="DIR",
        type=Path,
        help="project folder (default: build/MODEL-BOARD-RUNTIME); without MODEL, what it holds",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace the project in --out where it is of another model, board or runtime",
    )


def add_threshold(parser: ArgumentParser) -> None:
    """--threshold, None for that of the model's card."""
    parser.add_argument(
        "--threshold",
        metavar="T",
        type=share,
        help="averaged score that an event needs, 0..1 (default: the card's; `tinyml tune` writes "
        "it into one)",
    )


def add_force(parser: ArgumentParser, what: str) -> None:
    """--force."""
    parser.add_argument("--force", action="store_true", help=f"replace {what} that is there")


def add_runtime(parser: ArgumentParser) -> None:
    """--runtime, None for the board's own default; --tflm-dir and --arena of the tflm runtime."""
    parser.add_argument(
        "-r",
        "--runtime",
        metavar="RUNTIME",
        help="what runs the model on the board (default: the board's own, see `tinyml boards`)",
    )
    parser.add_argument(
        "--tflm-dir",
        metavar="DIR",
        type=Path,
        help="TFLM library folder for --runtime tflm (default: $TINYML_TFLM_DIR, else downloaded)",
    )
    parser.add_argument(
        "--arena",
        metavar="BYTES",
        type=positive,
        help="arena for --runtime tflm (default: what `tinyml build --fit` measured, else an upper "
        "bound)",
    )


def add_generation(parser: ArgumentParser) -> None:
    """--tflm-generation."""
    names = ", ".join(GENERATIONS)
    parser.add_argument(
        "--tflm-generation",
        metavar="GENERATION",
        choices=tuple(GENERATIONS),
        help=f"the TensorFlow Lite Micro whose arithmetic counts: {names} (default: "
        f"{REFERENCE.name}, the oracle's)",
    )


def add_slot(parser: ArgumentParser) -> None:
    """--model-slot and --slot-bytes."""
    parser.add_argument(
        "--model-slot",
        action="store_true",
        help="let `tinyml load` replace the model of the running device; takes twice its constants "
        "in RAM",
    )
    parser.add_argument(
        "--slot-bytes",
        metavar="BYTES",
        type=positive,
        help="the largest model that the slot takes, for --runtime tflm (default: this one)",
    )


def add_prefix(parser: ArgumentParser) -> None:
    """--prefix."""
    parser.add_argument(
        "--prefix",
        metavar="PREFIX",
        default=RuntimeOptions.prefix,
        help="how every name in the generated C begins, so that several models link into one "
        "program (default: %(default)s)",
    )


def add_check(parser: ArgumentParser) -> None:
    """--no-check."""
    parser.add_argument(
        "--no-check",
        dest="check",
        action="store_false",
        help="do not compare what the C computes on this computer with the reference",
    )


def add_sensor(parser: ArgumentParser) -> None:
    """--sensor, None for what `sensors.choose` prefers."""
    parser.add_argument(
        "-S",
        "--sensor",
        metavar="SENSOR",
        help="virtual (samples come over the line), board (its own) or a driver's name (default: "
        "the board's own where it has one)",
    )


def add_out(parser: ArgumentParser) -> None:
    """--out, where the PlatformIO project goes; None means a folder of BUILD."""
    parser.add_argument(
        "-o",
        "--out",
        metavar="DIR",
        type=Path,
        help="project folder (default: build/MODEL-BOARD-RUNTIME)",
    )


def add_port(parser: ArgumentParser) -> None:
    """--port."""
    parser.add_argument(
        "-p",
        "--port",
        metavar="PORT",
        help="path, glob, VID:PID, USB serial number or pyserial URL of the device's port (default,"
        " or auto: the emulated board that runs, or the only port that fits the board)",
    )


def add_json(parser: ArgumentParser) -> None:
    """--json."""
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON document instead of tables; an error is one as well",
    )


REPORTS = (".html", ".xml", ".json")


def add_report(parser: ArgumentParser) -> None:
    """--report, any number of files of the kinds REPORTS."""
    parser.add_argument(
        "--report",
        metavar="FILE",
        type=_report,
        action="append",
        default=[],
        help="also write a report: a page (.html), JUnit (.xml) or what --json prints (.json); "
        "may be given several times",
    )


def _report(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in REPORTS:
        raise ArgumentTypeError(f"{text!r} ends in none of {', '.join(REPORTS)}")
    return path


def add_count(parser: ArgumentParser, default: int, what: str) -> None:
    """--count, at least 1."""
    parser.add_argument(
        "-n",
        "--count",
        metavar="N",
        type=positive,
        default=default,
        help=f"{what} (default: %(default)s)",
    )


def require_paths(*paths: Path) -> None:
    """Raise DataError naming all of `paths` that are not there: before anything is loaded."""
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        verb = "does" if len(missing) == 1 else "do"
        raise DataError(f"{' and '.join(missing)} {verb} not exist", "check the path")


def whole(text: str) -> int:
    """Return `text` as a whole number of at least 0."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)


def share(text: str) -> float:
    """Return `text` as a number above 0 and up to 1."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1:
        raise ArgumentTypeError(f"{text!r} is not a number above 0 and up to 1")
    return number


def positive(text: str) -> int:
    """Return `text` as a whole number of at least 1."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number
