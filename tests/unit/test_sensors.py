"""Which sensor a firmware gets, and that its files and options reach the project."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from tinyml import paths
from tinyml.cli import pipeline
from tinyml.cli.console import Console
from tinyml.errors import ConfigError
from tinyml.firmware import boards, plan, render, sensors
from tinyml.firmware.origin import Origin
from tinyml.model import bundle
from tinyml.records import (
    Board,
    Bundle,
    CSource,
    FeatureConfig,
    StreamConfig,
    TensorInfo,
)

BARE = Bundle("bare", b"", "cd" * 32, Path("bare.tflite"))
WORDS = replace(
    BARE,
    name="words",
    labels=("a", "b"),
    features=FeatureConfig("audio", {"sample_rate_hz": 16000, "stride_ms": 20}),
    stream=StreamConfig(2, 4, 0.75, 1000, (0,)),
)
SOURCE = CSource(
    "compiled",
    {},
    (TensorInfo("in", "int8", (1, 49, 40), 0.1, 0),),
    (TensorInfo("out", "int8", (1, 2), 1 / 256, -128),),
    (),
    (),
    100,
    10,
)


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real templates, with drivers `plain` and `costly` for audio, and `shaker` for motion."""
    templates = tmp_path / "firmware_templates"
    for file in paths.shared("firmware_templates").rglob("*"):
        if file.is_file() and "sensors" not in file.parts:
            copy = templates / file.relative_to(paths.shared("firmware_templates"))
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    for driver in ("audio/plain", "audio/costly", "motion/shaker"):
        (templates / "sensors" / driver).mkdir(parents=True)
        (templates / "sensors" / driver / "driver.cpp").write_text(driver)
    (templates / "sensors" / "audio" / "costly" / "sensor.ini").write_text(
        "[sensor]\nlib_deps = https://host/library.git#abc\ncustom_consent = all becomes GPL\n"
    )
    real = paths.shared
    monkeypatch.setattr(
        paths, "shared", lambda name: templates if name == "firmware_templates" else real(name)
    )
    return templates


def board(*names: str, **options: str) -> Board:
    qemu = boards.load(boards.DEFAULT)
    return replace(qemu, options={**options, "custom_sensors": " ".join(names)})


def test_a_board_s_own_sensor_is_preferred(templates: Path) -> None:
    for wanted in (None, "board", "plain"):
        chosen = sensors.choose(WORDS, board("shaker", "plain"), wanted)
        assert chosen is not None
        assert (chosen.name, chosen.is_virtual) == ("plain", False)


def test_a_board_without_one_gets_the_virtual_sensor(templates: Path) -> None:
    chosen = sensors.choose(WORDS, board("shaker"))
    assert chosen is not None
    assert chosen.is_virtual
    with pytest.raises(ConfigError, match="no sensor 'board' for audio"):
        sensors.choose(WORDS, board("shaker"), "board")


def test_any_board_can_have_the_virtual_sensor(templates: Path) -> None:
    chosen = sensors.choose(WORDS, board("plain"), "virtual")
    assert chosen is not None
    assert chosen.is_virtual


@pytest.mark.parametrize("wanted", [None, "board"])
def test_a_driver_that_needs_consent_is_never_chosen_unnamed(
    templates: Path, wanted: str | None
) -> None:
    costly = board("costly", "plain")
    chosen = sensors.choose(WORDS, costly, wanted)
    assert chosen is not None
    assert chosen.name == "plain"
    named = sensors.choose(WORDS, costly, "costly")
    assert named is not None
    assert named.consent == "all becomes GPL"


def test_an_unknown_driver_comes_back_with_the_nearest_name(templates: Path) -> None:
    with pytest.raises(ConfigError, match="no sensor 'plane'") as caught:
        sensors.choose(WORDS, board("plain"), "plane")
    assert caught.value.hint == "did you mean plain?"


def test_a_model_without_a_stream_takes_no_sensor(templates: Path) -> None:
    assert sensors.choose(BARE, board("plain")) is None
    with pytest.raises(ConfigError, match="no stream"):
        sensors.choose(BARE, board("plain"), "virtual")


def test_a_project_gets_the_driver_and_its_options(templates: Path) -> None:
    files = render.render(
        plan.of_source(WORDS, board("costly", lib_deps="first"), SOURCE, "costly")
    )
    assert files["src/sensor/driver.cpp"] == b"audio/costly"
    assert "src/sensor/tml_ring.c" in files
    assert not [name for name in files if "virtual" in name or name.endswith("sensor.ini")]
    assert b'#define TML_SENSOR "costly"' in files["src/app/tml_config.h"]
    ini = files["platformio.ini"].decode()
    assert "lib_deps = first\n  https://host/library.git#abc" in ini


def test_a_project_with_the_virtual_sensor_has_no_other(templates: Path) -> None:
    files = render.render(plan.of_source(WORDS, board("plain"), SOURCE, "virtual"))
    assert [name for name in files if name.startswith("src/sensor/")] == [
        "src/sensor/tml_virtual_sensor.c"
    ]
    assert b'#define TML_SENSOR "virtual"' in files["src/app/tml_config.h"]


def test_what_a_driver_entails_is_said_where_it_is_chosen(templates: Path, tmp_path: Path) -> None:
    said = io.StringIO()
    words = bundle.load("keyword_spotting")
    origin = Origin("keyword_spotting", "costly", "compiled", sensor="costly")
    choice = pipeline.Choice(words, board("costly"), tmp_path / "p", origin)
    pipeline.generate(choice, Console(io.StringIO(), said))
    assert "sensor costly: all becomes GPL" in said.getvalue()


@pytest.mark.parametrize("text", ["no section\n", "[other]\na = b\n", "[sensor]\n[sensor]\n"])
def test_a_damaged_fact_file_is_named(templates: Path, text: str) -> None:
    (templates / "sensors" / "audio" / "plain" / "sensor.ini").write_text(text)
    with pytest.raises(ConfigError, match=r"plain/sensor\.ini cannot be read"):
        sensors.choose(WORDS, board("plain"))


def test_boards_have_sensors_for_what_models_see_and_feel() -> None:
    def names(board_id: str, front_end: str) -> list[str]:
        return [one.name for one in sensors.drivers(boards.load(board_id), front_end)]

    for nano in ("nano33ble", "nano33ble_rev2"):
        assert (names(nano, "stroke"), names(nano, "image")) == (["imu"], ["ov767x"])
        (camera,) = sensors.drivers(boards.load(nano), "image")
        assert "GPL-2.0-only" in camera.consent  # so it is never chosen unnamed
    assert names("spresense", "stroke") == names("spresense", "motion") == ["spresense_bmi160"]
    assert names("spresense", "image") == ["spresense_camera"]


@pytest.mark.parametrize("name", boards.names())
def test_every_sensor_that_a_board_names_exists(name: str) -> None:
    folder = paths.shared("firmware_templates") / "sensors"
    for sensor in boards.load(name).options.get("custom_sensors", "").split():
        assert list(folder.glob(f"*/{sensor}/*")), f"{name}: {sensor}"
