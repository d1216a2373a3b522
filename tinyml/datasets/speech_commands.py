"""Folders of WAV files in the layout of Speech Commands (Warden, arXiv:1804.03209).

One folder per word, files named `<speaker>_nohash_<n>.wav` (any other name is a speaker of its
own). `_background_noise_` has long recordings without speech. Optional: `_unknown_` with other
words, named `<word>_<speaker>_nohash_<n>.wav`, and `_silence_` with clips without speech; a clip
that was cut from a background recording belongs to it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml import wav
from tinyml.datasets import SILENCE, TEST, TRAIN, UNKNOWN, VALIDATION, Dataset, Recording, check
from tinyml.datasets.check import Findings
from tinyml.errors import DataError

WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
LICENCE = "Speech Commands, Pete Warden, arXiv:1804.03209: CC BY 4.0"
_BACKGROUND, _SILENCE, _UNKNOWN = "_background_noise_", "_silence_", "_unknown_"
_HINT = "expected a folder per word with 16 kHz mono WAV files, as in Speech Commands"
_FILE = re.compile(r"(^|_)[0-9a-f]{8}_nohash_\d+$")  # how Speech Commands names its files
_DECIMATION = 4
_CORRELATED = 0.3

Samples = npt.NDArray[np.int16]


def read(folder: Path) -> Dataset:
    """Return the recordings under `folder`; every file is opened once.

    The words are the ten of the Speech Commands benchmark that have a folder; other folders whose
    files are named as in Speech Commands are unknown words, and the rest is no speech. Where none
    of the ten has a folder, every folder is a word. Folders without WAV files and those whose name
    starts with `_` or `.` are no words. Unusable files are left out and listed in `skipped`.
    Where the data set's own lists of clips for validation and test are there, they are followed.
    Raises DataError where `folder` is missing or unreadable, a word has no usable file, or there
    are no words.
    """
    folders = _folders(folder)
    chosen = [name for name in folders if name in WORDS]
    if chosen:
        folders = {name: files for name, files in folders.items() if _is_speech(name, files)}
    chosen = chosen or list(folders)
    found = Findings()
    parts = _official(folder)
    for name, files in folders.items():
        label = name if name in chosen else UNKNOWN
        if not sum(_take(found, file, label, _speaker(file.stem), parts=parts) for file in files):
            raise DataError(f"{folder / name} has no usable recording: {found.skipped[-1]}", _HINT)
    for file in _wavs(folder / _UNKNOWN):
        _take(found, file, UNKNOWN, _speaker(file.stem.partition("_")[2]))
    _take_quiet(found, folder)
    if not chosen:
        raise DataError(f"{folder} has no words", _HINT)
    recordings = found.recordings()
    known = sum(bool(_FILE.search(one.path.stem)) for one in recordings) > len(recordings) / 2
    return Dataset(
        folder.resolve().name,
        LICENCE if known else check.OWNERS,
        recordings,
        skipped=tuple(found.skipped),
        remarks=tuple(found.remarks),
    )


def _folders(folder: Path) -> dict[str, list[Path]]:
    """Return word -> its files, for the folders that are words."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", _HINT)
    try:
        names = sorted(one.name for one in folder.iterdir() if one.is_dir())
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}") from error
    words = {name: _wavs(folder / name) for name in names if name[0] not in "_."}
    empty = [name for name in words if not any((folder / name).iterdir())]
    if empty:
        raise DataError(f"{folder / empty[0]} is empty", "put recordings in it, or remove it")
    return {name: files for name, files in words.items() if files}


def _is_speech(name: str, files: Sequence[Path]) -> bool:
    return name in WORDS or any("_nohash_" in file.stem for file in files)


def _wavs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.wav"))


def _official(folder: Path) -> dict[str, str]:
    """Return `<word>/<file>` -> part, as the data set's lists say; none are in both.

    They go by a hash of the speaker, so nobody is in two parts; the clips they do not name train.
    """
    lists = {VALIDATION: folder / "validation_list.txt", TEST: folder / "testing_list.txt"}
    if not all(file.is_file() for file in lists.values()):
        return {}
    try:
        named = {part: file.read_text(encoding="utf-8").split() for part, file in lists.items()}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the lists of {folder} cannot be read: {error}", _HINT) from error
    return {name: part for part, some in named.items() for name in some}


def _take(
    found: Findings,
    file: Path,
    label: str,
    group: str,
    long: bool = False,
    parts: Mapping[str, str] | None = None,
) -> bool:
    """Take up one file if it is fit to learn from; where there are `parts`, it is in one."""
    try:
        samples = wav.read(file)
    except DataError as error:
        found.skip(error.message)
        return False
    # Silence may be as quiet as it likes.
    problem, remark = check.sound(samples) if label != SILENCE else ("", "")
    part = parts.get(f"{file.parent.name}/{file.name}", TRAIN) if parts else ""
    return found.add(Recording(file, label, group, long, part=part), samples, problem, remark)


def name_of(speaker: str) -> str:
    """Return how Speech Commands calls `speaker`: eight hex digits that do not tell who it is."""
    return hashlib.sha256(speaker.encode()).hexdigest()[:8]


def _speaker(stem: str) -> str:
    return stem.split("_nohash_")[0]


def _take_quiet(found: Findings, folder: Path) -> None:
    """Take up background recordings, and silent clips grouped by what they were cut from."""
    files = [
        file
        for file in _wavs(folder / _BACKGROUND)
        if _take(found, file, SILENCE, file.stem, long=True)
    ]
    spectra = [_Spectrum(file) for file in files]
    for file in _wavs(folder / _SILENCE):
        try:
            clip = wav.read(file)
        except DataError as error:
            found.skip(error.message)
            continue
        origin = next((one.path.stem for one in spectra if one.contains(clip)), file.stem)
        found.add(Recording(file, SILENCE, origin), clip)


class _Spectrum:
    """A recording prepared for finding where a clip was cut from it.

    Averages of four samples keep enough of any noise to tell a match (correlation above 0.3 even
    when the grids of four do not meet) from chance (below 0.1 for a second of sound).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        samples = _decimated(wav.read(path))
        self._energy = np.concatenate(([0.0], np.cumsum(samples**2)))
        self._size = 1 << (len(samples) - 1).bit_length()
        self._length = len(samples)
        self._spectrum = np.fft.rfft(samples, self._size)

    def contains(self, clip: Samples) -> bool:
        """Whether `clip`, at any volume, is an excerpt of the recording."""
        part = _decimated(clip)
        if len(part) > self._length or not part.any():
            return False
        products = np.fft.irfft(self._spectrum * np.conj(np.fft.rfft(part, self._size)), self._size)
        windows = self._length - len(part) + 1
        energy = self._energy[len(part) :] - self._energy[:windows]
        scale = np.sqrt(np.maximum(energy, 1.0) * np.sum(part**2))
        return bool(np.max(np.abs(products[:windows]) / scale) > _CORRELATED)


def _decimated(samples: Samples) -> npt.NDArray[np.float64]:
    whole = len(samples) // _DECIMATION * _DECIMATION
    averages: npt.NDArray[np.float64] = (
        samples[:whole].astype(np.float64).reshape(-1, _DECIMATION).mean(axis=1)
    )
    return averages
