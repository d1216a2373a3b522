"""`tinyml evaluate`: how well a model does on recordings."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments

if TYPE_CHECKING:
    from tinyml.cli.console import Console, Progress
    from tinyml.evaluate import EvaluationReport

HELP = """measure a model's accuracy on recordings: float, int8 and on a board

The recordings are divided as for training, and the model is measured on the test part: speakers it
never heard. The int8 model runs on the reference interpreter (--on oracle), as the C that a board
runs but compiled for this computer (host), or on the board (device); all three must agree.
"""
EXAMPLES = """
tinyml evaluate --data speech_commands/
tinyml evaluate my_model --data words/ --on device
tinyml evaluate --data words/ --part all --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    parser.add_argument(
        "-d", "--data", metavar="DIR", type=Path, required=True, help="folder of recordings"
    )
    parser.add_argument(
        "--on",
        choices=("oracle", "host", "device"),
        default="oracle",
        help="what runs the int8 model (default: %(default)s)",
    )
    parser.add_argument(
        "--part",
        choices=("train", "validation", "test", "all"),
        default="test",
        help="which recordings (default: %(default)s)",
    )
    arguments.add_board(parser)
    arguments.add_runtime(parser)
    arguments.add_out(parser)
    arguments.add_port(parser)
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Measure and print accuracy, classes and confusion."""
    report = _on_device(args, console) if args.on == "device" else _on_host(args, console)
    if args.json:
        console.json("evaluate", report)
    else:
        show(report, console)
    return 0


def _on_host(args: Namespace, console: Console) -> EvaluationReport:
    from tinyml import boards, bundle, evaluate

    board, model = boards.load(args.board), bundle.load(args.model)
    with console.progress(f"evaluating {model.name}") as shown:
        return evaluate.evaluate(
            model, args.data, args.on, args.part, lambda *done: _tick(shown, *done), board
        )


def _on_device(args: Namespace, console: Console) -> EvaluationReport:
    from tinyml import evaluate, validate
    from tinyml.cli import pipeline

    choice = pipeline.choose(args)
    dataset = evaluate.read(choice.bundle, args.data)
    with (
        pipeline.flashed(choice, console, args.port) as (device, _),
        console.progress(f"evaluating {choice.bundle.name} on {choice.board.id}") as shown,
    ):
        validate.require_model(device, choice.bundle)
        return evaluate.evaluate_dataset(
            choice.bundle, dataset, device, args.part, lambda *done: _tick(shown, *done)
        )


def _tick(shown: Progress, done: int, total: int) -> None:
    shown.update(f"{done:,} of {total:,} clips", done, total)


def show(report: EvaluationReport, console: Console) -> None:
    """Print accuracy, figures per class, and who was taken for whom."""
    floating = "-" if report.float_accuracy is None else f"{report.float_accuracy:.2%}"
    console.facts(
        (
            ("model", f"{report.model} (sha256 {report.sha256[:16]})"),
            ("recordings", f"{report.data}, part {report.part}: {report.clips:,} clips"),
            ("int8", f"{report.accuracy:.2%} on the {report.on}"),
            ("float", f"{floating} {report.note}".rstrip()),
            ("speed", f"{report.clips_per_second:,.0f} clips a second"),
        )
    )
    console.print()
    console.table(
        ("label", "clips", "precision", "recall", "taken for"),
        [
            (
                one.label,
                one.clips,
                _percent(one.precision),
                _percent(one.recall),
                _taken_for(report.confusion.get(one.label, {}), one.label),
            )
            for one in report.classes
        ],
        right=("clips", "precision", "recall"),
    )
    for skipped in report.skipped:
        console.note(f"skipped: {skipped}")


def _taken_for(answers: Mapping[str, int], label: str) -> str:
    wrong = sorted(
        ((count, name) for name, count in answers.items() if name != label), reverse=True
    )
    return ", ".join(f"{name} {count}" for count, name in sorted(wrong, reverse=True))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
