"""The audio front end on real speech, beside the two programs that compute the same features.

pymicro-features is TensorFlow's micro-frontend at its fixed stride of 10 ms: equal in every cell.
TFLM's audio preprocessor model is its successor, built of other operators and constants: equal but
for the consequences of two choices in its constants, which the last test undoes.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pymicro_features import MicroFrontend

from tinyml import paths, proc
from tinyml.features import AudioFrontEnd, audio_features
from tinyml.features.audio import to_int8
from tinyml.media import wav
from tinyml.records import FeatureConfig

pytestmark = pytest.mark.needs_data

Samples = npt.NDArray[np.int16]
Int8 = npt.NDArray[np.int8]


def clips(data: Path, every: int) -> list[Samples]:
    """Return one in `every` of the one-word recordings, over all words."""
    files = sorted((data / "kws").glob("[a-z]*/*_nohash_*.wav"))
    return [wav.read(file) for file in files[::every]]


def config(stride_ms: int) -> FeatureConfig:
    return FeatureConfig("audio", {"stride_ms": stride_ms})


def test_equal_to_pymicro_features_in_every_cell(data: Path) -> None:
    recordings = clips(data, 4)
    assert len(recordings) >= 300
    for samples in recordings:
        front_end, frames, at = MicroFrontend(), [], 0
        while at + 160 <= len(samples):
            output = front_end.process_samples(samples[at : at + 160].tobytes())
            at += output.samples_read
            frames += [output.features] if output.features else []
        expected = np.round(np.array(frames) * 25.6)
        assert np.array_equal(AudioFrontEnd(config(10)).push_raw(samples), expected)


@pytest.fixture(scope="module")
def preprocessor(data: Path) -> Callable[[Samples, int], Int8]:
    """TFLM's preprocessor model as a function of (samples, stride in samples)."""
    from tflite_micro import runtime

    model = (data / "models" / "tflm" / "audio_preprocessor_int8.tflite").read_bytes()
    interpreter = runtime.Interpreter.from_bytes(model)

    def run(samples: Samples, stride: int) -> Int8:
        interpreter.reset()
        frames = []
        for start in range(0, len(samples) - 479, stride):
            interpreter.set_input(samples[None, start : start + 480], 0)
            interpreter.invoke()
            frames.append(interpreter.get_output(0).reshape(40))
        return np.array(frames)

    return run


@pytest.mark.parametrize("stride_ms", [10, 20])
def test_differs_from_the_preprocessor_model_in_under_one_percent(
    data: Path, preprocessor: Callable[[Samples, int], Int8], stride_ms: int
) -> None:
    cells = different = 0
    for samples in clips(data, 50):
        expected = preprocessor(samples, 16 * stride_ms)
        different += np.count_nonzero(audio_features(samples, config(stride_ms)) != expected)
        cells += expected.size
    assert cells > 60000
    assert 0 < different < 0.01 * cells


@pytest.mark.needs_cc
def test_with_its_two_choices_we_equal_the_preprocessor_model(
    data: Path, preprocessor: Callable[[Samples, int], Int8], tmp_path: Path
) -> None:
    features = paths.shared("features")
    tables = (features / "audio_tables.c").read_text()
    code = (features / "audio.c").read_text()
    # 1. It computes the window in double precision, where one coefficient rounds to 53, not to 54.
    tables, window = re.subn(r"(tml_audio_window\[480\] = \{[^}]*48, )54", r"\g<1>53", tables)
    # 2. It cuts the filterbank's weights off, for both neighbouring channels: their sum is 4095.
    tables, weights = re.subn(r"(?<=tml_audio_weights\[236\] = \{)[^}]*", cut_off_weights(), tables)
    code, rest = re.subn(r"4096u - \*weight", "4095u - *weight", code)
    assert (window, weights, rest) == (1, 1, 1)
    (tmp_path / "audio_tables.c").write_text(tables)
    (tmp_path / "audio.c").write_text(code)
    library = tmp_path / "variant.so"
    sources = [tmp_path / "audio_tables.c", tmp_path / "audio.c", features / "audio_fft.c"]
    proc.run(["cc", "-std=c99", "-O2", "-fPIC", "-shared", "-I", features, *sources, "-o", library])
    variant = ctypes.CDLL(str(library))
    for samples in clips(data, 100):
        assert np.array_equal(run_variant(variant, samples), preprocessor(samples, 320))


def cut_off_weights() -> str:
    """Return the weights as TFLM's filter_bank_ops.py has them: the elements of an array."""
    from runpy import run_path

    script = run_path(str(Path(__file__).parents[2] / "scripts" / "make_audio_tables"))
    mel = np.array([1127 * np.log1p(31.25 * k / 700) for k in range(5, 241)])
    low, high = (1127 * np.log1p(hertz / 700) for hertz in (125, 7500))
    bands, _ = script["filterbank"]()
    centres = np.repeat(low + (high - low) / 41 * np.arange(1, 42), bands)
    return ", ".join(str(int(4096 * max(w, 0))) for w in (centres - mel) / ((high - low) / 41))


def run_variant(library: ctypes.CDLL, samples: Samples) -> Int8:
    state = ctypes.create_string_buffer(4096)
    assert library.tml_audio_init(state, 320) == 0
    pointer = ctypes.POINTER(ctypes.c_int16)
    following = samples.ctypes.data_as(pointer)
    left = ctypes.c_uint32(len(samples))
    library.tml_audio_push.restype = ctypes.c_bool
    frames = []
    while library.tml_audio_push(state, ctypes.byref(following), ctypes.byref(left)):
        frames.append(np.frombuffer(state.raw[:80], np.uint16))  # `frame` is the first field
    return to_int8(np.array(frames))
