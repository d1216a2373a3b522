"""The C of the image front end under ASan and UBSan, on whatever samples may come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import paths, proc
from tinyml.features import ImageFrontEnd
from tinyml.records import FeatureConfig

pytestmark = pytest.mark.needs_cc

NAMES = ("source_width", "source_height", "format", "width", "height", "channels")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, features = tmp_path_factory.mktemp("image"), paths.shared("features")
    sources = [features / "image.c", Path(__file__).with_name("image_stream.c")]
    checks = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g"]
    program = folder / "image_stream"
    proc.run(["cc", *checks, *sanitizers, "-I", features, *sources, "-o", program])
    return program


@pytest.mark.parametrize(
    "settings",
    [
        (96, 96, 1, 96, 96, 1),
        (160, 121, 1, 96, 96, 1),
        (40, 30, 2, 48, 64, 3),
        (64, 48, 3, 7, 9, 3),
        (64, 48, 4, 96, 96, 1),
        (33, 21, 5, 12, 100, 3),
        (1, 1, 5, 3, 2, 1),
        (4096, 100, 1, 5, 1, 3),
    ],
)
@pytest.mark.parametrize("kind", ["noise", "highest", "lowest"])
def test_no_input_is_undefined(
    program: Path, tmp_path: Path, settings: tuple[int, ...], kind: str
) -> None:
    params = dict(zip(NAMES, settings, strict=True))
    bits = {1: 8, 5: 24}.get(params["format"], 16)
    params["sample_rate_hz"] = -(-settings[0] * settings[1] * bits // 16)
    count = 5 * params["sample_rate_hz"] // 2
    samples = {
        "noise": np.random.default_rng(1).integers(-32768, 32768, count),
        "highest": np.full(count, -1),
        "lowest": np.zeros(count),
    }[kind].astype(np.int16)
    (tmp_path / "samples").write_bytes(samples.tobytes())
    proc.run([program, *map(str, settings), tmp_path / "samples", tmp_path / "pictures"])
    pictures = np.fromfile(tmp_path / "pictures", np.int8)
    expected = ImageFrontEnd(FeatureConfig("image", params)).push(samples)
    assert len(expected) == 2
    assert np.array_equal(pictures, expected.reshape(-1))
