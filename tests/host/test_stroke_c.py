"""The C of the stroke front end under ASan and UBSan, on whatever samples may come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import paths, proc
from tinyml.datasets import wand_strokes
from tinyml.features import StrokeFrontEnd
from tinyml.records import FeatureConfig

pytestmark = pytest.mark.needs_cc

NAMES = (
    "sample_rate_hz", "rest_ms", "still_mg", "still_ddps", "least_ddeg", "longest_ms", "axis",
)  # fmt: skip
USUAL = (100, 350, 150, 150, 100, 6000, 1)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, features = tmp_path_factory.mktemp("stroke"), paths.shared("features")
    sources = [*features.glob("stroke*.c"), Path(__file__).with_name("stroke_stream.c")]
    checks = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g"]
    program = folder / "stroke_stream"
    proc.run(["cc", *checks, *sanitizers, "-I", features, *sources, "-o", program])
    return program


def signals() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    drawn = [wand_strokes.felt(wand_strokes.drawn(one, 5, 2), 2) for one in "38"]
    pulses = np.zeros((40000, 6))
    pulses[:, 2] = 1000
    pulses[rng.random(40000) < 0.02] = rng.integers(-32768, 32768, 6)
    return {
        "strokes": np.concatenate(drawn),
        "noise": rng.integers(-32768, 32768, (20000, 6)),
        "two levels": np.repeat(rng.choice([-32768, 32767], (400, 6)), 50, axis=0),
        "highest": np.full((5000, 6), 32767),
        "pulses": pulses,
    }


@pytest.mark.parametrize("kind", ["strokes", "noise", "two levels", "highest", "pulses"])
@pytest.mark.parametrize(
    "settings",
    [USUAL, (25, 200, 10000, 10000, 1, 20000, -2), (1000, 4, 10000, 10000, 1, 5, 3)],
)
def test_no_input_is_undefined(
    program: Path, tmp_path: Path, kind: str, settings: tuple[int, ...]
) -> None:
    samples = signals()[kind].astype(np.int16)
    (tmp_path / "samples").write_bytes(samples.tobytes())
    proc.run([program, *map(str, settings), tmp_path / "samples", tmp_path / "rows"])
    rows = np.fromfile(tmp_path / "rows", np.int8).reshape(-1, 3072)
    front_end = StrokeFrontEnd(FeatureConfig("stroke", dict(zip(NAMES, settings, strict=True))))
    assert np.array_equal(rows, front_end.push(samples))
    if kind == "strokes" and settings == USUAL:
        assert len(rows) == 2
