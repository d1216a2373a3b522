"""The monitor's page in a real browser: its JavaScript runs, draws, and believes no markup."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from monitor_story import HOSTILE, LABELS, device, read, story
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tinyml.monitor import web
from tinyml.monitor.events import Attached, Detached, Sensed, SessionEvent
from tinyml.monitor.picture import Picture
from tinyml.monitor.web import Web

pytestmark = pytest.mark.needs_chromium

WAIT_MS = 60_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
YELLOW, BLUE = (253, 231, 37), (47, 126, 216)  # the loudest of a spectrogram; the first label


class Shown:
    """The page in a browser, and a monitor that tells it events a tenth of a second apart."""

    def __init__(self, page: Page, web: Web) -> None:
        self.page = page
        self._web = web
        self._picture = Picture()
        self._at = 100.0

    def tell(self, *events: SessionEvent) -> None:
        for event in events:
            self._picture.take(event, self._at)
            self._web.take(event, self._picture, self._at)
            self._at += 0.1

    def open(self) -> None:
        self.page.goto(self._web.url)
        self.page.get_by_text("connected", exact=True).wait_for()

    def hover(self, share: float) -> str:
        """Point at the scores at a share of their width; return what is said of it."""
        box = self.page.locator("#scores").bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] * share, box["y"] + 40)
        self.page.wait_for_function("document.getElementById('hover').textContent.startsWith('at')")
        return self.page.locator("#hover").inner_text()


@contextmanager
def shown(*, dark: bool = False, width: int = 1280) -> Iterator[Shown]:
    """A browser on the page of a monitor that has told nothing yet."""
    browser = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as play, Web("127.0.0.1", 0) as web:
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(
            viewport={"width": width, "height": 1500}, color_scheme="dark" if dark else "light"
        )
        page.set_default_timeout(WAIT_MS)
        yield Shown(page, web)
        chromium.close()


def browse(
    features: str, folder: Path, *, dark: bool = False, width: int = 1280
) -> tuple[str, Path]:
    """Show the story of a device in a browser; return the page's elements, and a picture of it."""
    picture = folder / "page.png"
    events = list(story(device(features)))
    half = len(events) // 2
    with shown(dark=dark, width=width) as shows:
        shows.tell(*events[:half])  # half of it is the past, half comes live
        shows.open()
        shows.tell(*events[half:])
        shows.page.get_by_text("of the last 200 inferences").wait_for()
        shows.page.screenshot(path=picture)  # waits until what came has been drawn
        shows._web.__exit__(None, None, None)
        shows.page.get_by_text("the monitor has ended").wait_for()
        elements = shows.page.content()
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


def test_the_sensor_of_a_board_is_drawn_and_can_be_recorded() -> None:
    class Recorder:
        def keep(self, label: str, seconds: float) -> str:
            return f"{label}/0001.wav ({seconds:g} s)"

    info = device("motion", sensor="imu")
    at = np.arange(300)[:, None, None] / 10
    swing = (900 * np.sin(at + np.arange(3)[None, :, None])).astype(np.int16)
    with shown() as shows:
        shows._web.keeper = Recorder()  # type: ignore[assignment]
        shows.tell(Attached(info), Sensed(0, 1, 100, swing), read(0))
        shows.open()
        shows.page.get_by_text("every sample of the imu sensor").wait_for()
        assert shows.page.locator("#record").is_visible()
        assert not shows.page.locator("#play").is_visible()  # there is nothing to be heard
        shows.page.locator("#record-label").fill("wing")
        shows.page.get_by_text("Record this").click()
        shows.page.get_by_text("kept as wing/0001.wav (3 s)").wait_for()


