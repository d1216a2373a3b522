"""How a microphone may hear a clip: variations of recordings, as int16 samples in and out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
Sound = npt.NDArray[np.float32]
RATE_HZ = 16000
_FAINT = 40.0  # RMS of 32,768 below which nothing is speech
_SHORTEST, _BEFORE, _AFTER = 5, 10, 15  # frames of 10 ms: of a word, and kept around it
_QUIET_LEVEL = 4.0  # RMS below which a background counts as digital silence


class Mixer:
    """Draws sounds around a spoken clip; equal generators and sounds give equal results."""

    def __init__(self, draw: np.random.Generator, backgrounds: Sequence[Samples]) -> None:
        self._draw = draw
        self._backgrounds = backgrounds

    def background(self, length: int) -> Sound:
        """Return `length` samples of noise: recorded, made, or a mixture, RMS 1."""
        draw = self._draw
        sound = np.zeros(length, np.float32)
        if self._backgrounds and draw.random() < 0.65:
            sound += _unit(self._excerpt(length))
        if not sound.any() or draw.random() < 0.3:
            sound += float(draw.uniform(0.3, 1.0)) * self._made_noise(length)
        return _unit(sound)

    def _excerpt(self, length: int) -> Sound:
        source = self._backgrounds[int(self._draw.integers(len(self._backgrounds)))]
        start = int(self._draw.integers(max(1, len(source) - length + 1)))
        return np.resize(source[start : start + length], length).astype(np.float32)

    def _made_noise(self, length: int) -> Sound:
        """Noise of any colour, sometimes with a hum or a few knocks in it."""
        draw = self._draw
        bins = length // 2 + 1
        spectrum = draw.standard_normal(2 * bins).view(np.complex128)
        spectrum *= np.maximum(np.arange(bins), 40.0) ** -float(draw.uniform(-0.3, 1.5))
        sound = _unit(np.fft.irfft(spectrum, length).astype(np.float32))
        kind = draw.random()
        time = np.arange(length, dtype=np.float32) / RATE_HZ
        if kind < 0.15:
            for harmonic in range(1, int(draw.integers(2, 6))):
                pitch = harmonic * float(draw.uniform(50, 400))
                level = float(draw.uniform(0.2, 1.5))
                sound += level * np.sin(2 * np.pi * pitch * time).astype(np.float32)
        elif kind < 0.4:
            for _ in range(int(draw.integers(1, 5))):
                knock = np.maximum(time - time[int(draw.integers(length))], 0.0)
                decay = np.exp(-knock * float(draw.uniform(20, 300))) * (knock > 0)
                sound += float(draw.uniform(2, 12)) * sound * decay
        return sound

    def room(self, speech: Sound) -> Sound:
        """Return `speech` through another microphone and room: an equaliser and an echo."""
        draw = self._draw
        size = 1 << (len(speech) + RATE_HZ // 4).bit_length()
        spectrum = np.fft.rfft(speech, size)
        pitch = np.linspace(0, RATE_HZ / 2, len(spectrum))
        bands = np.array([0, 200, 500, 1000, 2000, 4000, 8000], np.float64)
        decibels = np.interp(pitch, bands, draw.normal(0, 3.0, len(bands)))
        spectrum *= 10 ** (decibels / 20)
        if draw.random() < 0.4:
            time = np.arange(RATE_HZ // 4) / RATE_HZ
            echo = draw.standard_normal(len(time)) * np.exp(-time / float(draw.uniform(0.01, 0.06)))
            echo *= float(draw.uniform(0.05, 0.5)) / np.sqrt(np.sum(echo**2))
            echo[0] = 1.0
            spectrum *= np.fft.rfft(echo, size)
        reverberant: Sound = np.fft.irfft(spectrum, size)[: len(speech)].astype(np.float32)
        return reverberant

    def speed(self, speech: Sound) -> Sound:
        """Return `speech` slower or faster, with its pitch: about +-20 % in length."""
        factor = float(np.exp(self._draw.normal(0, 0.09)))
        at = np.arange(0, len(speech) - 1, factor)
        faster: Sound = np.interp(at, np.arange(len(speech)), speech).astype(np.float32)
        return faster


def level(sound: Sound | Samples) -> float:
    """Return the RMS of the loudest quarter of a second, roughly how loud the speech in it is."""
    power = np.cumsum(np.concatenate(([0.0], sound.astype(np.float64) ** 2)))
    width = min(RATE_HZ // 4, len(sound))
    return float(np.sqrt(np.max(power[width:] - power[:-width]) / max(1, width)))


def loudness(samples: Samples) -> float:
    """Return `level` on the scale of ears: 0 at -60 dB of full scale or less, 1 at full scale."""
    decibels = 20 * np.log10(max(level(samples), 1.0) / 32768)
    return float(np.clip(1 + decibels / 60, 0.0, 1.0))


def spoken(samples: Samples, rate_hz: int) -> tuple[int, int] | None:
    """Return from where to where a word is heard, and at least a second where there is one.

    A word is what is 12 dB above the quietest fifth of the recording; sounds shorter than 50 ms,
    such as a key, are none. None where there is no word.
    """
    step = rate_hz // 100
    count = len(samples) // step
    if count == 0:
        return None
    frames = samples[: count * step].astype(np.float64).reshape(count, step)
    powers = np.sqrt(np.mean((frames - frames.mean()) ** 2, axis=1))
    loud = np.flatnonzero(powers > max(4 * float(np.quantile(powers, 0.2)), _FAINT))
    if len(loud) < _SHORTEST:
        return None
    start = max(0, (int(loud[0]) - _BEFORE) * step)
    end = min(len(samples), (int(loud[-1]) + 1 + _AFTER) * step)
    missing = max(0, rate_hz - (end - start))
    start = max(0, min(start - missing // 2, len(samples) - rate_hz))
    return start, min(len(samples), max(end, start + rate_hz))


def most_spoken(samples: Samples, length: int) -> int:
    """Return from where on `length` samples of a longer recording hold most of what is spoken.

    That is energy above twice that of the quietest fifth. Of the windows that hold it nearly alike
    the one is taken in whose middle most of it lies.
    """
    step = RATE_HZ // 100
    width, count = length // step, len(samples) // step
    if count <= width:
        return (len(samples) - length) // 2
    power = (samples[: count * step].astype(np.float64) ** 2).reshape(count, step).mean(axis=1)
    above = np.maximum(power - 2 * np.quantile(power, 0.2), 0.0)
    energy = np.concatenate(([0.0], np.cumsum(above)))
    held = energy[width:] - energy[:-width]
    first = int(held.argmax())
    inside = above[first : first + width]
    middle = first + float(np.average(np.arange(width), weights=inside)) if inside.any() else first
    alike = np.flatnonzero(held >= 0.99 * held[first])
    return int(alike[np.abs(alike + width / 2 - middle).argmin()]) * step


def heard_share(speech: Sound, start: int, end: int) -> float:
    """Return which share of the energy of `speech` above its noise lies in start..end."""
    power = speech.astype(np.float64) ** 2
    frames = power[: len(power) // 160 * 160].reshape(-1, 160).mean(axis=1)
    above = np.maximum(frames - 2 * np.quantile(frames, 0.2), 0.0)
    total = above.sum()
    inside = above[max(0, start) // 160 : max(0, end) // 160].sum()
    return float(inside / total) if total > 0 else 1.0


def to_int16(sound: Sound) -> Samples:
    """Return `sound` as samples, clipped like a converter clips."""
    samples: Samples = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    return samples


def _unit(sound: Sound) -> Sound:
    rms = float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))
    return sound / rms if rms > _QUIET_LEVEL * 1e-3 else sound
