"""Names that people give: one rule for labels, one for bundles, and how any text is shown.

A label may be any word in any script. It becomes a folder's name, a string in C, a field on the
wire and a cell of a table, so it is text that all of these keep: in Unicode's form NFC, printable,
without characters that are a space but not " ". A bundle's name becomes a path, a C comment and an
option of a build, so it is an identifier.
"""

from __future__ import annotations

import re
import unicodedata

from tinyml.errors import ConfigError

MAX_LABEL_BYTES = 96  # of UTF-8: a table's column, and far below what the wire carries
_MAX_NAME = 64
_JOINERS = "\u200c\u200d"  # Persian, Hindi and emoji are written with them
_NAME = re.compile(r"[^\W_](?:[\w.+-]*[\w+-])?", re.ASCII)


def label(text: str) -> str:
    """Return `text` as a label: in form NFC. Raises ConfigError where it can be none."""
    normal = unicodedata.normalize("NFC", text)
    if not normal:
        raise ConfigError("a label is empty", "give it a name")
    if normal != normal.strip(" "):
        raise ConfigError(f"the label {shown(text)!r} begins or ends with a space", "remove it")
    if len(normal.encode("utf-8", "surrogateescape")) > MAX_LABEL_BYTES:
        raise ConfigError(
            f"the label {shown(text[:20])!r}... has more than {MAX_LABEL_BYTES} bytes in UTF-8",
            "give it a shorter name",
        )
    for character in normal:
        if not character.isprintable() and character not in _JOINERS:
            raise ConfigError(
                f"the label {shown(text)!r} has {_described(character)} in it, which is not shown "
                "or sent alike everywhere",
                "give it a name of printable characters",
            )
    return normal


def bundle(text: str) -> str:
    """Return `text`, the name of a bundle or board; raises ConfigError for no identifier.

    It is ASCII letters, digits and `_ . + -`, begins with a letter or digit, does not end with a
    dot, and has at most 64 characters.
    """
    if len(text) > _MAX_NAME or not _NAME.fullmatch(text):
        raise ConfigError(
            f"{shown(text[: _MAX_NAME + 1])!r} is no name for a model",
            f"use letters, digits and _ . + -, at most {_MAX_NAME}, beginning with a letter or "
            "digit",
        )
    return text


def shown(text: str) -> str:
    """Return `text` with what is not printable escaped; bytes that were no UTF-8 as `\\xe9`."""
    return "".join(
        each if each.isprintable() or each in _JOINERS else _escaped(each) for each in text
    )


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a file name, by surrogateescape (PEP 383)
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def _described(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"the byte 0x{ord(character) - 0xDC00:02x}, which is no UTF-8,"
    name = unicodedata.name(character, "a control character")
    return f"U+{ord(character):04X} ({name.lower()})"
