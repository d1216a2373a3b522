"""The camera drivers against fakes of their vendors' libraries."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinyml import paths
from tinyml.errors import ConfigError
from tinyml.features import image
from tinyml.firmware import sensors
from tinyml.records import Bundle, FeatureConfig

pytestmark = pytest.mark.needs_cc

HERE = Path(__file__).parent
CAMERAS = {"ov767x": "arduino", "spresense_camera": "spresense"}
GRAY_96 = {
    "sample_rate_hz": 5 * 4608, "source_width": 96, "source_height": 96, "format": 1,
    "width": 96, "height": 96, "channels": 1,
}  # fmt: skip


def fitted(name: str) -> FeatureConfig:
    """The front end of a firmware with that camera, for a model of 96x96 gray."""
    folder = paths.shared("firmware_templates") / "sensors" / "image" / name
    bundle = Bundle("m", b"", "", Path("m"), features=FeatureConfig("image", GRAY_96))
    features = sensors.fitted(bundle, sensors._read(folder)).features
    assert features is not None
    return features


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: _built(name, tmp_path_factory.mktemp(name)) for name in CAMERAS}


def _built(name: str, folder: Path) -> Path:
    templates = paths.shared("firmware_templates")
    settings = [f"#define TML_FEATURE_{n.upper()} {v}\n" for n, v in fitted(name).params.items()]
    (folder / "tml_config.h").write_text("".join(settings))
    stand_ins = HERE.parent / "stand_ins" / CAMERAS[name]
    for header in ("Camera.h", "Arduino.h", "Arduino_OV767X.h"):  # others are the compiler's own
        if (stand_ins / header).is_file():
            (folder / header).write_text((stand_ins / header).read_text())
    driver = templates / "sensors" / "image" / name
    subprocess.run(
        ["c++", "-std=gnu++14", "-fno-exceptions", "-fno-rtti", "-O1", "-Wall", "-Wextra",
         "-Werror", "-fsanitize=undefined,address", "-fno-sanitize-recover=all",
         *(f"-I{one}" for one in (folder, driver, templates / "common")), HERE / "camera_main.cpp",
         HERE / f"{name}_fake.cpp", driver / "tml_camera.cpp", "-o", folder / "driver"],
        check=True,
    )  # fmt: skip
    return folder / "driver"


def told(program: Path, *commands: str) -> list[str]:
    done = subprocess.run(
        [program], input="\n".join(commands), stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.splitlines()


def test_a_front_end_takes_what_the_camera_gives() -> None:
    assert fitted("ov767x").params == {
        **GRAY_96, "source_width": 160, "source_height": 120, "sample_rate_hz": 5 * 9600,
    }  # fmt: skip
    assert fitted("spresense_camera").params == {
        **GRAY_96, "format": image.FORMATS["uyvy"], "sample_rate_hz": 5 * 9216,
    }  # fmt: skip
    for wrong in ("160x120", "160x120 grey", "161x120 yuyv", "0x0 gray"):
        with pytest.raises(ConfigError):
            image.of_camera(FeatureConfig("image", GRAY_96), wrong)


def test_the_nano_s_camera_is_read_a_picture_at_a_time(programs: dict[str, Path]) -> None:
    answers = told(programs["ov767x"], "shoot 1", "read 8", "start 48000 1", "read 9000", "shoot 7",
                   "read 9000", "read 9000", "stop", "read 8")  # fmt: skip
    last = (1 + 2 * 8999) % 256, (2 + 2 * 8999) % 256
    assert answers == [
        "0: 0000 0000", "begin 4 4 5 1", "0", f"9000: 0201 {last[1]:02x}{last[0]:02x}",
        answers[4], "9000: 0807 " + f"{(8 + 2 * 8999) % 256:02x}{(7 + 2 * 8999) % 256:02x}",
        "end", "0: 0000 0000",
    ]  # fmt: skip
    assert answers[4].startswith("600: ")


def test_the_spresense_s_camera_keeps_the_newest_picture(programs: dict[str, Path]) -> None:
    answers = told(
        programs["spresense_camera"], "start 46080 1", "read 8", "shoot -1", "read 8", "shoot 1",
        "shoot 2", "read 4", "shoot 9", "read 9300", "read 8", "shoot 5", "read 1", "stop",
        "shoot 3", "read 8",
    )  # fmt: skip
    assert answers[:5] == ["begin 1 1 320x240", "0", "0: 0000 0000", "0: 0000 0000",
                           "cut 64 24 192x192"]  # fmt: skip
    assert answers[5:7] == ["cut 64 24 192x192", "4: 0302 0908"]
    assert answers[7].startswith("9212: 0b0a ")  # of the same picture: 9 came while it was read
    assert answers[8:] == ["0: 0000 0000", "cut 64 24 192x192", "1: 0605 0605", "end",
                           "0: 0000 0000"]  # fmt: skip


def test_a_camera_that_is_faster_than_wanted_passes_pictures_over(
    programs: dict[str, Path],
) -> None:
    shots = [f"shoot {number}" for number in range(1, 11)]
    answers = told(programs["spresense_camera"], "start 9216 1", *shots[:4], "read 1", *shots[4:9],
                   "read 1")  # fmt: skip
    assert answers == ["begin 1 1 320x240", "0", "0: 0000 0000", "cut 64 24 192x192",
                       "1: 0605 0605"]  # fmt: skip


@pytest.mark.parametrize("name", CAMERAS)
def test_what_it_cannot_do_or_find_is_told_apart(programs: dict[str, Path], name: str) -> None:
    samples = 9600 if name == "ov767x" else 9216
    answers = told(programs[name], f"start {7 * samples} 1", f"start {5 * samples + 1} 1",
                   f"start {5 * samples} 3", "absent", f"start {5 * samples} 1")  # fmt: skip
    assert [one for one in answers if "begin" not in one] == ["-1", "-1", "-1", "-2"]
