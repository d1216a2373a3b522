"""The image front end's Cortex-M4 code: the same pictures as on the host, and what they cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_audio_m4 import CORE, FOLDER, QEMU

from tinyml import paths, proc
from tinyml.features import ImageFrontEnd
from tinyml.features.image import FORMATS
from tinyml.records import FeatureConfig

pytestmark = [pytest.mark.needs_arm_gcc, pytest.mark.needs_qemu]

PICTURES = 2
# Instructions per value, of the source and of the result: at 64 MHz, 160x120 pixels and 96x96
# values five times a second have 450 each.
PER_VALUE = 100


@pytest.mark.parametrize(
    ("kind", "source", "wanted"),
    [
        ("gray", (96, 96), (96, 96, 1)),
        ("gray", (160, 120), (96, 96, 1)),
        ("uyvy", (96, 96), (96, 96, 1)),
        ("yuyv", (40, 30), (32, 32, 3)),
        ("rgb565", (176, 144), (96, 96, 3)),
        ("rgb888", (20, 15), (48, 48, 1)),
    ],
)
def test_equals_the_host(
    tmp_path: Path,
    kind: str,
    source: tuple[int, int],
    wanted: tuple[int, int, int],
) -> None:
    bits = {"gray": 8, "rgb888": 24}.get(kind, 16)
    names = ("source_width", "source_height", "format", "width", "height", "channels")
    params = dict(zip(names, (*source, FORMATS[kind], *wanted), strict=True))
    params["sample_rate_hz"] = -(-source[0] * source[1] * bits // 16)
    samples = np.random.default_rng(1).integers(
        -32768, 32768, PICTURES * params["sample_rate_hz"], np.int16
    )
    (tmp_path / "samples").write_bytes(samples.tobytes())
    settings = [f"#define TML_FEATURE_{name.upper()} {value}\n" for name, value in params.items()]
    (tmp_path / "tml_config.h").write_text("".join(settings))
    features, templates = paths.shared("features"), paths.shared("firmware_templates")
    program = tmp_path / "front_end.elf"
    proc.run(
        ["arm-none-eabi-gcc", "-std=gnu99", "-Wall", "-Wextra", "-Werror", *CORE, "-O2",
         "-nostdlib", "-T", FOLDER / "link.ld", '-DSAMPLES="\\"samples\\""', "-I", tmp_path,
         "-I", features, "-I", templates / "common", FOLDER / "image.c", features / "image.c",
         *(templates / "front_ends" / "image").glob("*.c"), "-lgcc", "-o", program],
        cwd=tmp_path,
    )  # fmt: skip
    lines = proc.run([*QEMU, "-kernel", program], timeout_s=60).output.splitlines()
    pictures = np.array([[int(word, 16) for word in line.split()] for line in lines[1::2]])
    rows = ImageFrontEnd(FeatureConfig("image", params)).push(samples)
    assert np.array_equal(pictures.astype(np.uint8).view(np.int8), rows)
    instructions = max(int(line, 16) for line in lines[::2])
    print(f"{kind} {source} to {wanted}: {instructions:,} instructions a picture")
    values = source[0] * source[1] + wanted[0] * wanted[1] * wanted[2]
    assert instructions < PER_VALUE * values
