"""Which models are the benchmark's, and what their firmware gets because of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinyml.errors import ConfigError
from tinyml.firmware import mlperf, plan, render
from tinyml.records import Board, Bundle, Card, CSource, FeatureConfig, StreamConfig, TensorInfo

MODEL = Bundle("m", b"", "00" * 32, Path("m.tflite"))
BOARD = Board("b", "A board", "qemu_m4", "cortex-m4", 983040, 262144, "qemu", "instructions",
              "compiled", {}, Path("b.ini"))  # fmt: skip
AUDIO = FeatureConfig("audio", {})
STREAM = StreamConfig(1, 1, 0.5, 0)


def source(shape: tuple[int, ...], outputs: int, dtype: str = "int8") -> CSource:
    tensors = TensorInfo("in", dtype, shape, 0.5, 0), TensorInfo("out", dtype, (1, outputs), 0.5, 0)
    return CSource("compiled", {}, tensors[:1], tensors[1:], (), (), 0, 0)


@pytest.mark.parametrize(
    ("shape", "outputs", "name", "size"),
    [
        ((1, 49, 10, 1), 12, "kws01", 490),
        ((1, 96, 96, 3), 2, "vww01", 27648),
        ((1, 32, 32, 3), 10, "ic01", 3072),
        ((1, 640), 640, "ad01", 2560),
    ],
)
def test_the_models_of_the_benchmark(
    shape: tuple[int, ...], outputs: int, name: str, size: int
) -> None:
    profile = mlperf.profile_of(MODEL, source(shape, outputs))
    assert profile is not None
    assert (profile.name, profile.bytes) == (name, size)


@pytest.mark.parametrize(
    "made",
    [
        source((1, 49, 10, 1), 11),
        source((1, 490), 12),
        source((1, 49, 10, 1), 12, "float32"),
        replace(source((1, 640), 640), inputs=source((1, 640), 640).inputs * 2),
    ],
)
def test_others_have_none(made: CSource) -> None:
    assert mlperf.profile_of(MODEL, made) is None


def test_a_front_end_of_its_own_or_the_card_rules_it_out() -> None:
    made = source((1, 49, 10, 1), 12)
    assert mlperf.profile_of(replace(MODEL, features=AUDIO), made) is None
    assert mlperf.profile_of(replace(MODEL, card=Card(mlperf=False)), made) is None


def test_a_card_names_one() -> None:
    named = replace(MODEL, card=Card(mlperf="kws01"), features=AUDIO)
    assert mlperf.profile_of(named, source((1, 49, 10, 1), 12)) is mlperf.PROFILES[0]
    with pytest.raises(ConfigError, match="49x10x1 in, 12 int8 values out"):
        mlperf.profile_of(named, source((1, 640), 640))
    with pytest.raises(ConfigError, match="streams"):
        mlperf.profile_of(replace(named, stream=STREAM), source((1, 49, 10, 1), 12))
    with pytest.raises(ConfigError, match="'kws1', which does not exist") as caught:
        mlperf.profile_of(replace(MODEL, card=Card(mlperf="kws1")), source((1, 640), 640))
    assert "kws01" in caught.value.hint


def test_only_firmware_of_such_a_model_has_the_commands() -> None:
    files = render.render(plan.of_source(MODEL, BOARD, source((1, 640), 640)))
    config = files["src/app/tml_config.h"].decode()
    assert '#define TML_MLPERF_MODEL "ad01"' in config
    assert "#define TML_MLPERF_ENCODING TML_FLOAT32" in config
    assert "#define TML_MLPERF_BYTES 2560" in config
    assert "#define TML_MLPERF_RECONSTRUCTS 1" in config
    assert "src/text/tml_mlperf.c" in files
    others = render.render(plan.of_source(MODEL, BOARD, source((1, 641), 640)))
    assert not [name for name in others if name.startswith("src/text/")]
    assert b"TML_MLPERF" not in others["src/app/tml_config.h"]
