"""The C of the front end and the recognizer under ASan and UBSan, on whatever samples may come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml import paths, proc
from tinyml.features import AudioFrontEnd
from tinyml.records import FeatureConfig

pytestmark = pytest.mark.needs_cc


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, features = tmp_path_factory.mktemp("audio"), paths.shared("features")
    sources = [*sorted(features.glob("*.c")), Path(__file__).with_name("audio_stream.c")]
    checks = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g"]
    program = folder / "audio_stream"
    proc.run(["cc", *checks, *sanitizers, "-I", features, *sources, "-o", program])
    return program


@pytest.mark.parametrize("stride_ms", [1, 10, 20, 30])
@pytest.mark.parametrize("kind", ["noise", "two levels", "sparse", "silence"])
def test_no_input_is_undefined(program: Path, tmp_path: Path, stride_ms: int, kind: str) -> None:
    rng = np.random.default_rng(stride_ms)
    samples = {
        "noise": rng.integers(-32768, 32768, 40000),
        "two levels": rng.choice([-32768, 32767], 40000),
        "sparse": rng.choice([-32768, 32767, *[0] * 400], 40000),
        "silence": np.zeros(40000),
    }[kind].astype(np.int16)
    (tmp_path / "samples").write_bytes(samples.tobytes())
    proc.run([program, str(16 * stride_ms), tmp_path / "samples", tmp_path / "frames"])
    frames = np.fromfile(tmp_path / "frames", np.uint16).reshape(-1, 40)
    front_end = AudioFrontEnd(FeatureConfig("audio", {"stride_ms": stride_ms}))
    assert np.array_equal(frames, front_end.push_raw(samples))
