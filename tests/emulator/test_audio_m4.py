"""The front end's Cortex-M4 code: the same features as on the host, far faster than real time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import paths, proc
from tinyml.features import AudioFrontEnd
from tinyml.records import FeatureConfig

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu]

FOLDER = Path(__file__).with_name("front_end")
CORE = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
QEMU = ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none",
        "-serial", "none", "-icount", "shift=6,sleep=off",
        "-semihosting-config", "enable=on,target=native"]  # fmt: skip
INSTRUCTIONS_PER_STRIDE = 64_000_000 // 50  # at 64 MHz and a stride of 20 ms


def signals() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    rng = np.random.default_rng(1)
    parts = [
        rng.integers(-32768, 32768, 16000),
        rng.choice([-32768, 32767], 16000),
        rng.choice([-32768, 32767, *[0] * 400], 16000),
        rng.integers(-3, 4, 16000),
        32767 * np.sin(np.arange(16000) ** 2 * 1e-4),
    ]
    return np.concatenate(parts).astype(np.int16)


@pytest.mark.parametrize("optimisation", ["-O2", "-Os"])
def test_equals_the_host_at_a_twentieth_of_the_time_there_is(
    tmp_path: Path, optimisation: str
) -> None:
    (tmp_path / "samples").write_bytes(signals().tobytes())
    features, program = paths.shared("features"), tmp_path / "front_end.elf"
    proc.run(
        ["arm-none-eabi-gcc", "-std=gnu99", "-Wall", "-Wextra", "-Werror", *CORE, optimisation,
         "-nostdlib", "-T", FOLDER / "link.ld", "-I", features, '-DSAMPLES="\\"samples\\""',
         FOLDER / "audio.c", *sorted(features.glob("audio*.c")), "-lgcc", "-o", program],
        cwd=tmp_path,
    )  # fmt: skip
    lines = proc.run([*QEMU, "-kernel", program], timeout_s=60).output.splitlines()
    words = np.array([[int(word, 16) for word in line.split()] for line in lines])
    front_end = AudioFrontEnd(FeatureConfig("audio", {"stride_ms": 20}))
    assert np.array_equal(words[:, :40], front_end.push_raw(signals()))
    assert words[:, 40].max() < INSTRUCTIONS_PER_STRIDE / 20
