"""`tinyml inspect`: what a model is and what it costs, before anything is built."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_INPUT, EXIT_PASSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinyml.cli.console import Console
    from tinyml.measure.footprint import Footprint
    from tinyml.records import Bundle, LayerNoise

HELP = """show a model's operators, MACs, arena and flash, and whether it fits a board

Exit code 2 means that no runtime takes the model; what each of them says stands in the table.
"""
EXAMPLES = """
tinyml inspect
tinyml inspect model.tflite --board qemu-m4
tinyml inspect model.tflite --all-boards
tinyml inspect my_model --sqnr words/
tinyml inspect model.tflite --plan
tinyml inspect model.tflite --json
tinyml inspect my_model --report report.html
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    arguments.add_model(parser)
    arguments.add_board(parser)
    arguments.add_generation(parser)
    parser.add_argument(
        "--all-boards", action="store_true", help="only say which boards hold it, by runtime"
    )
    parser.add_argument(
        "--sqnr",
        metavar="DATA",
        type=Path,
        help="only say what int8 loses in which layer, on recordings or an .npz of inputs",
    )
    parser.add_argument(
        "--plan",
        action="store_true",
        help="only say how the compiled runtime computes each layer, and where its memory lies",
    )
    arguments.add_report(parser)
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Print the operators and the cost per runtime."""
    from tinyml import runtimes
    from tinyml.cli import pipeline, results
    from tinyml.firmware import boards
    from tinyml.measure import footprint
    from tinyml.records import RuntimeOptions
    from tinyml.report import inspection

    results.require_places(args.report)
    board, model = boards.load(args.board), pipeline.load_model(args, console)
    options = RuntimeOptions(generation=args.tflm_generation)
    found: list[Footprint] = []
    if args.sqnr is not None:
        page = inspection.noise_page(model.name, _sqnr(model, args.sqnr, console))
    elif args.plan:
        with console.progress(f"compiling {model.name}"):
            source = runtimes.load(runtimes.standing_alone()).generate(model, board, options)
        page = inspection.plan_page(model.name, source)
    elif args.all_boards:
        with console.progress(f"compiling {model.name}"):
            found = [
                footprint.inspect(model, boards.load(name), options) for name in boards.names()
            ]
        page = inspection.boards_page(model.name, found)
    else:
        with console.progress(f"compiling {model.name}"):
            found = [footprint.inspect(model, board, options)]
        page = inspection.page(found[0])
    results.show(page, args, console)
    return EXIT_PASSED if not found or any(each.runs for each in found) else EXIT_INPUT


def _sqnr(model: Bundle, data: Path, console: Console) -> Sequence[LayerNoise]:
    """Return what int8 loses in each layer, on the recordings or arrays in `data`."""
    from tinyml.model import vectors
    from tinyml.model.oracle import Oracle
    from tinyml.training import layer_noise

    with console.progress(f"comparing {model.name} with its float network"):
        infos = [tensor.info for tensor in Oracle(model.model, model.name).inputs]
        floating = layer_noise.floating(model)
        if data.suffix in (".npz", ".npy"):
            inputs = [vector.arrays for vector in vectors.load(data, model, infos)]
        else:
            inputs = layer_noise.training_inputs(model, data)
        return layer_noise.measure(model.model, floating, inputs)
