"""Arguments and exit codes.

The command line: finds the verb, runs it, turns errors into text and exit codes.

Exit codes: 0 done and passed, 1 a comparison failed, 2 the user's input, 3 a tool or device,
70 a bug of ours (with its traceback), 130 interrupted, 141 nobody reads the output any more.
A verb is a file of `tinyml/cli/verbs`; see the docstring there for what it defines.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Protocol

from tinyml import errors, paths
from tinyml.cli.console import NORMAL, QUIET, VERBOSE, Console
from tinyml.registry import Registry

_VERBS = Registry("tinyml.cli.verbs", "command")

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

_DESCRIPTION = "From recordings to proven int8 models on microcontrollers."
_EPILOG = """\
MODEL is a shipped name, a bundle folder or a .tflite file (default keyword_spotting);
BOARD is a name that `tinyml boards` lists (default qemu-m4, which needs no hardware).
"""


class Verb(Protocol):
    """What each file of `tinyml/cli/verbs` defines."""

    HELP: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's arguments."""

    def run(self, args: argparse.Namespace, console: Console) -> int:
        """Do it and return the exit code."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints look like every other error."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print together with its usage."""
        raise errors.ConfigError(message, f"see: {self.prog} --help")


def names() -> tuple[str, ...]:
    """Return the verbs there are: the files of `tinyml/cli/verbs`."""
    return _VERBS.names()


def load(name: str) -> Verb:
    """Import and return one verb; raise ConfigError with the nearest names for an unknown one."""
    if name not in names():
        hint = f"{errors.nearest(name, names())} (see: tinyml --help)"
        raise errors.ConfigError(f"unknown command {name!r}", hint)
    verb: Verb = _VERBS.load(name)
    return verb


def parser_of(name: str, verb: Verb) -> Parser:
    """Return the parser of one verb's arguments; it reads nothing but the files of folders."""
    parser = Parser(
        prog=f"tinyml {name}",
        description=verb.HELP,
        epilog=f"examples:\n{_indented(verb.EXAMPLES)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_arguments(parser)
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q",
        "--quiet",
        dest="loudness",
        action="store_const",
        const=QUIET,
        default=NORMAL,
        help="results and errors alone, no notes and no progress",
    )
    loudness.add_argument(
        "-v",
        "--verbose",
        dest="loudness",
        action="store_const",
        const=VERBOSE,
        help="also every line that the tools below print",
    )
    return parser


def parsers() -> dict[str, Parser]:
    """Return the parser of every verb by its name, for what reads command lines without running.

    `parsers()["build"].parse_args(["--board", "qemu-m4"])` raises ConfigError where the command
    would, and does nothing else.
    """
    return {name: parser_of(name, load(name)) for name in names()}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; nothing is raised."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    console = Console(arguments=arguments)
    try:
        code = _dispatch(arguments, console)
        console.flush()
    except errors.TinymlError as error:
        code = _refuse(error, arguments, console)
    except SystemExit as done:  # argparse has printed --help or --version
        code = int(done.code or 0)
    except KeyboardInterrupt:
        console.note("interrupted")
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # the reader (`| head`) has gone: leave silently
        code = EXIT_BROKEN_PIPE
    except OSError as error:
        code = _refuse(_from_system(error), arguments, console)
    except Exception:
        console.note(traceback.format_exc().rstrip())
        code = _refuse(errors.InternalError(), arguments, console)
    return code


def _refuse(error: errors.TinymlError, arguments: Sequence[str], console: Console) -> int:
    """Say what went wrong, with --json as a document too; return the exit code."""
    console.error(error)
    try:
        if "--json" in arguments:
            console.json("error", error.record())
        console.flush()
    except OSError:  # it is the output that cannot be written
        _drop_output()
    return error.exit_code


def _drop_output() -> None:
    """Forget what stdout still holds, which the flush at the interpreter's exit would fail on."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(argv: list[str], console: Console) -> int:
    parser = Parser(
        prog="tinyml",
        usage="tinyml [--help] [--version] COMMAND ...",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("--version", action="store_true", help="show this and its tools' versions")
    parser.add_argument("-h", "--help", action="store_true", help="show this help")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    head = _before_verb(argv)
    args = parser.parse_args(argv[:head])
    if args.version:
        from tinyml.cli import doctor

        for name, version in doctor.versions():
            console.print(f"{name} {version}")
        return errors.EXIT_PASSED
    if args.command is None:
        console.print(_overview(parser))
        return errors.EXIT_PASSED if args.help or not argv else errors.EXIT_INPUT
    return _run_verb(args.command, argv[head:], console)


def _before_verb(argv: list[str]) -> int:
    """Return how many leading arguments belong to `tinyml` itself, the verb's name included."""
    for index, argument in enumerate(argv):
        if not argument.startswith("-"):
            return index + 1
    return len(argv)


def _run_verb(name: str, argv: list[str], console: Console) -> int:
    verb = load(name)
    args = parser_of(name, verb).parse_args(argv)
    console.loudness = args.loudness
    return verb.run(args, console)


def _overview(parser: argparse.ArgumentParser) -> str:
    listing = [(name, load(name).HELP.splitlines()[0]) for name in names()]
    width = max(len(name) for name, _ in listing)
    lines = [f"  {name:<{width}}  {text}" for name, text in listing]
    commands = "commands (each has --help with examples):\n" + "\n".join(lines)
    return f"{parser.format_usage()}\n{_DESCRIPTION}\n\n{commands}\n\n{_EPILOG}".rstrip()


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())


def _from_system(error: OSError) -> errors.TinymlError:
    """Turn what the operating system refused (disk full, no permission) into an error with words.

    Rooms that know more raise their own; this is the net under all of them.
    """
    what = error.strerror or str(error)
    where = f"{error.filename}: " if error.filename else ""
    hint = "free some space or choose another folder" if error.errno in _FULL else "check the path"
    if error.filename and _is_in_cache(str(error.filename)):
        hint = "keep what builds need elsewhere: export TINYML_CACHE=DIR (see: tinyml doctor)"
    return errors.ConfigError(f"{where}{what}", hint)


def _is_in_cache(file: str) -> bool:
    try:
        return Path(file).absolute().is_relative_to(paths.cache().absolute())
    except RuntimeError:  # there is no home
        return False


_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
