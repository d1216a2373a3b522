"""Arrays of strangers: what a header claims is checked before anything is allocated."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tinyml.model import npz


def _npz(**arrays: np.ndarray) -> bytes:  # type: ignore[type-arg]
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _npy(header: bytes, data: bytes = b"") -> bytes:
    padded = header.ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + data


def test_arrays_come_back_as_numpy_wrote_them(tmp_path: Path) -> None:
    first = np.arange(12, dtype=np.int16).reshape(3, 4)
    second = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    path = tmp_path / "some.npz"
    path.write_bytes(_npz(a=first, b=second))
    found = npz.arrays(path)
    np.testing.assert_array_equal(found["a"], first)
    np.testing.assert_array_equal(found["b"], second)
    assert list(npz.arrays(path, names=("b", "c"))) == ["b"]
    assert npz.headers(path)["a"].shape == (3, 4)
    np.save(tmp_path / "one.npy", second)
    np.testing.assert_array_equal(npz.arrays(tmp_path / "one.npy", "it")["it"], second)


def test_a_bomb_is_not_unpacked() -> None:
    """A kilobyte per megabyte of zeros: what is not asked for is not read, the rest is limited."""
    bomb = _npz(small=np.zeros(3, np.int8), huge=np.zeros(5_000_000, np.int8))
    assert len(bomb) < 100_000
    assert npz.arrays(bomb, names=["small"])["small"].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="5,000,000 bytes; at most 999,997 are read"):
        npz.arrays(bomb, most_bytes=1_000_000)


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"damaged", "no numpy arrays"),
        (b"", "no numpy arrays"),
        (_npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,)}"), "at most"),
        (_npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (4,)}", b"123"), "cut off"),
        (_npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-4,)}"), "shape"),
        (_npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"12345678"), "objects"),
        (_npy(b"__import__('os').getpid()"), "header"),
        (b"\x93NUMPY\x09\x00", "version 9"),
        (b"\x93NUMPY", "header"),
    ],
)
def test_what_is_no_array_is_refused_in_words(contents: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        npz.arrays(contents, "it")


def test_a_member_that_claims_more_than_the_archive_holds_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        claim = _npy(b"{'descr': '|i1', 'fortran_order': False, 'shape': (99999,)}", b"12")
        archive.writestr("a.npy", claim)
    with pytest.raises(ValueError, match="99,999 bytes in"):
        npz.headers(file.getvalue())


def test_damage_anywhere_is_an_array_or_a_value_error() -> None:
    draw = np.random.default_rng(5)
    whole = _npz(in0=np.arange(40, dtype=np.int8), out0=np.zeros((2, 3), np.float32))
    for _ in range(400):
        damaged = bytearray(whole)
        for at in draw.integers(0, len(whole), draw.integers(1, 6)):
            damaged[at] = draw.integers(256)
        with contextlib.suppress(ValueError):
            npz.arrays(bytes(damaged[: draw.integers(1, len(whole) + 1)]))
