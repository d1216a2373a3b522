"""`tinyml evaluate`: how well a model does on recordings."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_COMPARISON_FAILED, EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console, Display
    from tinyml.device import Device
    from tinyml.records import Board, Bundle

HELP = """measure a model on recordings: float, int8 and on boards

The recordings are divided as for training, and the model is measured on the test part: speakers it
never heard. Of that part those are left out that it learned from. The int8 model runs on the
reference interpreter (--on oracle), as the C that a board runs but compiled for this computer
(host), or on boards (their names, or device for --board). Several places give one figure each, and
must give the same scores for every clip: exit code 1 where they do not.

--stream lays the recordings into one long stream over the data's background recordings, and sends
that through front end, model and recognizer: words missed and false accepts per hour at every
threshold, and which one keeps to --false-accepts. That one is chosen on the validation part, in a
stream of its own.

A network of your own (see tinyml quantize) is measured on an .npz, or a folder of them, with an
array of its inputs, as floats or int8, and `labels`, indices from 0.
"""
EXAMPLES = """
tinyml evaluate --data speech_commands/
tinyml evaluate my_model --data words/ --on oracle host qemu-m4
tinyml evaluate my_model --data words/ --stream --minutes 60 --false-accepts 0.5
tinyml evaluate --data words/ --report report.html
tinyml evaluate --data words/ --part all --json
"""
_DEVICE = "device"
_MINUTES, _FALSE_ACCEPTS = 10, 1.0


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    parser.add_argument(
        "-d",
        "--data",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder of recordings, or an .npz of examples and labels",
    )
    parser.add_argument(
        "--on",
        metavar="PLACE",
        nargs="+",
        help="what runs the int8 model: oracle, host, device or names of boards (default: oracle; "
        "with --stream host)",
    )
    parser.add_argument(
        "--part",
        choices=("train", "validation", "test", "all"),
        default="test",
        help="which recordings (default: %(default)s)",
    )
    parser.add_argument(
        "-s", "--stream", action="store_true", help="measure in a continuous stream, not by clip"
    )
    parser.add_argument(
        "--minutes",
        metavar="N",
        type=arguments.positive,
        help=f"length of the stream (default: {_MINUTES})",
    )
    parser.add_argument(
        "--false-accepts",
        metavar="N",
        type=_rate,
        help="false accepts per hour that the advised threshold may have "
        f"(default: {_FALSE_ACCEPTS:g})",
    )
    parser.add_argument("--seed", type=arguments.whole, help="seed of the stream (default: 0)")
    arguments.add_board(parser)
    arguments.add_runtime(parser)
    arguments.add_out(parser)
    arguments.add_port(parser)
    arguments.add_threshold(parser)
    arguments.add_report(parser)
    arguments.add_json(parser)


def _rate(text: str) -> float:
    from argparse import ArgumentTypeError

    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return number


def run(args: Namespace, console: Console) -> int:
    """Measure and print; 1 where places differ."""
    from tinyml.cli import results

    results.require_places(args.report)
    _require_stream(args)
    passed = _stream(args, console) if args.stream else _clips(args, console)
    return EXIT_PASSED if passed else EXIT_COMPARISON_FAILED


def _require_stream(args: Namespace) -> None:
    """Raise ConfigError for options of a stream where clips are measured."""
    from tinyml.errors import ConfigError

    for name in ("minutes", "seed"):
        if getattr(args, name) is not None and not args.stream:
            raise ConfigError(
                f"--{name} is about a stream, and without --stream clips are measured",
                f"add --stream, or leave --{name} away",
            )


def _most_per_hour(args: Namespace, model: Bundle) -> float:
    """Return --false-accepts; raises ConfigError for a model of which none are counted."""
    from tinyml.errors import ConfigError

    if args.false_accepts is None:
        return _FALSE_ACCEPTS
    if model.stream is None or not model.stream.background:
        raise ConfigError(
            f"{model.name} has no label for what is nothing to recognise, so there are no false "
            "accepts",
            "leave --false-accepts away",
        )
    rate: float = args.false_accepts
    return rate


def _clips(args: Namespace, console: Console) -> bool:
    from tinyml.cli import pipeline, results
    from tinyml.firmware import boards
    from tinyml.measure import evaluate
    from tinyml.report import evaluation
    from tinyml.training import restore

    model, board = pipeline.load_model(args, console), boards.load(args.board)
    if not model.task:
        return _arrays(args, model, board, console)
    most_per_hour = _most_per_hour(args, model)
    dataset = evaluate.read_recordings(model, args.data)
    with _devices(args, model, console) as devices:
        places = [
            evaluate.Executor(name, evaluate.executor(model, device).run)
            if device is not None
            else evaluate.executor(model, name, board)
            for name, device in devices
        ]
        with console.progress(f"evaluating {model.name}") as shown:
            report = evaluate.evaluate_dataset(
                model,
                dataset,
                places,
                args.part,
                lambda done, total: _tick(shown, done, total, "clips"),
                most_per_hour=most_per_hour,
                floating=restore.float_accuracy,
            )
    for skipped in report.skipped:
        console.note(f"skipped: {skipped}")
    results.show(evaluation.page(report, model), args, console)
    return report.passed


def _arrays(args: Namespace, model: Bundle, board: Board, console: Console) -> bool:
    """Measure a network of one's own on labelled arrays of its input."""
    from tinyml.cli import results
    from tinyml.measure import evaluate, labelled_arrays
    from tinyml.report import evaluation

    model, examples = labelled_arrays.read(model, args.data)
    with _devices(args, model, console) as devices:
        places = [
            evaluate.executor(model, name, board)
            if device is None
            else evaluate.Executor(name, evaluate.executor(model, device).run)
            for name, device in devices
        ]
        with console.progress(f"evaluating {model.name}") as shown:
            report = labelled_arrays.evaluate_arrays(
                model,
                examples,
                str(args.data),
                places,
                lambda done, total: _tick(shown, done, total, "examples"),
            )
    results.show(evaluation.page(report, model), args, console)
    return report.passed


