"""Labels and names: what may be one, and how text is shown that may be none."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml import names
from tinyml.errors import ConfigError

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    "text",
    ["yes", "C++", "don't", "네", "नहीं", "آره\u200cمن", "two words", "100%", FAMILY, "caf\u00e9"],
)
def test_words_of_any_script_are_labels(text: str) -> None:
    assert names.label(text) == text


def test_an_accent_is_one_however_it_is_written() -> None:
    assert names.label("cafe\u0301") == "caf\u00e9"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" yes", "begins or ends"),
        ("a\u00a0b", r"U\+00A0 \(no-break space\)"),
        ("a\u3000b", r"U\+3000 \(ideographic space\)"),
        ("a\tb", r"'a\\\\tb' has U\+0009"),
        ("a\nb", r"U\+000A \(a control character\)"),
        ("\u202eno", r"U\+202E \(right-to-left override\)"),
        ("caf\udce9", "the byte 0xe9"),
        ("네" * 33, "more than 96 bytes"),
    ],
)
def test_what_is_not_the_same_everywhere_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        names.label(text)


@given(st.text(max_size=120))
def test_a_label_survives_what_it_goes_through(text: str) -> None:
    try:
        label = names.label(text)
    except ConfigError:
        return
    assert names.label(label) == label == unicodedata.normalize("NFC", text)
    assert label.encode().decode() == label
    assert len(label.splitlines()) == 1
    assert names.shown(label) == label


@pytest.mark.parametrize("name", ["a", "keyword_spotting", "my-model.v2", "c++", "9"])
def test_identifiers_are_names(name: str) -> None:
    assert names.bundle(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../up", "/abs", "a/b", "a b", "-x", "_x", "a.", "a\n", "é", "x" * 65, "$x"],
)
def test_others_are_none(name: str) -> None:
    with pytest.raises(ConfigError, match="is no name for a model"):
        names.bundle(name)


@given(st.binary(max_size=40))
def test_names_of_files_are_shown_whatever_their_bytes(raw: bytes) -> None:
    shown = names.shown(os.fsdecode(raw))
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
