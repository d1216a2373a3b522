"""The C of the motion front end under ASan and UBSan, on whatever samples may come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import paths, proc
from tinyml.features import MotionFrontEnd
from tinyml.records import FeatureConfig

pytestmark = pytest.mark.needs_cc

NAMES = ("sample_rate_hz", "stride_ms", "gravity_ms", "range_mg", "upright")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, features = tmp_path_factory.mktemp("motion"), paths.shared("features")
    sources = [features / "motion.c", Path(__file__).with_name("motion_stream.c")]
    checks = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g"]
    program = folder / "motion_stream"
    proc.run(["cc", *checks, *sanitizers, "-I", features, *sources, "-o", program])
    return program


@pytest.mark.parametrize(
    "settings",
    [(100, 40, 2000, 4000, 0), (119, 40, 0, 1, 0), (1, 1000, 1000, 1, 0),
     (10000, 1000, 60000, 32767, 0), (100, 60, 2000, 2000, 1), (119, 40, 40, 1, 1),
     (1, 1000, 60000, 1, 1), (10000, 1000, 60000, 32767, 1)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["noise", "falling", "two levels", "highest", "lowest"])
def test_no_input_is_undefined(
    program: Path, tmp_path: Path, settings: tuple[int, ...], kind: str
) -> None:
    rng = np.random.default_rng(1)
    samples = {
        "noise": rng.integers(-32768, 32768, (40000, 3)),
        "two levels": np.repeat(rng.choice([-32768, 32767], (400, 3)), 100, axis=0),
        "falling": np.resize(rng.integers(-90, 90, (7, 3)), (40000, 3)),
        "highest": np.full((40000, 3), 32767),
        "lowest": np.full((40000, 3), -32768),
    }[kind].astype(np.int16)
    (tmp_path / "samples").write_bytes(samples.tobytes())
    proc.run([program, *map(str, settings), tmp_path / "samples", tmp_path / "rows"])
    rows = np.fromfile(tmp_path / "rows", np.int8).reshape(-1, 3)
    front_end = MotionFrontEnd(FeatureConfig("motion", dict(zip(NAMES, settings, strict=True))))
    assert len(rows) > 0
    assert np.array_equal(rows, front_end.push(samples))
