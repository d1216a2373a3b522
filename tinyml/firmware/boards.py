"""Reads board files: `boards/<id>.ini` in, records.Board out.

A board file has one section, `[env:<id>]`: PlatformIO's options for the board, and our own keys,
which begin with `custom_` and are those of `board_keys`. A board that is much like another extends
it, as PlatformIO does: with `extends = env:<other id>` it states only what differs. To add a board,
add its file; where its start-up is new also a folder `firmware_templates/<custom_template>`, and
where PlatformIO has no platform for it a folder `tinyml/platforms/<custom_template>`.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

from tinyml import paths
from tinyml.errors import ConfigError, nearest
from tinyml.firmware.board_keys import KEYS, PREFIX, require_known
from tinyml.records import Board
from tinyml.registry import stems

DEFAULT = "qemu-m4"

_EXTENDS = "extends"
_ENVIRONMENT = "env:"
_CHECKOUT_PLATFORMS = "symlink://tinyml/platforms/"
_PROJECT_PLATFORMS = "symlink://platforms/"


def names() -> tuple[str, ...]:
    """Return the id of every board, in alphabetical order."""
    return stems(paths.shared("boards"), "*.ini")


def load(name: str) -> Board:
    """Return the board `name`; ConfigError with the nearest names where there is none.

    `options` are all that the file states or extends, our keys included: a generated project
    repeats them. A platform of
    ours is named there as a checkout has it, `symlink://tinyml/platforms/<name>`; a project carries
    a copy, so `options` name it `symlink://platforms/<name>`.
    """
    if name not in names():
        raise ConfigError(f"there is no board {name!r}; {nearest(name, names())}", "tinyml boards")
    return read(paths.shared("boards") / f"{name}.ini")


def read(file: Path) -> Board:
    """Read one board file. Raises ConfigError naming the file, and the key where one is wrong."""
    options = _options(file)
    fields = {
        name: options.get(PREFIX + name, key.default or "").strip() for name, key in KEYS.items()
    }
    try:
        require_known(options)
    except ConfigError as error:
        raise ConfigError(f"the board file {file}: {error.message}", error.hint) from error
    problems = {PREFIX + name: key.check(fields[name]) for name, key in KEYS.items()}
    problems["platform"] = "" if options.get("platform") else "is missing"
    for key, problem in problems.items():
        if problem:
            raise ConfigError(f"the board file {file}: {key} {problem}")
    options["platform"] = options["platform"].replace(_CHECKOUT_PLATFORMS, _PROJECT_PLATFORMS)
    return Board(
        id=file.stem,
        name=fields["name"],
        template=fields["template"],
        cpu=fields["cpu"],
        flash_bytes=int(fields["flash_bytes"]),
        ram_bytes=int(fields["ram_bytes"]),
        link=fields["link"],
        timing=fields["timing"],
        runtime=fields["runtime"],
        options=options,
        path=file,
        shared_memory=fields["memory"] == "shared",
        stack_bytes=int(fields["stack_bytes"]),
        stack_symbol=fields["stack_symbol"],
    )


def _options(file: Path, seen: tuple[Path, ...] = ()) -> dict[str, str]:
    """Return the options of a board file, what it extends included; its own come first."""
    if file in seen:
        raise ConfigError(f"the board file {file} extends itself")
    own = dict(_section(file))
    extended = own.pop(_EXTENDS, "").strip()
    if not extended:
        return own
    known = [_ENVIRONMENT + name for name in stems(file.parent, "*.ini")]
    if extended not in known:
        raise ConfigError(
            f"the board file {file}: {_EXTENDS} is {extended!r}, which is no board beside it",
            nearest(extended, known),
        )
    other = file.with_name(f"{extended.removeprefix(_ENVIRONMENT)}.ini")
    return {**_options(other, (*seen, file)), **own}


def _section(file: Path) -> Mapping[str, str]:
    # The same dialect as PlatformIO's own reader, but for ${...}, which is left for it to replace.
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=("#", ";"))
    section = f"{_ENVIRONMENT}{file.stem}"
    try:
        parser.read_string(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(f"the board file {file} cannot be read: {detail}") from error
    if parser.sections() != [section]:
        raise ConfigError(
            f"the board file {file} must have the one section [{section}], not {parser.sections()}"
        )
    return parser[section]
