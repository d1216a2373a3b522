"""What the monitor shows, from recorded events: no device, no terminal, no clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_story import STATUS, device, read, report

from tinyml.device import DeviceInfo
from tinyml.monitor import messages
from tinyml.monitor.events import (
    Attached,
    Bytes,
    Detached,
    DeviceStatus,
    Played,
    Printed,
    Seen,
    SessionEvent,
    Summed,
)
from tinyml.monitor.lines import Lines, OutputLine, totals
from tinyml.monitor.picture import Picture
from tinyml.monitor.screen import ScreenNotes, draw

REPORT = report()
NAME = "nano33ble runs words (0123456789abcdef)"


@pytest.fixture
def info() -> DeviceInfo:
    return device()


def shown(events: Sequence[SessionEvent], every_s: float = 0.1) -> tuple[Picture, list[OutputLine]]:
    picture, lines, out = Picture(), Lines(), []
    for number, event in enumerate(events):
        picture.take(event, 100 + number * every_s)
        out += lines.of(event, picture)
    return picture, out


def texts(lines: Sequence[OutputLine]) -> list[str]:
    return [line.text for line in lines if line.text is not None]


def test_readings_are_counted_with_their_rate_and_cost(info: DeviceInfo) -> None:
    picture, _ = shown([Attached(info), *(read(number) for number in range(40))])
    now = 100 + 40 * 0.1
    assert (picture.inferences, picture.lost, picture.dropped) == (40, 0, 0)
    assert picture.rate(now) == pytest.approx(10)
    slow, _ = shown([Attached(info), read(0), read(1), read(2)], every_s=8)
    assert slow.rate(124) == pytest.approx(1 / 8)
    assert picture.rate(now + 60) == 0
    assert picture.counter == (1_000_000, 1_019_000, 1_039_000)
    assert picture.second == 4.0
    assert picture.factor == pytest.approx(1.0)


def test_what_never_arrived_is_counted_through_all_connections(info: DeviceInfo) -> None:
    picture, _ = shown(
        [
            Attached(info),
            read(0), read(3, dropped=10),
            DeviceStatus(STATUS, 2),
            Detached("it has gone"),
            Attached(info, "reconnected"),
            read(1, dropped=5),
            DeviceStatus(STATUS, 1),
        ]
    )  # fmt: skip
    assert (picture.inferences, picture.lost, picture.dropped) == (3, 3, 15)
    assert (picture.bad_frames, picture.connections) == (3, 2)
    assert "3 inferences, 15 samples dropped, 3 results lost" in totals(picture)
    assert list(picture.lines) == ["--- disconnected: it has gone", "--- reconnected"]


def test_lines_say_who_answers_what_is_played_and_what_is_recognised(info: DeviceInfo) -> None:
    _, lines = shown(
        [
            Attached(info),
            Played(0, 2, "a.wav", "yes", 10, 100),
            Played(0, 2, "a.wav", "yes", 20, 100),
            read(0, clip=0), read(1, "yes", clip=0),
            Printed("hello"), Printed("started", is_log=True),
            Played(1, 2, "b.wav", None, 60, 100),
            Detached("gone"),
            Attached(info, "reconnected"),
            Summed(REPORT),
        ]
    )  # fmt: skip
    assert [text.split(" (")[0] for text in texts(lines)] == [
        "nano33ble runs words",
        "a.wav, said yes",
        "    0.20 s  yes  0.90",
        "hello",
        "log: started",
        "b.wav",
        "--- disconnected: gone",
        "--- reconnected",
        "nano33ble runs words",
    ]
    assert [line.kind for line in lines if line.text is None] == ["inference", "inference", "clips"]


def test_bytes_are_dumped_with_their_direction_and_place() -> None:
    _, lines = shown(
        [Bytes(True, bytes(range(60, 80))), Bytes(True, b"A"), Bytes(False, b"\0\xff")]
    )
    first, second, third, fourth = texts(lines)
    assert first.startswith("-> 00000000  3c 3d 3e")
    assert first.endswith("<=>?@ABCDEFGHIJK")
    assert second.startswith("-> 00000010  4c 4d")
    assert third.startswith("-> 00000014  41 ")
    assert fourth.startswith("<- 00000000  00 ff")
    assert fourth.endswith("..")


def test_a_recognised_word_is_held_against_what_was_played(info: DeviceInfo) -> None:
    picture, _ = shown(
        [
            Attached(info),
            Played(0, 2, "a.wav", "yes", 10, 100),
            read(0, "yes", clip=0),
            Played(1, 2, "b.wav", "no", 60, 100),
            read(1, "yes", clip=1),
        ]
    )
    assert [(one.label, one.said) for one in picture.heard] == [("yes", "yes"), ("yes", "no")]
    text = draw(picture, 101, 100, 30, ScreenNotes()).plain
    assert "yes  0.90  \u2717 said no" in text  # signs: "right" is a word that somebody may say
    assert "yes  0.90  \u2713" in text
    ascii_only = draw(picture, 101, 100, 30, ScreenNotes(plain=True)).plain
    assert "yes  0.90  - said no" in ascii_only
    assert "yes  0.90  +" in ascii_only


def test_the_seconds_go_on_through_connections(info: DeviceInfo) -> None:
    picture, lines = shown(
        [Attached(info), read(9), Detached("gone"), Attached(info, "reconnected"), read(4, "yes")]
    )
    assert picture.second == pytest.approx(1.5)  # one second before it went, half a second since
    assert any((line.text or "").startswith("    1.50 s  yes") for line in lines)
    assert picture.factor is None  # the clock of a connection is its own


STORY: list[SessionEvent] = [
    Played(0, 1, "a\x1b[2J.wav", "yes", 1, 2),
    read(0, "yes", clip=0),
    DeviceStatus(STATUS, 1),
    *(Printed(f"line {number}") for number in range(50)),
    Summed(REPORT),
]


@settings(deadline=None, max_examples=40)
@given(width=st.integers(1, 300), height=st.integers(1, 90), cut=st.integers(0, len(STORY)))
def test_a_picture_fits_any_terminal_at_any_moment(width: int, height: int, cut: int) -> None:
    info = device()
    for events in ([], [Attached(info), *STORY[:cut]], [Attached(info), *STORY, Detached("gone")]):
        picture, _ = shown(events)
        for notes in (
            ScreenNotes(),
            ScreenNotes(help=True, paused=True, log="x.log", url="http://x/"),
        ):
            text = draw(picture, 101, width, height, notes)
            assert len(text.plain.split("\n")) <= height
            assert text.plain.replace("\n", "").isprintable()


def test_the_screen_shows_keys_first_then_who_how_sure_and_how_fast(info: DeviceInfo) -> None:
    picture, _ = shown(
        [Attached(info), read(0), read(1, "yes"), DeviceStatus(STATUS, 0), Printed("boot")]
    )
    lines = draw(picture, 100.3, 100, 24, ScreenNotes(log="m.log")).plain.splitlines()
    assert lines[0].startswith("Ctrl-] or Ctrl-C quits")
    assert NAME in lines[1]
    assert "logging to m.log" in lines[2]
    text = "\n".join(lines)
    assert "yes " in text
    assert "0.90" in text
    assert "10.0 inferences/s" in text
    assert "1,000,000 cycles per inference (15.6 ms), 1,000,000 to 1,001,000" in text
    assert "stack at most 600 of 8,192" in text
    assert "boot" in text
    assert "█" in text
    plain = draw(picture, 100.3, 100, 24, ScreenNotes(plain=True)).plain
    assert plain.isascii()
    assert "####" in plain


def test_a_long_list_of_labels_is_cut_to_the_highest(info: DeviceInfo) -> None:
    labels = tuple(f"label {number}" for number in range(60))
    picture, _ = shown([Attached(replace(info, labels=labels))])
    picture.scores = np.linspace(0, 1, 60, dtype=np.float32)
    text = draw(picture, 100, 80, 24, ScreenNotes()).plain
    assert "label 59" in text
    assert "label 0 " not in text
    assert "lower ones" in text


def test_who_comes_later_sees_the_same_page(info: DeviceInfo) -> None:
    events: list[SessionEvent] = [
        Attached(info),
        read(0, "yes"), Seen(0, np.zeros((2, 40), np.int8)), Printed("before"),
        Detached("gone"),
        Attached(info, "reconnected"),
        *(read(number) for number in range(400)),
        Seen(0, np.full((1, 3), -1, np.int8)),
        DeviceStatus(STATUS, 0),
        Summed(REPORT),
    ]  # fmt: skip
    picture, past = Picture(), messages.Past()
    for number, event in enumerate(events):
        picture.take(event, 100 + number)
        for message in messages.of(event, picture, 100 + number):
            past.add(message["kind"], messages.encode(message))
    replayed = [json.loads(encoded) for encoded in past.replay()]
    kinds = [message["kind"] for message in replayed]
    assert kinds.count("device") == kinds.count("status") == 1
    assert "gone" not in kinds
    assert kinds.count("read") == messages.KEPT["read"]
    assert [message["inferences"] for message in replayed if message["kind"] == "read"][-1] == 401
    (rows,) = (message for message in replayed if message["kind"] == "rows")
    assert (rows["width"], rows["data"]) == (3, "////")
    assert [message["name"] for message in replayed if message["kind"] == "clip"] == [
        "a.wav",
        "b.wav",
    ]
    assert [message["text"] for message in replayed if message["kind"] == "text"] == [
        "before",
        "--- disconnected: gone",
        "--- reconnected",
    ]


def test_the_past_of_large_pictures_is_bounded() -> None:
    past = messages.Past()
    for _ in range(100):
        past.add("rows", "x" * 20_000)
    assert sum(map(len, past.replay())) <= messages.KEPT_BYTES


def test_numbers_that_json_has_not_become_null() -> None:
    encoded = messages.encode({"kind": "read", "scores": [float("nan"), 1.0], "rate": float("inf")})
    assert json.loads(encoded) == {"kind": "read", "scores": [None, 1.0], "rate": None}
