"""WAV files: what is read, what is refused and how it is said."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from tinyml.errors import DataError
from tinyml.media import wav

SAMPLES = np.array([0, 1, -1, 32767, -32768, 5], np.int16)


def make(
    path: Path,
    data: bytes = SAMPLES.tobytes(),
    *,
    rate: int = 16000,
    channels: int = 1,
    bits: int = 16,
    tag: int = 1,
    before: bytes = b"",
    after_format: bytes = b"",
    data_size: int | None = None,
) -> Path:
    """Write a WAV file, chunk by chunk, so that each part of it can be wrong."""
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * width, width, bits) + after_format
    chunks = before + b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", len(data) if data_size is None else data_size) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks)
    return path


def test_what_was_written_is_read_by_us_and_by_the_standard_library(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    wav.write(path, SAMPLES)
    assert np.array_equal(wav.read(path), SAMPLES)
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        assert file.readframes(100) == SAMPLES.tobytes()
    assert list(tmp_path.iterdir()) == [path]


def test_odd_chunks_before_the_samples_are_skipped(tmp_path: Path) -> None:
    path = make(tmp_path / "a.wav", before=b"LIST" + struct.pack("<I", 3) + b"abc\0")
    assert np.array_equal(wav.read(path), SAMPLES)


def test_extensible_pcm_is_pcm(tmp_path: Path) -> None:
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    extension = struct.pack("<HHI", 22, 16, 4) + guid
    path = make(tmp_path / "a.wav", tag=0xFFFE, after_format=extension)
    assert np.array_equal(wav.read(path), SAMPLES)


def test_half_a_sample_at_the_end_is_left_out(tmp_path: Path) -> None:
    path = make(tmp_path / "a.wav", SAMPLES.tobytes() + b"\x01")
    assert np.array_equal(wav.read(path), SAMPLES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate": 44100}, "44100 Hz, 1 channel, 16-bit PCM"),
        ({"channels": 2}, "16000 Hz, 2 channels"),
        ({"bits": 8}, "8-bit PCM"),
        ({"tag": 3, "bits": 32}, "32-bit format 3"),
        ({"tag": 0xFFFE, "after_format": b"\0" * 24}, "format 65534"),
        ({"data_size": 1000}, "promises 1000 bytes of samples, 12 are there"),
    ],
)
def test_other_formats_are_refused_with_facts_and_a_command(
    tmp_path: Path, change: dict[str, int], said: str
) -> None:
    path = make(tmp_path / "some clip.wav", **change)  # type: ignore[arg-type]
    with pytest.raises(DataError) as caught:
        wav.read(path)
    assert said in caught.value.message
    assert str(path) in caught.value.message
    to = f"--to '{tmp_path}/some clip_16k' --label {tmp_path.name}"
    assert caught.value.hint == f"tinyml import '{path}' {to}"


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "is empty"),
        (b"ID3\x04 something else", "is not a WAV file"),
        (b"RIFF\x24\0\0\0WAVE", "holds no format"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0", "holds no samples"),
    ],
)
def test_what_is_no_whole_wav_is_refused(tmp_path: Path, contents: bytes, said: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(contents)
    with pytest.raises(DataError, match=said):
        wav.read(path)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "whole.wav")
    whole, cut = path.read_bytes(), tmp_path / "cut.wav"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(DataError):
            wav.read(cut)


def test_no_samples_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no samples"):
        wav.read(make(tmp_path / "a.wav", b""))
    with pytest.raises(DataError, match="No such file"):
        wav.read(tmp_path / "missing.wav")
    with pytest.raises(DataError, match="directory"):
        wav.read(tmp_path)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(DataError, match="cannot be written"):
        wav.write(tmp_path / "a.wav", SAMPLES)
    with pytest.raises(DataError, match="cannot be written"):
        wav.write(tmp_path / "missing" / "a.wav", SAMPLES)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_size_that_was_never_filled_in_means_all_that_follows(tmp_path: Path, size: int) -> None:
    path = make(tmp_path / "a.wav", data_size=size)
    samples, odd = wav.read_noting(path)
    assert np.array_equal(samples, SAMPLES)
    assert odd == f"has 12 bytes of samples, its header says {size}"
    assert wav.read_noting(make(tmp_path / "b.wav"))[1] == ""


@pytest.mark.parametrize(
    ("begins", "said"),
    [
        (b"ID3\x04", "is not a WAV file but MP3"),
        (b"\xff\xfb\x90\x64", "is not a WAV file but MP3"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "is not a WAV file but RF64"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "but a pointer of Git LFS"),
    ],
)
def test_other_files_named_wav_are_told_by_what_they_are(
    tmp_path: Path, begins: bytes, said: str
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(begins + bytes(64))
    with pytest.raises(DataError, match=said) as refused:
        wav.read(path)
    assert ("git lfs pull" in refused.value.hint) == ("LFS" in said)
