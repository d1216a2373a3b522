"""Reads board files: `boards/<id>.ini` in, records.Board out.

A board file has one section, `[env:<id>]`: PlatformIO's options for the board, and our own fields,
which PlatformIO ignores because they begin with `custom_`. To add a board, add its file; where its
start-up is new also a folder `firmware_templates/<custom_template>`, and where PlatformIO has no
platform for it a folder `tinyml/platforms/<custom_template>`.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

from tinyml import paths
from tinyml.errors import ConfigError, nearest
from tinyml.records import Board
from tinyml.registry import stems

DEFAULT = "qemu-m4"
TIMINGS = ("instructions", "cycles")
MEMORIES = ("separate", "shared")

_CUSTOM = "custom_"
_CHECKOUT_PLATFORMS = "symlink://tinyml/platforms/"
_PROJECT_PLATFORMS = "symlink://platforms/"


def names() -> tuple[str, ...]:
    """Return the id of every board, in alphabetical order."""
    return stems(paths.shared("boards"), "*.ini")


def load(name: str) -> Board:
    """Return the board `name`; ConfigError with the nearest names where there is none.

    `options` are all of the file's, ours included: a generated project repeats them. A platform of
    ours is named there as a checkout has it, `symlink://tinyml/platforms/<name>`; a project carries
    a copy, so `options` name it `symlink://platforms/<name>`.
    """
    if name not in names():
        raise ConfigError(f"there is no board {name!r}; {nearest(name, names())}", "tinyml boards")
    return read(paths.shared("boards") / f"{name}.ini")


def read(file: Path) -> Board:
    """Read one board file. Raises ConfigError naming the file, and the key where one is wrong."""
    fields = _Fields(file, _section(file))
    options = dict(fields.texts)
    if "platform" not in options:
        raise fields.error("platform", "is missing")
    options["platform"] = options["platform"].replace(_CHECKOUT_PLATFORMS, _PROJECT_PLATFORMS)
    return Board(
        id=file.stem,
        name=fields.text("name"),
        template=fields.text("template"),
        cpu=fields.text("cpu"),
        flash_bytes=fields.bytes("flash_bytes"),
        ram_bytes=fields.bytes("ram_bytes"),
        link=fields.text("link"),
        timing=fields.choice("timing", TIMINGS),
        runtime=fields.text("runtime"),
        options=options,
        path=file,
        shared_memory=fields.choice("memory", MEMORIES, "separate") == "shared",
        stack_bytes=fields.bytes("stack_bytes", "0", least=0),
        stack_symbol=options.get("custom_stack_symbol", ""),
    )


def _section(file: Path) -> Mapping[str, str]:
    # The same dialect as PlatformIO's own reader, but for ${...}, which is left for it to replace.
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=("#", ";"))
    section = f"env:{file.stem}"
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


class _Fields:
    """The options of a board file, taken one by one; what is wrong names file and key."""

    def __init__(self, file: Path, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self._file = file

    def error(self, key: str, problem: str) -> ConfigError:
        return ConfigError(f"the board file {self._file}: {key} {problem}")

    def text(self, field: str, default: str = "") -> str:
        text = self.texts.get(_CUSTOM + field, default).strip()
        if not text:
            raise self.error(_CUSTOM + field, "is missing")
        return text

    def choice(self, field: str, known: tuple[str, ...], default: str = "") -> str:
        text = self.text(field, default)
        if text not in known:
            raise self.error(_CUSTOM + field, f"is {text!r}, must be one of {', '.join(known)}")
        return text

    def bytes(self, field: str, default: str = "", least: int = 1) -> int:
        text = self.text(field, default)
        if not (text.isascii() and text.isdecimal() and int(text) >= least):
            raise self.error(_CUSTOM + field, f"is {text!r}, must be a whole number from {least}")
        return int(text)
