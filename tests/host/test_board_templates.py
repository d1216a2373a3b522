"""Every board's templates and sensor drivers compile without a warning against stand-in headers.

`tests/stand_ins/<template>` declares what a template uses of its vendor's software, in our words.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tinyml import paths
from tinyml.firmware import boards, plan, render, sensors
from tinyml.model.bundle import load
from tinyml.records import Bundle, CSource, FeatureConfig, StreamConfig, TensorInfo

STAND_INS = Path(__file__).parents[1] / "stand_ins"
CPU = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16"]
# As the vendors compile: optimized, so that the compiler sees what flows where; char without sign.
FLAGS = [*CPU, "-Os", "-funsigned-char", "-Wall", "-Wextra", "-Werror"]
LANGUAGES = {
    ".c": ("arm-none-eabi-gcc", "-std=gnu11"),
    ".cpp": ("arm-none-eabi-g++", "-std=gnu++14", "-fno-exceptions", "-fno-rtti"),
}
FRONT_ENDS = {
    "audio": FeatureConfig("audio", {"sample_rate_hz": 16000, "stride_ms": 20}),
    "motion": FeatureConfig(
        "motion",
        {"sample_rate_hz": 100, "stride_ms": 40, "gravity_ms": 1000, "range_mg": 2000},
    ),
    "stroke": FeatureConfig(
        "stroke",
        {
            "sample_rate_hz": 100,
            "rest_ms": 350,
            "still_mg": 150,
            "still_ddps": 150,
            "least_ddeg": 100,
            "longest_ms": 6000,
            "axis": 1,
        },
    ),
    "image": FeatureConfig(
        "image",
        {
            "sample_rate_hz": 5 * 4608,
            "source_width": 96,
            "source_height": 96,
            "format": 1,
            "width": 96,
            "height": 96,
            "channels": 1,
        },
    ),
}
LABELS = ("a", "b")
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


def bundle(front_end: str) -> Bundle:
    return Bundle("m", b"", "00" * 32, Path("m"), "", LABELS, FRONT_ENDS.get(front_end),
                  StreamConfig(2, 4, 0.75, 1000, (0,)) if front_end else None)  # fmt: skip


def variants() -> list[tuple[str, str, str | None]]:
    """Return (board, front end, sensor) of every firmware that the templates can make."""
    return [
        (name, front_end, sensor)
        for name in boards.names()
        if (STAND_INS / boards.load(name).template).is_dir()
        for front_end, known in [
            ("", [None]),
            *(
                (
                    front_end,
                    ["virtual", *(s.name for s in sensors.drivers(boards.load(name), front_end))],
                )
                for front_end in FRONT_ENDS
            ),
        ]
        for sensor in known
    ]


def test_every_stand_in_says_what_it_stands_in_for() -> None:
    """With the version it was compared with: a declaration that its source lacks does not link."""
    for header in STAND_INS.rglob("*.h"):
        first, *_ = header.read_text().partition("*/")
        assert re.match(r"/\* Source: .*\d+\.\d+", first), header


@pytest.mark.needs_arm_gcc
@pytest.mark.parametrize(("name", "front_end", "sensor"), variants())
def test_a_variant_compiles(name: str, front_end: str, sensor: str | None, tmp_path: Path) -> None:
    board = boards.load(name)
    files = render.render(plan.of_source(bundle(front_end), board, SOURCE, sensor))
    for path, contents in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(contents)
    sources = tmp_path / "src"
    folders = [STAND_INS / board.template, *(f for f in sources.rglob("*") if f.is_dir())]
    for suffix, command in LANGUAGES.items():
        found = sorted(sources.rglob(f"*{suffix}"))
        assert found, suffix
        subprocess.run(
            [*command, *FLAGS, *(f"-I{folder}" for folder in folders), "-c", *found],
            cwd=tmp_path,
            check=True,
        )


@pytest.mark.needs_arm_gcc
@pytest.mark.parametrize(
    ("name", "standard"), [("nano33ble", "-std=gnu++14"), ("spresense", "-std=gnu++11")]
)
def test_a_sketch_compiles_with_nothing_but_its_core_s_headers(
    name: str, standard: str, tmp_path: Path
) -> None:
    """As the Arduino IDE does it: the flags of the board's core, no include folder of ours."""
    board = boards.load(name)
    model = load("keyword_spotting")
    ino = render.generate_sketch(plan.resolve(model, board, "compiled"), tmp_path / "words")
    headers = [f"-I{STAND_INS / board.template}"]
    for suffix, (compiler, *flags) in LANGUAGES.items():
        found = sorted((ino.parent / "src").glob(f"*{suffix}"))
        flags = [standard if flag.startswith("-std=gnu++") else flag for flag in flags]
        subprocess.run([compiler, *flags, *FLAGS, *headers, "-c", *found], cwd=tmp_path, check=True)
    command = [LANGUAGES[".cpp"][0], standard, *FLAGS, "-x", "c++", "-c", str(ino)]
    subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.needs_arm_gcc
@pytest.mark.parametrize("generation", ["2023", "current"])
def test_what_tflm_asks_of_its_target_gives_way_to_a_library_s_own(
    generation: str, tmp_path: Path
) -> None:
    if generation == "current":  # a header that only the current tree has
        header = tmp_path / "tensorflow" / "lite" / "micro" / "micro_interpreter_graph.h"
        header.parent.mkdir(parents=True)
        header.touch()
    source = paths.shared("firmware_templates") / "tflm" / "tml_tflm_log.cpp"
    command = [*LANGUAGES[".cpp"], *FLAGS, f"-I{tmp_path}", "-c", source, "-o", "log.o"]
    subprocess.run(command, cwd=tmp_path, check=True)
    symbols = subprocess.check_output(["arm-none-eabi-nm", "log.o"], cwd=tmp_path, text=True)
    assert " W DebugLog\n" in symbols
    assert " T " not in symbols
