"""The stroke front end's Cortex-M4 code: the same pictures as on the host, and what they cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_audio_m4 import CORE, FOLDER, QEMU

from tinyml import paths, proc
from tinyml.datasets import wand_strokes
from tinyml.features import StrokeFrontEnd
from tinyml.tasks import stroke

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu]

INSTRUCTIONS_PER_SAMPLE = 64_000_000 // 100  # at 64 MHz and 100 samples a second


def test_equals_the_host_at_a_hundredth_of_the_time_there_is(tmp_path: Path) -> None:
    felt = [wand_strokes.felt(wand_strokes.drawn(one, 8, 1), 1) for one in wand_strokes.DIGITS]
    shaken = np.random.default_rng(1).integers(-32768, 32768, (300, 6)).astype(np.int16)
    samples = np.concatenate([*felt[:5], shaken, *felt[5:]])
    (tmp_path / "samples").write_bytes(samples.tobytes())
    params = stroke.FEATURES.params
    settings = [f"#define TML_FEATURE_{name.upper()} {value}\n" for name, value in params.items()]
    (tmp_path / "tml_config.h").write_text("".join(settings))
    features, templates = paths.shared("features"), paths.shared("firmware_templates")
    program = tmp_path / "front_end.elf"
    proc.run(
        ["arm-none-eabi-gcc", "-std=gnu99", "-Wall", "-Wextra", "-Werror", *CORE, "-O2",
         "-nostdlib", "-T", FOLDER / "link.ld", '-DSAMPLES="\\"samples\\""', "-I", tmp_path,
         "-I", features, "-I", templates / "common", FOLDER / "stroke.c",
         *features.glob("stroke*.c"), *(templates / "front_ends" / "stroke").glob("*.c"),
         "-lgcc", "-o", program],
        cwd=tmp_path,
    )  # fmt: skip
    lines = proc.run([*QEMU, "-kernel", program], timeout_s=60).output.splitlines()
    costs = np.array([[int(word, 16) for word in line.split()] for line in lines[::2]])
    pictures = np.array([[int(word, 16) for word in line.split()] for line in lines[1::2]])
    rows = StrokeFrontEnd(stroke.FEATURES).push(samples)
    assert len(rows) >= 10
    assert np.array_equal(pictures.astype(np.uint8).view(np.int8), rows)
    print(f"{costs[:, 0].max():,} instructions for a picture, {costs[:, 1].max():,} for a sample")
    assert costs[:, 1].max() < INSTRUCTIONS_PER_SAMPLE / 100
    assert costs[:, 0].max() < INSTRUCTIONS_PER_SAMPLE
