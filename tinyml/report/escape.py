"""Text from outside made safe to show: what a device, a file or a model says stays text."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` with control characters made visible, for terminals and logs."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text
    )


def xml(text: str) -> str:
    """Spell out what XML 1.0 has no place for: control characters, surrogates, U+FFFE and F."""
    return "".join(
        char
        if char in "\t\n\r"
        or " " <= char <= "\ud7ff"
        or "\ue000" <= char <= "\ufffd"
        or char > "\uffff"
        else f"\\u{ord(char):04x}"
        for char in text
    )
