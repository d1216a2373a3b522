"""`tinyml models`: the bundles that travel with the package."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli.arguments import add_json
from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = "list the shipped models that MODEL can name"
EXAMPLES = """
tinyml models
tinyml models --json
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Print one row per shipped bundle."""
    from tinyml.model import bundle, card
    from tinyml.report import words
    from tinyml.report.page import table

    shipped = [bundle.load(name) for name in bundle.shipped()]
    if args.json:
        document = [
            {
                "name": each.name,
                "task": each.task,
                "labels": each.labels,
                "model_bytes": len(each.model),
                "sha256": each.sha256,
                "card": card.document(each.card),
            }
            for each in shipped
        ]
        console.json("models", {"models": document})
        return EXIT_PASSED
    rows = [
        (
            each.name,
            each.task,
            f"{len(each.model):,}",
            words.percent(each.card.accuracy.int8 if each.card.accuracy else None),
            " ".join(each.labels),
        )
        for each in shipped
    ]
    columns = ("model", "task", "bytes", "int8 accuracy", "labels")
    console.show(table(columns, rows, right=("bytes", "int8 accuracy")))
    return EXIT_PASSED
