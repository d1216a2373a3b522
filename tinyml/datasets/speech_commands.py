"""Folders of WAV files in the layout of Speech Commands (Warden, arXiv:1804.03209).

One folder per word, files named `<speaker>_nohash_<n>.wav` (any other name does not say who
speaks). `_background_noise_` has long recordings without speech. Optional: `_unknown_` with other
words, named `<word>_<speaker>_nohash_<n>.wav`, and `_silence_` with clips without speech; a clip
that was cut from a background recording belongs to it.

Of Speech Commands itself the words are those of its benchmark, ten of 35: the others are unknown.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml.datasets import (
    RECORDING,
    SILENCE,
    TEST,
    TRAIN,
    UNKNOWN,
    VALIDATION,
    Dataset,
    Recording,
    check,
)
from tinyml.datasets.check import Findings
from tinyml.errors import DataError
from tinyml.media import wav

WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
OTHER_WORDS = (
    "backward", "bed", "bird", "cat", "dog", "eight", "five", "follow", "forward", "four", "happy",
    "house", "learn", "marvin", "nine", "one", "seven", "sheila", "six", "three", "tree", "two",
    "visual", "wow", "zero",
)  # fmt: skip
LICENCE = "Speech Commands, Pete Warden, arXiv:1804.03209: CC BY 4.0"
_BACKGROUND, _SILENCE, _UNKNOWN = "_background_noise_", "_silence_", "_unknown_"
_HINT = "expected a folder per word with 16 kHz mono WAV files, as in Speech Commands"
_FILE = re.compile(r"(^|_)[0-9a-f]{8}_nohash_\d+$")  # how Speech Commands names its files
_SPEAKER = "_nohash_"  # comes after the speaker's name
_FEWEST_OWN = 10  # recordings of a word beside Speech Commands; fewer are something else
_NEARLY_ALL = 27  # of its 35 words; its first version had 30
_LONG_S = 1.5  # a recording of other words that is longer has more of them
_BYTES_A_SECOND = 2 * wav.RATE_HZ  # but for a short header
_DECIMATION = 4
_CORRELATED = 0.3

Samples = npt.NDArray[np.int16]


def read(folder: Path) -> Dataset:
    """Return the recordings under `folder`; every file is opened once.

    Every folder is a word. Only where `folder` is Speech Commands itself, by its lists, its words
    or the twelve labels of its benchmark, are the words those of the ten that have a folder: others
    with files of its names are unknown words, and folders with ten other files or more are words of
    one's own, which `remarks` say.
    Folders without recordings and those whose name starts with `_` or `.` are no words. Unusable
    files are left out and listed in `skipped`. Where the data set's own lists of clips for
    validation and test are there, they are followed. Raises DataError where `folder` is missing or
    unreadable, a word has no usable file, or there are no words.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", _HINT)
    findings = Findings()
    folders = findings.by_label(folder, check.SOUNDS)
    parts = _official(folder)
    labels = {name: name for name in folders}
    if parts or _is_public(folder, set(folders)):
        labels = _benchmark(folder, folders, findings)
    for name, label in labels.items():
        findings.require(
            folder / name,
            (
                _take(findings, file, label, _speaker(file.stem), part=_part(file, parts))
                for file in folders[name]
            ),
        )
    for file in findings.files(folder / _UNKNOWN, check.SOUNDS):
        _take_unknown(findings, file)
    _take_quiet(findings, folder)
    if not set(labels.values()) - {UNKNOWN}:
        here = findings.files(folder, check.SOUNDS)
        hint = f"name the folder that it is in: --data {folder.parent}" if here else _HINT
        raise DataError(f"{folder} has no words", hint)
    recordings = findings.recordings()
    return Dataset(
        folder.resolve().name,
        LICENCE if _is_published(recordings) else check.OWNERS,
        recordings,
        skipped=tuple(findings.skipped),
        remarks=tuple(findings.remarks),
        by=_known_by(recordings),
    )


def _is_public(folder: Path, names: set[str]) -> bool:
    """Whether folders of these `names` are Speech Commands: nearly all of it, or its benchmark."""
    twelve = set(WORDS) <= names and all((folder / name).is_dir() for name in (_UNKNOWN, _SILENCE))
    return twelve or len(names & {*WORDS, *OTHER_WORDS}) >= _NEARLY_ALL


def _benchmark(
    folder: Path, folders: Mapping[str, list[Path]], findings: Findings
) -> dict[str, str]:
    """Return which of the `folders` of Speech Commands has which label in its benchmark."""
    chosen = [name for name in folders if name in WORDS]
    published = [name for name, files in folders.items()
                 if name in chosen or any(_FILE.search(file.stem) for file in files)]  # fmt: skip
    own = []
    for name in sorted(folders.keys() - set(published)):
        if len(folders[name]) >= _FEWEST_OWN:
            own.append(name)
            findings.remarks.append(
                f"{folder / name} is no word of Speech Commands: learned as a word of its own"
            )
        else:
            findings.remarks.append(
                f"{folder / name} is left out: it is no word of Speech Commands, and "
                f"{len(folders[name])} recordings are too few for a word of its own "
                f"({_FEWEST_OWN})"
            )
    others = [name for name in published if name not in chosen] if chosen else []
    if others:
        findings.remarks.append(
            f"{folder.resolve().name} is Speech Commands, whose benchmark has the words "
            f"{', '.join(chosen)}; "
            f"{', '.join(others)} are learned as {UNKNOWN}"
        )
    return {name: UNKNOWN if name in others else name for name in (*published, *own)}