WIDTHS = [390, 768, 1024, 1280, 1920]


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_at_any_width(width: int) -> None:
    with shown(width=width) as shows:
        shows.tell(
            *story(device()), Detached("a cable was pulled, and that has a long reason " * 3)
        )
        shows.page.goto(shows._web.url)
        shows.page.get_by_text("not connected").first.wait_for()
        cut = shows.page.evaluate(
            """() => [document.documentElement, ...document.querySelectorAll(
                "section, #controls, #notice, header, canvas, #legend, #legend button")]
                .filter((one) => one.scrollWidth > one.clientWidth + 1)
                .map((one) => one.id || one.tagName)"""
        )
        assert cut == []


def test_a_board_that_has_gone_is_greyed_and_told_in_plain_words() -> None:
    with shown() as shows:
        shows.tell(*story(device()))
        shows.open()
        assert not shows.page.locator("body.stale").count()
        shows.tell(Detached("its cable was pulled"))
        shows.page.locator("body.stale").wait_for()
        notice = shows.page.locator("#notice").inner_text()
        assert notice.startswith("The board is not connected: its cable was pulled.")
        assert "from before" in notice
        shows.tell(Attached(device(), "reconnected"), read(0))
        shows.page.locator("body:not(.stale)").wait_for()
        assert not shows.page.locator("#notice").is_visible()
        # The clock goes on: twenty seconds before the cable was pulled, and the first since.
        assert shows.page.locator("#legend button").count() == len(LABELS)


def test_a_paused_page_stands_still_and_goes_on() -> None:
    with shown() as shows:
        shows.tell(Attached(device()), *(read(number) for number in range(400)))  # 40 s
        shows.open()
        before = shows.hover(0.5)
        assert re.match(r"at 2[45]\.\d+ s: ", before)
        shows.page.locator("#pause").click()
        shows.tell(*(read(number) for number in range(400, 500)))
        shows.page.get_by_text("of the last 400 inferences").wait_for()  # 300 before it came
        assert shows.hover(0.5) == before
        shows.page.locator("#pause").click()
        assert re.match(r"at 3[45]\.\d+ s: ", shows.hover(0.5001))


def test_series_can_be_left_out_and_read_by_pointing() -> None:
    with shown() as shows:
        shows.tell(*story(device()))
        shows.open()
        legend = shows.page.locator("#legend button")
        assert legend.all_inner_texts() == list(LABELS)  # all of them, not only the loud ones
        assert "yes 0." in shows.hover(0.3)
        legend.nth(1).click()
        assert legend.nth(1).get_attribute("aria-pressed") == "false"
        assert "yes 0." not in shows.hover(0.301)


def test_what_is_shown_can_be_saved(tmp_path: Path) -> None:
    with shown() as shows:
        shows.tell(*story(device()))
        shows.open()
        shows.page.get_by_text("of the last 200 inferences").wait_for()
        with shows.page.expect_download() as saved:
            shows.page.locator("#csv").click()
        lines = Path(saved.value.path()).read_text().splitlines()
        assert lines[0] == f'second,"silence","yes","{HOSTILE}","no",recognised'
        assert len(lines) == 201
        assert lines[13].startswith("1.300,0.1,")
        assert lines[13].endswith(',"yes"')
        with shows.page.expect_download() as saved:
            shows.page.locator("#png").click()
        with Image.open(saved.value.path()) as picture:
            assert picture.width > 1000
            assert picture.height > 300


def test_no_channel_has_the_colour_of_a_label_and_right_is_a_sign() -> None:
    charts = (Path(web.__file__).with_name("page.charts.js")).read_text()
    lists = re.findall(r"const (?:COLOURS|CHANNELS) = \[(.*?)\]", charts, re.DOTALL)
    labels, channels = (re.findall(r"#[0-9a-f]{6}", part) for part in lists)
    assert len(labels) == len({*labels}) == 12
    assert not {*labels} & {*channels}
    with shown() as shows:
        shows.tell(*story(device()))
        shows.open()
        said = shows.page.locator("#heard").inner_text()
        assert "\u2713" in said
        assert "\u2717 said yes" in said
        assert "right" not in said


def near(colour: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 12 for one, other in zip(colour, wanted, strict=True))
