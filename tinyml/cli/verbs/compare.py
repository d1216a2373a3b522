"""`tinyml compare`: two models side by side, with limits for CI."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_COMPARISON_FAILED, EXIT_PASSED, ConfigError

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.cli.pipeline import Choice
    from tinyml.measure.bench import BenchRow
    from tinyml.measure.comparison import PairedAccuracy

HELP = """put two models side by side: accuracy, flash, RAM, instructions, layer by layer

A and B are models or folders of generated projects. Each is built, flashed and measured on the
board. With --data both are asked about the same recordings, of the test part and such that neither
learned from: those that flipped are listed, and McNemar's exact test says whether the difference
may be chance.

--fail-if takes limits: exit code 1 where one is exceeded. With a sign a limit is about the change
from A to B ("flash>+2%": grows by more than 2 percent; "accuracy<-1": falls by more than a point),
without one about B itself ("ram>65536"). Names: accuracy, flash, ram, arena, constants, and
instructions or cycles.
"""
EXAMPLES = """
tinyml compare old_model new_model
tinyml compare old_model new_model --data words/ --fail-if "accuracy<-1" "flash>+2%"
tinyml compare keyword_spotting my_model --report comparison.html
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    for name in ("a", "b"):
        parser.add_argument(
            name, metavar=name.upper(), help="shipped name, bundle, .tflite or project folder"
        )
    parser.add_argument(
        "-d", "--data", metavar="DIR", type=Path, help="recordings on which both are measured"
    )
    parser.add_argument(
        "--part",
        choices=("train", "validation", "test", "all"),
        default="test",
        help="which recordings (default: %(default)s)",
    )
    parser.add_argument(
        "--fail-if",
        metavar="LIMIT",
        nargs="+",
        type=_limit,
        default=[],
        help='exit 1 where one holds: "flash>+2%%" "accuracy<-1" "ram>65536"',
    )
    arguments.add_board(parser)
    arguments.add_runtime(parser)
    arguments.add_count(parser, 5, "inferences to measure per model")
    arguments.add_report(parser)
    arguments.add_json(parser)


def _limit(text: str) -> object:
    from tinyml.measure import comparison

    try:
        return comparison.limit(text)
    except ConfigError as error:
        raise ArgumentTypeError(f"{error.message}; {error.hint}") from error


def run(args: Namespace, console: Console) -> int:
    """Measure both and print the differences; 1 where a limit is exceeded."""
    from tinyml.cli import pipeline, results
    from tinyml.measure import comparison
    from tinyml.report import comparison as comparison_page

    results.require_places(args.report)
    choices = [pipeline.choose(_named(args, name), console) for name in (args.a, args.b)]
    accuracy = _accuracy(args, choices, console) if args.data is not None else None
    before, after = [_measured(choice, args.count, console) for choice in choices]
    report = comparison.compare(before, after, accuracy, args.fail_if)
    results.show(comparison_page.page(report), args, console)
    return EXIT_PASSED if report.passed else EXIT_COMPARISON_FAILED


def _named(args: Namespace, name: str) -> Namespace:
    """Return the arguments for one side: a project folder, or a model for --board."""
    from tinyml.firmware import origin

    folder = Path(name)
    if origin.read(folder) is not None:
        return Namespace(**{**vars(args), "model": None, "out": folder, "board": None})
    return Namespace(**{**vars(args), "model": name})


def _measured(choice: Choice, count: int, console: Console) -> BenchRow:
    from tinyml.cli import pipeline
    from tinyml.measure import bench

    firmware = pipeline.build(choice, console)
    pipeline.flash(firmware, console)
    with (
        pipeline.connected(choice.board, console) as device,
        console.progress(f"measuring {choice.bundle.name}"),
    ):
        return bench.bench(device, firmware, count, layers=True)


def _accuracy(args: Namespace, choices: list[Choice], console: Console) -> PairedAccuracy:
    from tinyml.measure import comparison, evaluate

    first, second = [choice.bundle for choice in choices]
    dataset = evaluate.read_recordings(first, args.data)
    models = (
        (first, evaluate.executor(first, evaluate.ORACLE)),
        (second, evaluate.executor(second, evaluate.ORACLE)),
    )
    with console.progress("asking both") as shown:
        return comparison.paired_accuracy(
            dataset,
            models,
            args.part,
            lambda done, total: shown.update(f"{done:,} of {total:,} clips", done, total),
        )
