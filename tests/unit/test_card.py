"""Model cards: what is read is what is on disk, and what is wrong is named by its field."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tinyml import paths
from tinyml.errors import ModelError
from tinyml.model import bundle, card

CARD: dict[str, Any] = {
    "format": 1,
    "name": "words",
    "task": "keyword_spotting",
    "labels": ["silence", "yes"],
    "features": {"name": "audio", "params": {"stride_ms": 20}},
    "stream": {
        "stride_frames": 5,
        "average": 3,
        "threshold": 0.5,
        "refractory_ms": 700,
        "background": [0],
        "repeats": False,
    },
    "accuracy": {"float": None, "int8": 0.5, "test_clips": 8, "part": "test"},
    "files": {},
}


@pytest.mark.parametrize("name", bundle.shipped())
def test_a_shipped_card_is_written_as_it_was_read(name: str) -> None:
    document = json.loads((paths.shared("models") / name / "card.json").read_text("utf-8"))
    document["stream"].setdefault("repeats", False)
    read = card.of(document)
    assert card.document(read) == document
    assert card.parse(card.text(read), "again") == read


@pytest.mark.parametrize("name", ["gesture"])
def test_a_shipped_card_says_what_to_expect_and_what_nobody_measured(name: str) -> None:
    read = bundle.load(name).card
    assert read.verdict
    assert "\n" not in read.verdict
    assert read.untested
    assert read.accuracy is not None
    low, high = read.accuracy.interval or (1.0, 0.0)
    assert low <= (read.accuracy.int8 or 0) <= high
    for each in read.accuracy.sources or ():
        assert each.interval is not None
        assert each.interval[0] <= each.int8 <= each.interval[1]


def test_unknown_keys_are_kept() -> None:
    read = card.of({**CARD, "reviewed_by": {"name": "A. Person"}})
    assert card.document(read)["reviewed_by"] == {"name": "A. Person"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": "yes"}, "labels is 'yes', not a list"),
        ({"labels": ["silence", 3]}, r"labels\[1\] is 3, not text"),
        ({"labels": ["silence", "\ud800"]}, r"labels\[1\] is .*no Unicode"),
        ({"name": "a\0b"}, "name has a NUL"),
        ({"features": {"name": "audio"}}, "features has no params"),
        ({"features": {"name": "audio", "params": {"a": True}}}, r"features\.params\.a is True"),
        ({"stream": {**CARD["stream"], "average": 0}}, r"stream\.average is 0, not 1 to"),
        (
            {"stream": {**CARD["stream"], "threshold": float("nan")}},
            r"threshold is nan, not a numb",
        ),
        ({"stream": {**CARD["stream"], "refractory_ms": 10**400}}, "of 1329 bits, not a number up"),
        ({"stream": {**CARD["stream"], "background": [2]}}, r"background is 2, not 0 to 1"),
        ({"accuracy": {"int8": "high"}}, r"accuracy\.int8 is 'high', not a number"),
        ({"accuracy": {"int8": 0.5, "part": "test"}}, "accuracy has no test_clips"),
        ({"training": {"width": float("inf")}}, r"training\.width is inf"),
        ({"files": {"model.tflite": None}}, r"files\.model\.tflite is None, not text"),
        ({"confusion": {"yes": {"yes": 0.5}}}, r"confusion\.yes\.yes is 0\.5, not a whole number"),
    ],
)
def test_a_wrong_value_is_named_by_its_field(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        card.of({**CARD, **change})


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"format": 1, "name": ' + "9" * 5000 + "}",
        '{"format": true}',
        '{"format": 1, "x": ' + "[" * 500 + "]" * 500 + "}",
        json.dumps({**CARD, "x": [[]]}).replace("[[]]", "[" * 500 + "]" * 500),
    ],
)
def test_text_that_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        card.parse(text, "card.json")


def test_whatever_stands_in_a_field_is_a_card_or_a_refusal() -> None:
    """Any value in any place: no other exception, and what is read can be written."""
    draw = np.random.default_rng(11)
    values: list[Any] = [
        None, True, -1, 0, 3, 10**30, 0.5, float("nan"), -float("inf"), "", "yes", "\ud83d", "\0",
        [], [None], [[0]], {}, {"": {}}, {"name": "x"},
    ]  # fmt: skip
    read = 0
    for _ in range(3000):
        document = json.loads(json.dumps(CARD))
        place: Any = document
        while isinstance(place, dict) and place:
            key = list(place)[draw.integers(len(place))]
            if not isinstance(place[key], dict) or draw.random() < 0.3:
                place[key] = values[draw.integers(len(values))]
                break
            place = place[key]
        try:
            text = json.dumps(document)
            found = card.parse(text, "card.json")
        except ModelError:
            continue
        read += 1
        assert card.parse(card.text(found), "again") == found
    assert 100 < read < 2900
