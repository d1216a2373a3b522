"""Inputs from files: what is taken, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml.datasets import wand_strokes
from tinyml.errors import DataError
from tinyml.media import motion_csv, photo, wav
from tinyml.model import vectors
from tinyml.records import Bundle, FeatureConfig, TensorInfo
from tinyml.tasks import stroke

PARAMS = {"sample_rate_hz": 16000, "window_ms": 30, "stride_ms": 20, "channels": 40, "frames": 49}
BARE = Bundle("m", b"", "", Path("m.tflite"))
KEYWORD = Bundle("k", b"", "", Path("k"), features=FeatureConfig("audio", PARAMS))
ONE = [TensorInfo("x", "int8", (1, 4), 0.5, -1)]
TWO = [TensorInfo("a", "int8", (1, 2)), TensorInfo("b", "float32", (1, 3))]
SPEECH = [TensorInfo("features", "int8", (1, 49, 40, 1), 0.1, 0)]


def test_npy_with_and_without_a_leading_axis(tmp_path: Path) -> None:
    stack = np.arange(12, dtype=np.int8).reshape(3, 1, 4)
    np.save(tmp_path / "three.npy", stack)
    np.save(tmp_path / "one.npy", stack[1])
    three = vectors.load(tmp_path / "three.npy", BARE, ONE)
    assert [vector.name for vector in three] == ["three.npy[0]", "three.npy[1]", "three.npy[2]"]
    assert np.array_equal(three[2].arrays[0], stack[2])
    (one,) = vectors.load(tmp_path / "one.npy", BARE, ONE)
    assert np.array_equal(one.arrays[0], stack[1])


def test_npz_has_one_array_per_input(tmp_path: Path) -> None:
    a, b = np.ones((5, 1, 2), np.int8), np.ones((5, 1, 3), np.float32)
    np.savez(tmp_path / "v.npz", in0=a, in1=b, out0=b)
    loaded = vectors.load(tmp_path / "v.npz", BARE, TWO)
    assert [[array.shape for array in vector.arrays] for vector in loaded] == [[(1, 2), (1, 3)]] * 5


def test_bin_files_hold_all_inputs_in_order(tmp_path: Path) -> None:
    a, b = np.array([[1, -2]], np.int8), np.array([[0.5, 1, 2]], np.float32)
    (tmp_path / "v.bin").write_bytes(a.tobytes() + b.tobytes())
    (vector,) = vectors.load(tmp_path, BARE, TWO)
    assert vector.name == "v.bin"
    assert np.array_equal(vector.arrays[0], a)
    assert np.array_equal(vector.arrays[1], b)


def test_recordings_become_one_window_each(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(-3000, 3000, 40000, np.int16)
    for name, length in (("long", 40000), ("exact", 15840), ("short", 8000)):
        wav.write(tmp_path / f"{name}.wav", noise[:length])
    loaded = {vector.name: vector for vector in vectors.load(tmp_path, KEYWORD, SPEECH)}
    assert all(vector.arrays[0].shape == (1, 49, 40, 1) for vector in loaded.values())
    same = [loaded[f"{name}.wav"].arrays[0] for name in ("long", "exact")]
    assert np.array_equal(*same)
    assert not np.array_equal(same[0], loaded["short.wav"].arrays[0])


def test_recordings_of_motion_are_followed_by_rest(tmp_path: Path) -> None:
    motion = np.random.default_rng(0).integers(-200, 200, (300, 3), np.int16)
    motion[:, 2] += 1000  # gravity
    params = {"sample_rate_hz": 100, "stride_ms": 40, "gravity_ms": 0, "range_mg": 4000}
    bundle = Bundle("g", b"", "", Path("g"), features=FeatureConfig("motion", params))
    for name, length in (("long", 300), ("short", 40)):
        motion_csv.write(tmp_path / f"{name}.csv", motion[:length], 100)
    info = TensorInfo("in", "int8", (1, 64, 3, 1))
    longer, shorter = (one.arrays[0][0, :, :, 0] for one in vectors.load(tmp_path, bundle, [info]))
    assert np.array_equal(longer[:10], shorter[:10])
    assert (shorter[10:] == np.rint(motion[39] * (128 / 4000))).all()


def test_photographs_and_strokes_become_one_picture_each(tmp_path: Path) -> None:
    settings = {"sample_rate_hz": 96, "source_width": 16, "source_height": 12, "format": 1,
                "width": 16, "height": 12, "channels": 1}  # fmt: skip
    seen = Bundle("s", b"", "", Path("s"), features=FeatureConfig("image", settings))
    pixels = np.random.default_rng(1).integers(0, 256, (12, 16), np.uint8)
    photo.write(tmp_path / "b.PNG", pixels)
    (vector,) = vectors.load(tmp_path, seen, [TensorInfo("x", "int8", (1, 12, 16, 1), 1.0, 0)])
    assert vector.name == "b.PNG"
    assert np.array_equal(vector.arrays[0].reshape(12, 16).astype(int) + 128, pixels)
    drawn = Bundle("d", b"", "", Path("d"), features=stroke.FEATURES)
    wanted = [TensorInfo("x", "int8", (1, 32, 32, 3), 1.0, 0)]
    felt = wand_strokes.felt(wand_strokes.drawn("3", 0, 1), 1)
    (tmp_path / "strokes").mkdir()
    motion_csv.write(tmp_path / "strokes" / "3.csv", felt[:-100], 100)  # the pause ends the stroke
    (vector,) = vectors.load(tmp_path / "strokes", drawn, wanted)
    assert (vector.arrays[0] > -128).any()
    motion_csv.write(tmp_path / "strokes" / "3.csv", felt[:90], 100)
    with pytest.raises(DataError, match=r"3\.csv holds nothing that d sees"):
        vectors.load(tmp_path / "strokes", drawn, wanted)


def test_random_vectors_are_seeded_and_reach_the_ends() -> None:
    first, again, other = (vectors.random(TWO, 6, seed) for seed in (1, 1, 2))
    assert [v.name for v in first][:3] == ["lowest", "highest", "random 2"]
    assert all(np.array_equal(a.arrays[1], b.arrays[1]) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[3].arrays[1], other[3].arrays[1])
    assert np.unique(first[0].arrays[0]) == -128
    assert np.unique(first[1].arrays[0]) == 127
    assert [array.dtype.name for array in first[4].arrays] == ["int8", "float32"]


def test_default_is_golden_then_random(tmp_path: Path) -> None:
    bundle = Bundle("b", b"", "", tmp_path)
    assert [v.name for v in vectors.default(bundle, ONE, 2, 0)] == ["lowest", "highest"]
    np.savez(tmp_path / "golden.npz", in0=np.zeros((7, 1, 4), np.int8))
    assert len(vectors.default(bundle, ONE, 2, 0)) == 7


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((1, 4), np.float32), ["int8", "float32", "quantize"]),
        (np.zeros((1, 5), np.int8), ["[1, 4]", "[1, 5]", "reshape"]),
        (np.zeros((0, 1, 4), np.int8), ["0 vectors"]),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, array: np.ndarray, words: list[str]) -> None:
    np.save(tmp_path / "v.npy", array)
    with pytest.raises(DataError) as caught:
        vectors.load(tmp_path / "v.npy", BARE, ONE)
    text = f"{caught.value.message} {caught.value.hint}"
    assert all(word in text for word in [*words, "v.npy"])


@pytest.mark.parametrize("name", ["v.npy", "v.npz"])
@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"\x93NUMPY\x01\x00v\x00{'descr'", b"PK\x03\x04"]
)
def test_damaged_array_files(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="holds no numpy arrays"):
        vectors.load(tmp_path / name, BARE, ONE)


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(DataError, match="holds no numpy arrays"):
        vectors.load(tmp_path / "v.npy", BARE, ONE)


def test_an_npz_without_the_input(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", x=np.zeros((1, 4), np.int8))
    with pytest.raises(DataError, match=r"no array in0 .* \(it has: x\)"):
        vectors.load(tmp_path / "v.npz", BARE, ONE)


@pytest.mark.parametrize("size", [0, 13, 15])
def test_bin_files_of_another_size(tmp_path: Path, size: int) -> None:
    (tmp_path / "v.bin").write_bytes(bytes(size))
    with pytest.raises(DataError, match=rf"v\.bin has {size} bytes, the model's inputs need 14"):
        vectors.load(tmp_path, BARE, TWO)


def test_paths_that_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        vectors.load(tmp_path / "absent", BARE, ONE)
    with pytest.raises(DataError, match=r"no \.bin or \.wav files"):
        vectors.load(tmp_path, KEYWORD, SPEECH)
    (tmp_path / "v.txt").write_text("1 2 3")
    with pytest.raises(DataError, match="not an"):
        vectors.load(tmp_path / "v.txt", BARE, ONE)


def test_recordings_need_a_model_that_listens(tmp_path: Path) -> None:
    wav.write(tmp_path / "v.wav", np.zeros(16000, np.int16))
    with pytest.raises(DataError, match="does not say how recordings become its input"):
        vectors.load(tmp_path, BARE, ONE)
