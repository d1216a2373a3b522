"""The monitor's page in a real browser: its JavaScript runs, draws, and believes no markup."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from monitor_story import HOSTILE, device, story
from PIL import Image
from playwright.sync_api import sync_playwright

from tinyml.monitor.picture import Picture
from tinyml.monitor.web import Web

pytestmark = pytest.mark.needs_chromium

WAIT_MS = 60_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
YELLOW, BLUE = (253, 231, 37), (47, 126, 216)  # the loudest of a spectrogram; the first label


def browse(
    features: str, folder: Path, *, dark: bool = False, width: int = 1280
) -> tuple[str, Path]:
    """Show the story of a device in a browser; return the page's elements, and a picture of it."""
    browser = next(filter(None, map(shutil.which, BROWSERS)))
    picture = folder / "page.png"
    with sync_playwright() as play, Web("127.0.0.1", 0) as web:
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(
            viewport={"width": width, "height": 1500}, color_scheme="dark" if dark else "light"
        )
        page.set_default_timeout(WAIT_MS)
        shown, events = Picture(), list(story(device(features)))
        for number, event in enumerate(events):
            if number == len(events) // 2:  # half of it is the past, half comes live
                page.goto(web.url)
                page.get_by_text("connected", exact=True).wait_for()
            shown.take(event, 100 + number * 0.1)
            web.take(event, shown, 100 + number * 0.1)
        web.__exit__(None, None, None)
        page.get_by_text("the monitor has ended").wait_for()
        page.screenshot(path=picture)  # waits until what came has been drawn
        elements = page.content()
        chromium.close()
    return elements, picture


def text_of(elements: str) -> str:
    return re.sub(r"<[^>]*>", " ", elements[elements.index("<body") :])


def colours_of(picture: Path) -> dict[tuple[int, ...], int]:
    with Image.open(picture) as image:
        counted = image.convert("RGB").getcolors(1 << 24)
    assert counted is not None
    return {colour: count for count, colour in counted if isinstance(colour, tuple)}


def test_the_page_shows_the_picture_and_draws_a_spectrogram(tmp_path: Path) -> None:
    elements, picture = browse("audio", tmp_path)
    text = text_of(elements)
    for shown in (
        "0123456789abcdef on nano33ble, runtime tflm, virtual sensor",
        "the monitor has ended",
        "playing a.wav, said yes (1 of 2, 10 %)",
        "What the model sees: spectrogram",
        "the last 4.0 s: 40 bands",
        "of the last 200 inferences",
        "at most 600 of 8,192 bytes",
        "0 results, 3 damaged frames",
    ):
        assert shown in text
    assert "this page failed" not in text
    assert 'id="latency-title">Latency<' in elements
    assert elements.count('class="bar"') == 4
    assert "<title>words on nano33ble</title>" in elements  # and not "owned"
    assert HOSTILE not in elements
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;") in elements
    colours = colours_of(picture)
    assert sum(count for colour, count in colours.items() if near(colour, YELLOW)) > 100
    assert sum(count for colour, count in colours.items() if near(colour, BLUE)) > 50


@pytest.mark.parametrize("features", ["motion", "image"])
def test_motion_and_pictures_are_drawn_on_a_dark_phone_too(tmp_path: Path, features: str) -> None:
    elements, picture = browse(features, tmp_path, dark=True, width=400)
    assert "this page failed" not in elements
    title = {"motion": "motion trace", "image": "pictures"}[features]
    assert f"What the model sees: {title}" in text_of(elements)
    colours = colours_of(picture)
    assert max(colours, key=lambda colour: colours[colour]) < (64, 64, 64)
    if features == "image":  # the disc: 120 + 128 gray
        assert colours[(248, 248, 248)] > 2000


def near(colour: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 12 for one, other in zip(colour, wanted, strict=True))