def _is_published(recordings: tuple[Recording, ...]) -> bool:
    """Whether most of the files are named as in Speech Commands, and not by `tinyml capture`."""
    clips = [recording.path for recording in recordings if _FILE.search(recording.path.stem)]
    published = [path for path in clips if not check.notes_file(path).is_file()]
    return len(published) > len(recordings) / 2


def _known_by(recordings: tuple[Recording, ...]) -> str:
    """Return what groups of these recordings have in common: what the names of files say."""
    named_after_speakers = {
        _SPEAKER in recording.path.stem for recording in recordings if recording.label != SILENCE
    }
    if named_after_speakers == {True, False}:
        return f"speaker or {RECORDING}"
    return RECORDING if named_after_speakers == {False} else "speaker"


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
    return {name: part for part, members in named.items() for name in members}


def _part(file: Path, parts: Mapping[str, str]) -> str:
    """Return the only part that a file may be in, where there are lists of `parts`."""
    return parts.get(f"{file.parent.name}/{file.name}", TRAIN) if parts else ""


def _take(
    findings: Findings, file: Path, label: str, group: str, long: bool = False, part: str = ""
) -> bool:
    """Take up one file if it is fit to learn from."""
    try:
        samples, odd = wav.read_noting(file)
    except DataError as error:
        findings.refuse(error)
        return False
    problem, remark = check.sound(samples, rest=label == SILENCE)
    remark = " and ".join(filter(None, (odd, remark)))
    return findings.add(Recording(file, label, group, long, part=part), samples, problem, remark)


def _take_unknown(findings: Findings, file: Path) -> None:
    """Take up other words: a clip as it is, of longer speech every second that is not silent."""
    speaker = _speaker(file.stem, after_word=True)
    if file.stat().st_size < _BYTES_A_SECOND * _LONG_S:
        _take(findings, file, UNKNOWN, speaker)
        return
    try:
        whole = wav.read(file)
    except DataError as error:
        findings.refuse(error)
        return
    windows = len(whole) // wav.RATE_HZ
    taken = 0
    for number in range(1, windows + 1):
        recording = Recording(file, UNKNOWN, speaker, number=number)
        window = _window(whole, number)
        if not check.sound(window)[0]:
            taken += findings.add(recording, window)
    findings.remarks.append(
        f"{file} lasts {len(whole) / wav.RATE_HZ:.1f} s: {taken} of its {windows} seconds are "
        "used, the others are silent"
    )


def samples(recording: Recording) -> Samples:
    """Return the sound of a recording of `read`, int16 [n] at 16 kHz; of longer speech its second.

    Raises DataError where the file can no longer be read.
    """
    if not recording.number:
        return wav.read(recording.path)
    return _window(_whole(recording.path, recording.path.stat().st_mtime_ns), recording.number)


def _window(whole: Samples, number: int) -> Samples:
    return whole[(number - 1) * wav.RATE_HZ : number * wav.RATE_HZ]


@functools.lru_cache(maxsize=4)
def _whole(path: Path, _time: int) -> Samples:
    return wav.read(path)


def name_of(speaker: str) -> str:
    """Return how Speech Commands calls `speaker`: eight hex digits that do not tell who it is."""
    return hashlib.sha256(speaker.encode()).hexdigest()[:8]


def _speaker(stem: str, after_word: bool = False) -> str:
    """Return who speaks in a file, which its name begins with or has after a word, or its name."""
    speaker, separator, _ = stem.partition(_SPEAKER)
    return (speaker.partition("_")[2] or speaker) if separator and after_word else speaker


def _take_quiet(findings: Findings, folder: Path) -> None:
    """Take up background recordings, and silent clips grouped by what they were cut from."""
    files = [
        file
        for file in findings.files(folder / _BACKGROUND, check.SOUNDS)
        if _take(findings, file, SILENCE, file.stem, long=True)
    ]
    spectra = [_Spectrum(file) for file in files]
    for file in findings.files(folder / _SILENCE, check.SOUNDS):
        try:
            clip = wav.read(file)
        except DataError as error:
            findings.refuse(error)
            continue
        origin = next(
            (spectrum.path.stem for spectrum in spectra if spectrum.contains(clip)), file.stem
        )
        problem, remark = check.sound(clip, rest=True)
        findings.add(Recording(file, SILENCE, origin), clip, problem, remark)


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
