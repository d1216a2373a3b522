"""The Spresense's accelerometer driver against a simulated BMI160."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinyml import paths

pytestmark = pytest.mark.needs_cc

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bmi160") / "driver"
    templates = paths.shared("firmware_templates")
    folders = (
        HERE.parent / "stand_ins" / "spresense",
        templates / "common",
        templates / "sensors" / "motion" / "spresense_bmi160",
    )
    # The stand-ins' time.h is for the cross compiler; Wire.h is the one that is meant here.
    includes = [option for folder in folders for option in ("-iquote", folder)]
    wire = out.parent / "Wire.h"
    wire.write_text((folders[0] / "Wire.h").read_text())
    subprocess.run(
        ["cc", "-x", "c++", "-std=gnu++14", "-fno-exceptions", "-fno-rtti", "-O1", "-Wall",
         "-Wextra", "-Werror", "-fsanitize=undefined,address", "-fno-sanitize-recover=all",
         *includes, f"-I{out.parent}", HERE / "bmi160_main.cpp",
         folders[2] / "tml_accelerometer.cpp", "-o", out],
        check=True,
    )  # fmt: skip
    return out


def told(program: Path, *commands: str) -> list[str]:
    done = subprocess.run(
        [program], input="\n".join(commands), stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(("rate", "code"), [(25, 6), (50, 7), (100, 8), (200, 9), (800, 11)])
def test_rates_of_the_sensor_are_set(program: Path, rate: int, code: int) -> None:
    assert told(program, f"start {rate} 3") == [f"0 2{code:x} 08 40"]


def test_what_it_cannot_do_or_find_is_told_apart(program: Path) -> None:
    answers = told(program, "start 119 3", "start 0 3", "start 100 1", "absent", "start 100 3")
    assert [answer.split()[0] for answer in answers] == ["-1", "-1", "-1", "-2"]


def test_samples_are_milli_g_in_order(program: Path) -> None:
    commands = ["start 100 3", "put 4096 -4096 0", "put 32767 -32768 41", "read 64", "read 64"]
    assert told(program, *commands)[1:] == ["2: 1000 -1000 0 7999 -8000 10", "0:"]


def test_rotation_comes_with_it_where_six_channels_are_asked_for(program: Path) -> None:
    puts = ["turn 164 -1640 32767", "put 4096 0 -4096", "turn 0 0 0", *["put 0 0 4096"] * 2]
    assert told(program, "start 100 6", *puts, "read 64", "read 64", "read 64") == [
        "0 28 08 c0 28 00",
        "2: 1000 0 -1000 100 -1000 19979 0 0 1000 0 0 0",
        "1: 0 0 1000 0 0 0",
        "0:",
    ]
    full = ["start 100 6", "ms 2000", *["put 0 0 4096"] * 200, "read 1", "overruns"]
    assert told(program, *full)[2] == "115"  # the FIFO holds the last 85


def test_no_more_than_asked_for_is_taken(program: Path) -> None:
    puts = [f"put {4096 * n} 0 0" for n in range(7)]
    assert told(program, "start 100 3", *puts, "read 2", "read 64", "read 64")[1:] == [
        "2: 0 0 0 1000 0 0",
        "5: 2000 0 0 3000 0 0 4000 0 0 5000 0 0 6000 0 0",
        "0:",
    ]


def test_what_a_full_fifo_lost_is_counted_by_the_clock(program: Path) -> None:
    puts = [f"put {n} 0 0" for n in range(200)]
    answers = told(program, "start 100 3", "ms 2000", *puts, "read 1", "overruns")
    assert answers[1:] == [f"1: {30 * 125 // 512} 0 0", "30"]  # the FIFO holds the last 170
    assert told(program, "start 100 3", "ms 50", *puts[:5], "read 5", "overruns")[2] == "0"
