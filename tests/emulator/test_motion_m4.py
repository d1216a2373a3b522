"""The motion front end's Cortex-M4 code: the same rows as on the host, at next to no cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_audio_m4 import CORE, FOLDER, QEMU

from tinyml import paths, proc
from tinyml.features import MotionFrontEnd
from tinyml.records import FeatureConfig

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu]

PARAMS = {"sample_rate_hz": 119, "stride_ms": 40, "gravity_ms": 2000, "range_mg": 4000}
INSTRUCTIONS_PER_STRIDE = 64_000_000 // 25  # at 64 MHz and a stride of 40 ms


def signals() -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    rng = np.random.default_rng(1)
    time = np.arange(1000)[:, np.newaxis]
    parts = [
        rng.integers(-32768, 32768, (1000, 3)),
        np.repeat(rng.choice([-32768, 32767], (20, 3)), 50, axis=0),
        rng.integers(-3, 4, (1000, 3)),
        3000 * np.sin(time**2 * [1e-4, 2e-4, 3e-4]),
    ]
    return np.concatenate(parts).astype(np.int16)


@pytest.mark.parametrize("optimisation", ["-O2", "-Os"])
@pytest.mark.parametrize("upright", [{}, {"upright": 1}], ids=["as mounted", "upright"])
def test_equals_the_host_at_a_thousandth_of_the_time_there_is(
    tmp_path: Path, optimisation: str, upright: dict[str, int]
) -> None:
    params = PARAMS | upright
    (tmp_path / "samples").write_bytes(signals().tobytes())
    settings = [f"#define TML_FEATURE_{name.upper()} {value}\n" for name, value in params.items()]
    (tmp_path / "tml_config.h").write_text("".join(settings))
    features, templates = paths.shared("features"), paths.shared("firmware_templates")
    program = tmp_path / "front_end.elf"
    proc.run(
        ["arm-none-eabi-gcc", "-std=gnu99", "-Wall", "-Wextra", "-Werror", *CORE, optimisation,
         "-nostdlib", "-T", FOLDER / "link.ld", '-DSAMPLES="\\"samples\\""', "-I", tmp_path,
         "-I", features, "-I", templates / "common", FOLDER / "motion.c", features / "motion.c",
         *(templates / "front_ends" / "motion").glob("*.c"), "-lgcc", "-o", program],
        cwd=tmp_path,
    )  # fmt: skip
    lines = proc.run([*QEMU, "-kernel", program], timeout_s=60).output.splitlines()
    words = np.array([[int(word, 16) for word in line.split()] for line in lines])
    rows = MotionFrontEnd(FeatureConfig("motion", params)).push(signals())
    assert np.array_equal(words[:, :3].astype(np.uint8).view(np.int8), rows)
    assert words[:, 3].max() < INSTRUCTIONS_PER_STRIDE / 1000
