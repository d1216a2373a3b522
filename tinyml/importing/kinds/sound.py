"""Sound of any rate, width and format to 16 kHz mono 16-bit WAV, long recordings cut into clips.

libsndfile reads WAV (24 bit, float, extensible, RF64), FLAC, Ogg, MP3 and AIFF, soxr resamples.
A recording of more than a second and a half is cut: by a label track where there is one, else into
words, which are where there is most energy between pauses. Backgrounds, silence and unknown sounds
stay whole: `train` takes as many windows of them as they hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import extras
from tinyml.errors import DataError, ToolError
from tinyml.importing import Imported, Refusal, Source, Wish
from tinyml.media import wav

SUFFIXES = (
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf",
    ".w64",
)  # fmt: skip
ENDING = ".wav"
_LONG_S = 1.5  # a recording of one word is shorter
_FRAME_S = 0.01
_PAUSE_S = 0.25  # between words; shorter gaps are in one
_SHORTEST_S, _MARGIN_S = 0.06, 0.15
_LEAST_S = 1.0  # of a clip: the second that a model sees
_LOUDER = 4.0  # a word, than the quietest fifth of the recording (12 dB)
_FAINT = 40.0  # RMS of 32,768 below which nothing is speech

Samples = npt.NDArray[np.int16]


def pieces(files: Sequence[Source], wish: Wish) -> Iterator[Imported | Refusal]:
    """Yield the clips in `files`, as WAV, and what cannot be used."""
    for source in files:
        try:
            samples, done = read(source.path)
        except DataError as error:
            yield Refusal(source, error.message.removeprefix(f"{source.path} "), error.hint)
            continue
        yield from _cut(source, samples, done, wish)


def read(path: Path) -> tuple[Samples, list[str]]:
    """Return the sound in a file at 16 kHz, int16 [n], and what was done to it.

    Raises DataError for a file that is no sound, ToolError where soundfile or soxr is missing.
    """
    try:
        import soundfile
        import soxr
    except ImportError as error:
        raise ToolError(
            f"importing sound needs soundfile and soxr ({error})", extras.install("import")
        ) from error
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate_hz, subtype, form = file.samplerate, file.subtype_info, file.format_info
            values: Any = file.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if not len(values):
        raise DataError(f"{path} holds no sound")
    done = []
    if subtype != "Signed 16 bit PCM" or "WAV" not in form:
        done.append(f"{form.partition(' (')[0]}, {subtype}, to 16-bit WAV")
    if values.shape[1] > 1:
        done.append(f"{values.shape[1]} channels to their mean")
    mono = values.mean(axis=1)
    if rate_hz != wav.RATE_HZ:
        done.append(f"{rate_hz:,} Hz to {wav.RATE_HZ:,}")
        mono = soxr.resample(mono, rate_hz, wav.RATE_HZ, quality="HQ")
    peak = float(np.abs(mono).max())
    if not np.isfinite(peak):
        raise DataError(f"{path} has samples that are not finite")
    return np.clip(np.rint(mono * 32768), -32768, 32767).astype(np.int16), done


def _cut(
    source: Source, samples: Samples, done: Sequence[str], wish: Wish
) -> Iterator[Imported | Refusal]:
    seconds = len(samples) / wav.RATE_HZ
    if wish.regions:
        for number, region in enumerate(wish.regions, 1):
            first, last = (round(s * wav.RATE_HZ) for s in (region.start_s, region.end_s))
            clip = samples[first : max(last, first + 1)]
            if not len(clip):
                why = f"label {number} begins at {region.start_s:g} s, it lasts {seconds:.1f} s"
                yield Refusal(source, why)
                continue
            about = f"{region.start_s:.2f} to {region.end_s:.2f} s, by the label track"
            yield _piece(source, clip, (*done, about), region.label, number)
        return
    if wish.whole or seconds <= _LONG_S or source.label.startswith("_"):
        yield _piece(source, samples, tuple(done))
        return
    found = words(samples)
    if not found:
        yield Refusal(source, f"lasts {seconds:.1f} s, and no word was heard in it", "--whole")
        return
    for number, (first, last) in enumerate(found, 1):
        about = f"{first / wav.RATE_HZ:.2f} to {last / wav.RATE_HZ:.2f} s of {seconds:.1f} s"
        yield _piece(source, samples[first:last], (*done, about), "", number)


def _piece(
    source: Source, samples: Samples, done: tuple[str, ...], label: str = "", number: int = 0
) -> Imported:
    return Imported(source, lambda path: wav.write(path, samples), done, label, number)


def words(samples: Samples) -> list[tuple[int, int]]:
    """Return from where to where words are heard in 16 kHz sound, at least a second each.

    A word is at least 60 ms of frames 12 dB louder than the quietest fifth of the recording; pauses
    of a quarter of a second part words. Clips reach into the pauses around them, never into another
    word.
    """
    step = round(_FRAME_S * wav.RATE_HZ)
    count = len(samples) // step
    if not count:
        return []
    frames = samples[: count * step].astype(np.float64).reshape(count, step)
    powers = np.sqrt(np.mean((frames - frames.mean()) ** 2, axis=1))
    loud = np.flatnonzero(powers > max(_LOUDER * float(np.quantile(powers, 0.2)), _FAINT))
    if not len(loud):
        return []
    gaps = np.flatnonzero(np.diff(loud) > _PAUSE_S / _FRAME_S)
    runs = [
        (int(run[0]), int(run[-1]) + 1)
        for run in np.split(loud, gaps + 1)
        if len(run) * _FRAME_S >= _SHORTEST_S
    ]
    margin = round(_MARGIN_S / _FRAME_S)
    least = round(_LEAST_S / _FRAME_S)
    spans = []
    for at, (first, last) in enumerate(runs):
        low = runs[at - 1][1] if at else 0
        high = runs[at + 1][0] if at + 1 < len(runs) else count
        missing = max(0, least - (last - first + 2 * margin))
        start = max(low, first - margin - missing // 2)
        end = min(high, max(last + margin, start + least))
        start = max(low, min(start, end - least))
        spans.append((start * step, end * step))
    return spans
