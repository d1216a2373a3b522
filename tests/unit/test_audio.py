"""The audio front end: equal to TensorFlow's micro-frontend, however the samples arrive."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymicro_features import MicroFrontend

from tinyml.errors import ConfigError, DataError
from tinyml.features import AudioFrontEnd, audio_features
from tinyml.features.audio import FIXED_PARAMS, to_int8
from tinyml.records import FeatureConfig

Samples = npt.NDArray[np.int16]
ROOT = Path(__file__).parents[2]
TIME = np.arange(16000)


def config(stride_ms: int) -> FeatureConfig:
    return FeatureConfig("audio", {**FIXED_PARAMS, "stride_ms": stride_ms, "frames": 49})


def micro_frontend(samples: Samples) -> npt.NDArray[np.uint16]:
    """Return what pymicro-features makes of `samples`, undoing its division by 25.6."""
    front_end, frames, at = MicroFrontend(), [], 0
    while at + 160 <= len(samples):
        output = front_end.process_samples(samples[at : at + 160].tobytes())
        at += output.samples_read
        frames += [output.features] if output.features else []
    return np.round(np.reshape(frames, (-1, 40)) * 25.6).astype(np.uint16)


def noise(amplitude: int) -> Samples:
    return np.random.default_rng(1).integers(-amplitude, amplitude, 16000).astype(np.int16)


def impulses(value: int) -> Samples:
    samples = np.zeros(16000, np.int16)
    samples[239::777] = value
    return samples


SIGNALS = {
    "silence": np.zeros(16000, np.int16),
    "one quiet sample": impulses(1),
    "the lowest sample": impulses(-32768),
    "lowest level": np.full(16000, -32768, np.int16),
    "highest level": np.full(16000, 32767, np.int16),
    "loud noise": noise(32768),
    "quiet noise": noise(3),
    "noise that starts": np.concatenate([np.zeros(5000, np.int16), noise(20000)[:11000]]),
    "chirp": (32767 * np.sin(TIME**2 * 1e-4)).astype(np.int16),
    **{
        f"square wave of {period} samples": np.where(TIME % period < period // 2, 32767, -32768)
        .astype(np.int16)
        for period in (2, 3, 4, 7, 16, 64, 101)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNALS)
def test_equals_the_micro_frontend_on_extreme_signals(name: str) -> None:
    ours = AudioFrontEnd(config(10)).push_raw(SIGNALS[name])
    assert ours.shape == (98, 40)
    assert np.array_equal(ours, micro_frontend(SIGNALS[name]))


@settings(max_examples=50, deadline=None)
@given(
    stride=st.sampled_from([1, 7, 10, 20, 30]),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
    seed=st.integers(0, 9),
)
def test_how_samples_are_cut_into_pushes_changes_nothing(
    stride: int, cuts: list[int], seed: int
) -> None:
    samples = np.random.default_rng(seed).integers(-9000, 9000, 4000).astype(np.int16)
    whole = AudioFrontEnd(config(stride)).push_raw(samples)
    assert len(whole) == (4000 - 480) // (16 * stride) + 1
    front_end = AudioFrontEnd(config(stride))
    parts = [front_end.push_raw(part) for part in np.split(samples, sorted(cuts))]
    assert np.array_equal(np.concatenate(parts), whole)


def test_frame_n_covers_the_window_at_n_strides() -> None:
    click = np.zeros(16000, np.int16)
    click[6000] = 30000
    loud = AudioFrontEnd(config(20)).push_raw(click).any(axis=1)
    covering = [n for n in range(49) if n * 320 <= 6000 < n * 320 + 480]
    assert np.flatnonzero(loud).tolist() == covering


def test_reset_forgets_samples_and_noise() -> None:
    front_end = AudioFrontEnd(config(20))
    first = front_end.push(noise(9000))
    assert not np.array_equal(front_end.push(noise(9000))[:49], first)
    front_end.reset()
    assert np.array_equal(front_end.push(noise(9000)), first)
    assert np.array_equal(audio_features(noise(9000), config(20)), first)
    assert first.shape == (49, 40)


def test_samples_may_lie_apart_in_memory() -> None:
    pairs = np.stack([noise(9000), noise(5)], axis=1)
    expected = audio_features(noise(9000), config(20))
    assert np.array_equal(audio_features(pairs[:, 0], config(20)), expected)


def test_int8_form_follows_the_rule_of_micro_speech() -> None:
    values = np.arange(65536, dtype=np.uint16)
    values = np.concatenate([values, np.zeros(-len(values) % 40, np.uint16)]).reshape(-1, 40)
    exact = (values.astype(np.int64) * 256 + 333) // 666 - 128
    assert np.array_equal(to_int8(values), np.minimum(exact, 127))


def test_tables_are_what_their_formulas_give() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "make_audio_tables"))
    tables = ROOT / "tinyml" / "features" / "audio_tables.c"
    assert tables.read_text() == script["render"](), "run scripts/make_audio_tables"


@pytest.mark.parametrize(
    "change",
    [{"stride_ms": 0}, {"stride_ms": 31}, {"stride_ms": 12.5}, {"channels": 20}, {"window_ms": 25},
     {"sample_rate_hz": 8000}],
)  # fmt: skip
def test_other_features_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        AudioFrontEnd(FeatureConfig("audio", {**config(20).params, **change}))


def test_other_front_ends_and_samples_are_refused() -> None:
    with pytest.raises(ConfigError, match="motion"):
        AudioFrontEnd(FeatureConfig("motion", {"stride_ms": 20}))
    with pytest.raises(DataError, match="float64"):
        AudioFrontEnd(config(20)).push(np.zeros(480))  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"shape \(480, 2\)"):
        AudioFrontEnd(config(20)).push(np.zeros((480, 2), np.int16))
