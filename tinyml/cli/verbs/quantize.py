"""`tinyml quantize`: a person's own network becomes an int8 bundle."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.cli import arguments
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console
    from tinyml.training.import_network import Agreement

HELP = """turn a network of your own into an int8 bundle

NETWORK is a .keras or .h5 file of Keras 2 or 3 or a SavedModel folder. Code that it brings is never
run: it is opened in a process of its own, after a check of every layer. --representative is what it
sees in use, from which the ranges of int8 are measured: an .npy or .npz or a folder of them with
the network's input, one example per row (of several inputs an .npz with an array for each, by its
name or as in0, in1, ...), or a folder of recordings where --task says which front end makes its
input. An .npz with an array `labels` (indices), or recordings in a folder per label, also give the
accuracy in float and int8. A quarter of the examples of each label is kept from the measuring of
ranges, for that.
"""
EXAMPLES = """
tinyml quantize my_network.keras --representative examples.npz --out my_model
tinyml quantize saved_model/ --representative examples/ --labels cat dog
tinyml quantize kws.h5 --task keyword_spotting --representative words/ --out kws
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("network", metavar="NETWORK", type=Path, help="model file or folder")
    parser.add_argument(
        "-R",
        "--representative",
        metavar="PATH",
        type=Path,
        required=True,
        help="what it sees in use: arrays of its input, or recordings of --task",
    )
    parser.add_argument(
        "-o", "--out", metavar="DIR", type=Path, help="bundle to write (default: build/NETWORK)"
    )
    parser.add_argument("--task", metavar="TASK", help="whose front end makes the network's input")
    parser.add_argument(
        "--labels", metavar="LABEL", nargs="+", default=[], help="names of the scores, in order"
    )
    arguments.add_force(parser, "a bundle")
    arguments.add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Quantize and say what it costs in accuracy."""
    import warnings

    from tinyml.cli import outputs, results
    from tinyml.report import training
    from tinyml.training import import_network

    warnings.filterwarnings("ignore", module="tensorflow")  # its advice is not for this user
    out = args.out or arguments.BUILD / args.network.stem
    outputs.require_new(out, args.force)
    arguments.require_paths(args.network, args.representative)
    with outputs.lock(out), console.progress(f"quantizing {args.network}"):
        result = import_network.quantize(
            args.network, args.representative, out, args.task or "", args.labels
        )
    lacking = [f"it does not run as {refusal}" for refusal in result.refusals]
    for note in (*result.notes, *lacking, *(result.bundle.card.skipped or ())):
        console.note(f"note: {note}")
    page = training.quantized_page(
        result.bundle,
        out,
        network=f"{result.kind}, input " + " and ".join(str(list(s)) for s in result.shapes),
        agreement=_agreement(result.agreement),
        worst=result.worst,
        runs=bool(result.runtimes),
    )
    results.show(page, args, console)
    return EXIT_PASSED


def _agreement(found: Agreement) -> str:
    """Say how near int8 is to float: by classes, where the outputs are some, and by error."""
    ratio = "exact" if found.sqnr_db is None else f"SQNR {found.sqnr_db:.1f} dB"
    error = f"outputs differ by {found.rms_error:.3g} (RMS), {ratio}"
    if found.same is None:
        return error
    return f"{found.same:.1%} of answers are those of the float network; {error}"
