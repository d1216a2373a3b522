"""The Spresense microphone's 48 -> 16 kHz filter: speech passes, what lies above stays out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tinyml import paths

pytestmark = pytest.mark.needs_cc

SOURCE = "sensors/audio/spresense_microphone/tml_decimate.c"
MAIN = r"""
#include <stdio.h>
#include <stdlib.h>
#include "tml_decimate.h"
int main(int argc, char **argv) {
  static int16_t samples[1 << 17];
  const size_t count = fread(samples, 2, sizeof samples / 2, stdin);
  const size_t piece = (size_t)atoi(argv[argc - 1]);
  tml_decimator_t decimator;
  tml_decimate_start(&decimator);
  for (size_t at = 0; at < count; at += piece) {
    const uint32_t n = (uint32_t)(count - at < piece ? count - at : piece);
    fwrite(samples + at, 2, tml_decimate(&decimator, samples + at, n, samples + at), stdout);
  }
  return 0;
}
"""
RATE_HZ = 48000


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decimate")
    (folder / "main.c").write_text(MAIN)
    source = paths.shared("firmware_templates") / SOURCE
    subprocess.run(
        ["cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror",
         "-fsanitize=undefined,address", "-fno-sanitize-recover", f"-I{source.parent}",
         source, folder / "main.c", "-o", folder / "decimate"],
        check=True,
    )  # fmt: skip
    return folder / "decimate"


def decimate(program: Path, samples: NDArray[Any], piece: int = 768) -> NDArray[np.int16]:
    data = np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes()
    done = subprocess.run([program, str(piece)], input=data, stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, "<i2")


def gain_db(program: Path, hz: float) -> float:
    """Level of what a tone becomes, wherever it ends up."""
    tone = 20000 * np.sin(2 * np.pi * hz / RATE_HZ * np.arange(RATE_HZ))
    heard = decimate(program, tone)[200:].astype(float)
    return float(20 * np.log10(np.sqrt(np.mean(heard**2)) / (20000 / np.sqrt(2)) + 1e-9))


@pytest.mark.parametrize("hz", [50, 1000, 4000, 7000])
def test_speech_passes(program: Path, hz: float) -> None:
    assert abs(gain_db(program, hz)) < 0.1


@pytest.mark.parametrize("hz", [9000, 12000, 15000, 17000, 23000])
def test_what_would_be_folded_into_speech_is_gone(program: Path, hz: float) -> None:
    assert gain_db(program, hz) < -60


def test_frames_of_any_size_give_the_same(program: Path) -> None:
    noise = np.random.default_rng(1).integers(-32768, 32768, 30_000)
    whole = decimate(program, noise, 30_000)
    assert len(whole) == 10_000
    for piece in (1, 2, 384, 768, 1000):
        np.testing.assert_array_equal(decimate(program, noise, piece), whole)


def test_full_scale_is_clipped_not_wrapped(program: Path) -> None:
    square = np.where(np.arange(6000) // 40 % 2, 32767, -32768)
    heard = decimate(program, square).astype(int)[100:]
    assert heard.max() == 32767
    assert heard.min() == -32768
    constant = decimate(program, np.full(3000, -32768))[60:]
    np.testing.assert_allclose(constant, -32768, atol=8)
