"""`tinyml tune`: a copy of a bundle whose scores become events by other settings."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED, ConfigError

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = """write a copy of a bundle with another threshold, average or refractory time

`tinyml evaluate --stream` says which threshold keeps to how many false accepts per hour; this
command writes it into the card of a copy, which then is built, flashed and validated as any other
bundle. The model itself stays as it is, to the bit.
"""
EXAMPLES = """
tinyml tune my_model --threshold 0.8 --out my_strict_model
tinyml tune --threshold 0.6 --average 4 --refractory 1000 --out my_model
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    parser.add_argument(
        "--threshold", metavar="T", type=arguments.share, help="averaged score an event needs, 0..1"
    )
    parser.add_argument(
        "--average", metavar="N", type=arguments.positive, help="inferences that are averaged"
    )
    parser.add_argument(
        "--refractory",
        metavar="MS",
        type=arguments.whole,
        help="milliseconds after an event in which there is no other",
    )
    parser.add_argument(
        "-o", "--out", metavar="DIR", type=Path, required=True, help="bundle to write"
    )
    arguments.add_force(parser, "a bundle")
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Write the copy and say what is different in it."""
    from tinyml.cli import outputs
    from tinyml.model import bundle, card, stream_settings
    from tinyml.report.page import Facts

    wanted = {
        "threshold": args.threshold,
        "average": args.average,
        "refractory_ms": args.refractory,
    }
    if not any(value is not None for value in wanted.values()):
        raise ConfigError(
            "nothing to change is given", "add --threshold, --average or --refractory"
        )
    outputs.require_new(args.out, args.force)
    before = bundle.load(args.model or arguments.DEFAULT_MODEL)
    changed = stream_settings.changed(before, **wanted)
    with outputs.lock(args.out):
        written = stream_settings.save(changed, args.out)
    if args.json:
        console.json(
            "tune",
            {"path": args.out, "sha256": written.sha256, "card": card.document(written.card)},
        )
        return EXIT_PASSED
    rows = [
        (name, f"{getattr(before.stream, name)} -> {getattr(written.stream, name)}")
        for name, value in wanted.items()
        if value is not None
    ]
    console.show(Facts((("bundle", str(args.out)), *rows)))
    console.print(f"try it: tinyml validate {shlex.quote(str(args.out))} --stream")
    return EXIT_PASSED
