"""The template environment: every value that a template prints is escaped for its language.

Which language that is, a template's name says. Where a value stands in a comment, or is code by
itself, the template says so with a filter; what it forgets to say comes out as a harmless literal,
never as code. Names that reach paths and sections are identifiers before they come here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

import jinja2

from tinyml.compiler import c_text
from tinyml.errors import ConfigError

SUFFIX = ".j2"

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
# Printable, on one line, and nothing that opens a comment, a literal or a directive.
_CODE = re.compile(r"""(?:(?!//|/\*|\*/)[ !$-&(-\[\]-~])*""")


class Escaped(str):
    """Text that is as it must be in the language of its template."""


def code(value: object) -> Escaped:
    """Return text that is code already; ValueError where it could be more than that one piece."""
    text = str(value)
    if not _CODE.fullmatch(text):
        raise ValueError(f"{text!r} is no single piece of code")
    return Escaped(text)


def _c(value: object) -> str:
    if isinstance(value, bool | int):
        return c_text.number(int(value))
    return c_text.string(str(value))


def _ini(value: object) -> str:
    """Return a value of an option: further lines are indented, so that none is an option."""
    lines = _CONTROLS.sub(" ", str(value)).splitlines()
    return "\n".join([*lines[:1], *(f"  {line.strip()}" for line in lines[1:])])


def _markdown(value: object) -> str:
    return re.sub(r"[`<>|\\]", "_", _BREAKS.sub(" ", str(value)))


def _plain(value: object) -> str:
    """Return words that build systems read: letters, digits and what no language of them knows."""
    return re.sub(r"[^A-Za-z0-9_ .,+-]", "_", str(value))


# By the suffix of what is rendered: how a value is printed, and how text in a comment.
_LANGUAGES: Mapping[str, tuple[Callable[[object], str], Callable[[str], str]]] = {
    **dict.fromkeys((".c", ".cpp", ".h", ".ino", ".ld"), (_c, c_text.comment)),
    ".ini": (_ini, lambda text: _BREAKS.sub(" ", text)),
    ".md": (_markdown, _markdown),
    ".json": (json.dumps, _markdown),  # which has no comments
    # CMake, Kconfig, YAML and properties get nothing but words.
    **dict.fromkeys((".txt", "", ".yml", ".properties"), (_plain, _plain)),
}


def render(file: Path, context: Mapping[str, Any]) -> bytes:
    """Return the template `file` (UTF-8) filled in with `context`.

    Raises ConfigError, naming the file, for one that cannot be rendered or whose language has no
    rule of escaping here.
    """
    try:
        environment = _environment(PurePath(file.name.removesuffix(SUFFIX)).suffix)
        return environment.from_string(file.read_text(encoding="utf-8")).render(context).encode()
    except (jinja2.TemplateError, ValueError, KeyError) as error:
        raise ConfigError(f"the template {file} cannot be rendered: {error}") from error


def _environment(suffix: str) -> jinja2.Environment:
    value, in_comment = _LANGUAGES[suffix]
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # that is HTML's
        finalize=lambda item: item if isinstance(item, Escaped) else Escaped(value(item)),
    )
    environment.filters["code"] = code
    environment.filters["comment"] = lambda text: Escaped(in_comment(str(text)))
    return environment
