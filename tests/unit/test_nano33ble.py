"""The known hazards of the Nano 33 BLE: each is dealt with in what a project has in it."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tinyml import runtimes
from tinyml.firmware import boards, plan, render, sensors
from tinyml.model import bundle
from tinyml.records import FeatureConfig

BOARDS = ("nano33ble", "nano33ble_rev2")
MODEL = next(iter(sorted((Path(__file__).parents[1] / "golden" / "conv_2d").glob("*.tflite"))))


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def project(board: str, runtime: str = "tflm", model: str = str(MODEL)) -> dict[str, bytes]:
    loaded = bundle.load(model)
    return render.render(
        plan.of_source(
            loaded, boards.load(board), runtimes.load(runtime).generate(loaded, boards.load(board))
        )
    )


def options(files: Mapping[str, bytes], board: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=("#", ";"))
    parser.read_string(files["platformio.ini"].decode())
    return parser[f"env:{board}"]


def test_the_flag_that_makes_floats_slow_is_taken_out_again(board: str) -> None:
    assert options(project(board), board)["build_unflags"].split() == ["-mfloat-abi=soft"]


def test_what_changes_tflm_s_structures_is_defined_for_every_file(board: str) -> None:
    found = options(project(board), board)
    assert "-DTF_LITE_STATIC_MEMORY" in found["build_flags"].split()
    assert "TF_LITE" not in found["build_src_flags"]


def test_the_core_s_own_language_standard_is_kept(board: str) -> None:
    assert "-std=" not in project(board)["platformio.ini"].decode()


def test_all_that_is_downloaded_is_pinned(board: str) -> None:
    found = options(project(board), board)
    packages = [found["platform"], *found["platform_packages"].split()]
    assert all(re.fullmatch(r"[\w/-]+@\d+\.\d+\.\d+", package) for package in packages), packages
    for library in found["lib_deps"].split():
        assert re.search(r"#[0-9a-f]{40}$|@\d+\.\d+\.\d+$", library), library


def test_large_downloads_happen_once_and_foreign_warnings_stop_nobody(board: str) -> None:
    ini = project(board)["platformio.ini"].decode()
    assert "core_dir" not in ini
    assert "-Werror" not in ini


def test_arduino_s_macros_never_meet_tflm(board: str) -> None:
    for name, contents in project(board, model="keyword_spotting").items():
        includes = re.findall(rb'#include [<"](.+?)[>"]', contents)
        assert not (b"Arduino.h" in includes and any(b"tensorflow" in i for i in includes)), name


def test_nothing_waits_for_a_host(board: str) -> None:
    for name, contents in project(board, "compiled", "keyword_spotting").items():
        assert not re.search(rb"while \(!\s*Serial", contents), name


def test_a_project_has_the_library_of_one_sensor_only(board: str) -> None:
    files = project(board, "compiled", "keyword_spotting")
    includes = re.findall(rb"#include [<\"](.+?)[>\"]", b"".join(files.values()))
    assert b"PDM.h" in includes
    assert not [name for name in includes if re.match(rb"Arduino_", name)]
    assert "lib_deps" not in options(files, board)


@pytest.mark.parametrize(("front_end", "driver"), [("audio", "pdm"), ("motion", "imu")])
def test_the_board_has_senses_of_its_own(board: str, front_end: str, driver: str) -> None:
    assert [s.name for s in sensors.drivers(boards.load(board), front_end)] == [driver]


@pytest.mark.parametrize(
    ("name", "library"), [("nano33ble", "LSM9DS1"), ("nano33ble_rev2", "BMI270_BMM150")]
)
def test_each_revision_has_the_library_of_its_own_accelerometer(name: str, library: str) -> None:
    words = bundle.load("keyword_spotting")
    motion = FeatureConfig("motion", {"sample_rate_hz": 100, "stride_ms": 40, "gravity_ms": 1000,
                                      "range_mg": 2000})  # fmt: skip
    gestures = replace(words, features=motion)
    board = boards.load(name)
    source = runtimes.load("compiled").generate(words, board)
    files = render.render(plan.of_source(gestures, board, source))
    imu = files["src/sensor/tml_imu.cpp"].decode()
    assert re.findall(r"#include <(Arduino_\w+)\.h>", imu) == [f"Arduino_{library}"]
    found = options(files, name)
    assert found["lib_deps"] == "${this.custom_imu_library}"
    pattern = rf".*/Arduino_{library}\.git#[0-9a-f]{{40}}"
    assert re.fullmatch(pattern, found["custom_imu_library"])
