"""`tinyml models`: the bundles that travel with the package."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.cli.arguments import add_json

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
    from tinyml.model import bundle

    shipped = [bundle.load(name) for name in bundle.shipped()]
    if args.json:
        document = [
            {
                "name": one.name,
                "task": one.task,
                "labels": one.labels,
                "model_bytes": len(one.model),
                "sha256": one.sha256,
                "card": one.card,
            }
            for one in shipped
        ]
        console.json("models", {"models": document})
        return 0
    console.table(
        ("model", "task", "bytes", "int8 accuracy", "labels"),
        [
            (
                one.name,
                one.task,
                f"{len(one.model):,}",
                _percent(one.card.get("accuracy", {}).get("int8")),
                " ".join(one.labels),
            )
            for one in shipped
        ],
        right=("bytes", "int8 accuracy"),
    )
    return 0


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{fraction:.1%}"
