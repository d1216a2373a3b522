"""`tinyml completion`: the script by which a shell completes commands, options and names."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from tinyml.errors import EXIT_PASSED

if TYPE_CHECKING:
    from tinyml.cli.console import Console

HELP = """print the script by which bash, zsh or fish completes commands, options and names

bash: source it in ~/.bashrc. zsh: save it as _tinyml in a folder of $fpath. fish: save it as
~/.config/fish/completions/tinyml.fish.
"""
EXAMPLES = """
tinyml completion bash
tinyml completion zsh
tinyml completion fish
"""
_SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("shell", choices=_SHELLS, help="whose script")


def run(args: Namespace, console: Console) -> int:
    """Print the script."""
    from tinyml import cli
    from tinyml.cli import completion

    console.print(completion.script(args.shell, cli.parsers()).rstrip("\n"))
    return EXIT_PASSED
