"""`tinyml generate`: a PlatformIO project that stands alone."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.cli.pipeline import Choice

HELP = "write a project, a sketch or a library with the model in C"
LIBRARIES = ("c", "zephyr", "esp-idf", "library")  # see tinyml/firmware/c_library.py
EXAMPLES = """
tinyml generate
tinyml generate model.tflite --board qemu-m4 --out firmware
tinyml generate --board nano33ble --format arduino
tinyml generate gesture --format c --prefix wand_ --out wand
cd firmware && pio run
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_project(parser)
    arguments.add_generation(parser)
    arguments.add_slot(parser)
    arguments.add_sensor(parser)
    arguments.add_threshold(parser)
    arguments.add_prefix(parser)
    parser.add_argument(
        "-f",
        "--format",
        choices=("platformio", "arduino", *LIBRARIES),
        default="platformio",
        help="firmware: a PlatformIO project or a sketch for the Arduino IDE; the model alone, for "
        "your own program: plain C, a Zephyr module, an ESP-IDF component, or a library for "
        "Arduino and PlatformIO (default: %(default)s)",
    )
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Write the project and say where it is."""
    from tinyml.cli import pipeline

    choice = pipeline.choose(args, console)
    if args.format == "arduino":
        path = pipeline.sketch(choice, console, args.out)
        said = (
            f"{path} is a sketch for the Arduino IDE",
            f"what it needs there: {path.parent / 'README.md'}",
        )
    elif args.format in LIBRARIES:
        path = pipeline.library(choice, console, args.out, args.format)
        said = (
            f"{path} is the model as a library in plain C",
            f"how to use it: {path / 'README.md'}",
        )
    else:
        path = pipeline.generate(choice, console).path
        folder = shlex.quote(str(path))
        said = (
            f"{path} is a PlatformIO project for {choice.board.id}",
            f"build it: tinyml build --out {folder}, or: cd {folder} && pio run",
        )
    if args.json:
        console.json("generate", _record(choice, args.format, path))
    else:
        for sentence in said:
            console.print(sentence)
    return EXIT_PASSED


def _record(choice: Choice, form: str, path: Path) -> dict[str, object]:
    """Return the content of the JSON document `tinyml.generate/1`."""
    return {
        "format": form,
        "path": path,
        "model": choice.bundle.name,
        "sha256": choice.bundle.sha256,
        "board": choice.board.id,
        "runtime": choice.runtime,
    }
