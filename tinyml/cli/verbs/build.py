"""`tinyml build`: firmware from a model, and what it takes of the board."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import ConfigError
from tinyml.records import ARENA_ORIGINS

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.records import CSource, Firmware

HELP = "build firmware with PlatformIO and show what it takes of the board"
EXAMPLES = """
tinyml build
tinyml build model.tflite --board qemu-m4 --runtime compiled
tinyml build --runtime tflm --fit
tinyml build --json
"""
_LARGEST = 8


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    arguments.add_board(parser)
    arguments.add_runtime(parser)
    arguments.add_slot(parser)
    arguments.add_sensor(parser)
    arguments.add_prefix(parser)
    arguments.add_out(parser)
    arguments.add_json(parser)
    parser.add_argument(
        "--fit",
        action="store_true",
        help="measure the arena that --runtime tflm needs and reserve just that, now and later",
    )
    parser.add_argument(
        "-p",
        "--port",
        metavar="PORT",
        help="with --fit: measure on the board there (default: "
        "on the emulated one, with the same library)",
    )


def run(args: Namespace, console: Console) -> int:
    """Build and print the sizes."""
    from tinyml.cli import pipeline

    choice = pipeline.choose(args)
    if args.fit:
        pipeline.fit(choice, console, args.port)
    elif args.port is not None:
        raise ConfigError("--port says where --fit measures", "add --fit, or: tinyml flash")
    firmware = pipeline.build(choice, console)
    if args.json:
        console.json("build", _document(firmware))
    else:
        show(firmware, console)
    return 0


def show(firmware: Firmware, console: Console) -> None:
    """Print where the firmware is, its sizes and its largest symbols."""
    board, source = firmware.project.board, firmware.project.source
    console.facts(
        (
            ("firmware", firmware.elf),
            ("flash", _of(firmware.flash_bytes, board.flash_bytes)),
            ("  constants", f"{source.constant_bytes:,} bytes of the model"),
            ("RAM", _of(firmware.ram_bytes, board.ram_bytes)),
            ("  arena", f"{source.arena_bytes:,} bytes of the model, {_origin(source)}"),
            ("  stack", f"{firmware.stack_bytes:,} bytes reserved"),
        )
    )
    console.print()
    console.table(
        ("largest", "section", "bytes"),
        [(name, section, f"{size:,}") for name, section, size in firmware.contributors[:_LARGEST]],
        right=("bytes",),
    )


def _origin(source: CSource) -> str:
    return ARENA_ORIGINS[source.arena_origin]


def _of(used: int, limit: int) -> str:
    return f"{used:,} of {limit:,} bytes ({used / limit:.1%}), {limit - used:,} free"


def _document(firmware: Firmware) -> dict[str, object]:
    """The JSON document `tinyml.build/1`."""
    project = firmware.project
    return {
        "model": project.bundle.name,
        "sha256": project.bundle.sha256,
        "board": project.board.id,
        "runtime": project.source.runtime,
        "project": project.path,
        "elf": firmware.elf,
        "flash_bytes": firmware.flash_bytes,
        "board_flash_bytes": project.board.flash_bytes,
        "constant_bytes": project.source.constant_bytes,
        "ram_bytes": firmware.ram_bytes,
        "board_ram_bytes": project.board.ram_bytes,
        "arena_bytes": project.source.arena_bytes,
        "arena_origin": project.source.arena_origin,
        "stack_bytes": firmware.stack_bytes,
        "contributors": firmware.contributors,
    }