def _stream(args: Namespace, console: Console) -> bool:
    from tinyml.cli import pipeline, results
    from tinyml.firmware import boards
    from tinyml.measure import evaluate, spotting, stream_reference
    from tinyml.report import spotting as spotting_page

    model, board = pipeline.load_model(args, console), boards.load(args.board)
    stream_reference.require_listening(model)
    most_per_hour = _most_per_hour(args, model)
    dataset = evaluate.read_recordings(model, args.data)
    with _devices(args, model, console) as devices:
        places = [
            spotting.on_device(device, name)
            if device is not None
            else spotting.on_host(model, evaluate.executor(model, name, board))
            for name, device in devices
        ]
        with console.progress(f"streaming to {model.name}") as shown:
            report = spotting.evaluate_stream(
                model,
                dataset,
                places,
                part=args.part,
                minutes=args.minutes or _MINUTES,
                seed=args.seed or 0,
                most_per_hour=most_per_hour,
                on_progress=lambda done, total: _tick(shown, done, total, "samples"),
            )
    results.show(spotting_page.page(report), args, console)
    return report.passed


@contextmanager
def _devices(
    args: Namespace, model: Bundle, console: Console
) -> Iterator[list[tuple[str, Device | None]]]:
    """The places by name, with the connected device of each that is a board."""
    from tinyml.errors import ConfigError
    from tinyml.firmware import boards
    from tinyml.measure import evaluate

    names = args.on or [evaluate.HOST if args.stream else evaluate.ORACLE]
    here = (evaluate.ORACLE, evaluate.HOST)
    chosen: list[tuple[str, Board | None]] = []
    for name in dict.fromkeys(args.board if name == _DEVICE else name for name in names):
        chosen.append((name, None if name in here else _board(name, [*here, *boards.names()])))
    on_boards = [name for name, board in chosen if board is not None]
    if args.port is not None and len(on_boards) > 1:
        raise ConfigError(
            f"--port names one board, and these are {len(on_boards)}: {', '.join(on_boards)}",
            "evaluate on each of them with its own --port",
        )
    with ExitStack() as stack:
        yield [
            (name, None if board is None else stack.enter_context(_flashed(args, board, console)))
            for name, board in chosen
        ]


def _board(name: str, known: list[str]) -> Board:
    from tinyml.errors import ConfigError, nearest
    from tinyml.firmware import boards

    if name not in known:
        raise ConfigError(f"a model cannot be evaluated on {name!r}", nearest(name, known))
    return boards.load(name)


@contextmanager
def _flashed(args: Namespace, board: Board, console: Console) -> Iterator[Device]:
    """Build, flash and connect a board; with --port, the device there as it is."""
    from tinyml.cli import pipeline
    from tinyml.firmware import sensors
    from tinyml.measure import validate

    selected = Namespace(**{**vars(args), "board": board.id})
    if args.stream:
        selected.sensor = sensors.VIRTUAL
    choice = pipeline.choose(selected, console)
    with pipeline.flashed(choice, console, args.port) as (device, _):
        validate.require_model(device, choice.bundle)
        yield device


def _tick(shown: Display, done: float, total: float, what: str) -> None:
    shown.update(f"{done:,} of {total:,} {what}", done, total)
