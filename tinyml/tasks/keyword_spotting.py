"""Keyword spotting: one second of sound in, scores for silence, other words and each word out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml import names
from tinyml.datasets import (
    SILENCE,
    UNKNOWN,
    Dataset,
    Recording,
    check,
    espeak,
    speech_commands,
)
from tinyml.features import audio_features
from tinyml.media import wav
from tinyml.records import FeatureConfig, StreamConfig
from tinyml.tasks import Capturing, Examples, Features, Task, stacked
from tinyml.tasks._speech import (
    Mixer,
    Samples,
    Sound,
    heard_share,
    level,
    loudness,
    most_spoken,
    spoken,
    to_int16,
)

FRAMES, CHANNELS = 49, 40
SHAPE = (FRAMES, CHANNELS, 1)
CLIP = wav.RATE_HZ  # samples of one second
_BYTES_A_SECOND = 2 * wav.RATE_HZ  # but for a short header
_LONGER_S = 1.2  # what is longer is worth a word: the rest of it is not used
WINDOW = (FRAMES - 1) * 320 + 480  # samples of one input
FEATURES = FeatureConfig(
    "audio",
    {
        "sample_rate_hz": 16000,
        "window_ms": 30,
        "stride_ms": 20,
        "channels": CHANNELS,
        "lower_hz": 125,
        "upper_hz": 7500,
        "frames": FRAMES,
    },
)
_SILENT_PER_LONG = 25  # windows cut from each long recording for measuring
_WHOLE, _FRAGMENT = 0.85, 0.35  # share of a word's energy that is still the word, or no longer


def build_model(labels: int, width: float) -> Any:
    """Return DS-CNN (Zhang et al. 2017, arXiv:1711.07128), smaller in time, as a tf_keras model.

    float32 [n, 49, 40, 1] -> logits [n, labels]; `width` multiplies all channel counts.
    """
    from tf_keras import Model, layers

    def channels(number: int) -> int:
        return max(8, round(number * width / 8) * 8)

    def activated(tensor: Any) -> Any:
        return layers.ReLU()(layers.BatchNormalization(momentum=0.97)(tensor))

    def separable(tensor: Any, filters: int, strides: int = 1) -> Any:
        depthwise = layers.DepthwiseConv2D(3, strides, "same", use_bias=False)
        tensor = activated(depthwise(tensor))
        return activated(layers.Conv2D(filters, 1, use_bias=False)(tensor))

    inputs = layers.Input(SHAPE)
    stem = layers.Conv2D(channels(40), (9, 8), (2, 4), "same", use_bias=False)
    tensor = separable(activated(stem(inputs)), channels(96), 2)
    for _ in range(4):
        tensor = separable(tensor, channels(96))
    tensor = layers.AveragePooling2D(tensor.shape[1:3])(tensor)
    return Model(inputs, layers.Dense(labels)(layers.Flatten()(tensor)))


def examples(recordings: Sequence[Recording], labels: Sequence[str]) -> Examples:
    """Return one example per clip as it is; long recordings count only where no clip is silent."""
    short = [recording for recording in recordings if not recording.long]
    rows = [
        (_features(_clip(speech_commands.samples(recording))), recording.label)
        for recording in short
    ]
    if not any(recording.label == SILENCE for recording in short):
        for recording in recordings:
            if recording.long:
                rows += [(_features(clip), SILENCE) for clip in _cut(wav.read(recording.path))]
    return stacked(rows, labels, SHAPE)


def augmented(recordings: Sequence[Recording], labels: Sequence[str], seed: int) -> Examples:
    """Return each clip once as it may be heard, and silence and cut-off words besides."""
    draw = np.random.default_rng([seed, 1])
    speech = [recording for recording in recordings if recording.label != SILENCE]
    quiet = [wav.read(recording.path) for recording in recordings if recording.label == SILENCE]
    hearer = _Hearer(draw, Mixer(draw, quiet), speech)
    rows = [
        (_features(hearer.word(speech_commands.samples(recording))), recording.label)
        for recording in speech
    ]
    per_label = len(speech) // max(1, len(labels) - 1)
    rows += [(_features(hearer.silence()), SILENCE) for _ in range(per_label)]
    rows += [(_features(hearer.fragment()), UNKNOWN) for _ in range(per_label // 2)]
    return stacked(rows, labels, SHAPE)


def mask(inputs: Features, seed: int) -> Features:
    """Return copies stretched and moved a little, with stripes of time and channels blanked.

    SpecAugment (Park et al. 2019, arXiv:1904.08779), with stripes as quiet as the front end knows.
    """
    draw = np.random.default_rng([seed, 2])
    masked = _stretched(inputs, draw)
    for row in masked:
        shift = int(draw.integers(-2, 3))
        row[:] = np.roll(row, shift, axis=0)
        if shift > 0:
            row[:shift] = -128
        elif shift < 0:
            row[shift:] = -128
        for axis, most in ((0, 8), (1, 6)):
            if draw.random() < 0.5:
                width = int(draw.integers(1, most + 1))
                start = int(draw.integers(0, row.shape[axis] - width))
                np.moveaxis(row, axis, 0)[start : start + width] = -128
    return masked


def _stretched(inputs: Features, draw: np.random.Generator) -> Features:
    """Return copies that are slower or faster, and of longer or shorter vocal tracts.

    The second moves formants and leaves the tempo (Jaitly and Hinton 2013, vocal tract length
    perturbation); channels, like ears, are about logarithmic in frequency.
    """
    count = len(inputs)
    tempo = np.exp(draw.normal(0, 0.10, (count, 1)))
    tract, offset = np.exp(draw.normal(0, 0.05, (count, 1))), draw.normal(0, 0.7, (count, 1))
    middle = (FRAMES - 1) / 2
    rows = (np.arange(FRAMES) - middle) * tempo + middle
    columns = np.arange(CHANNELS) * tract + offset
    values = inputs[..., 0].astype(np.float32)
    values = _interpolated(values, rows)
    values = _interpolated(values.transpose(0, 2, 1), columns).transpose(0, 2, 1)
    outside = (rows < -0.5) | (rows > FRAMES - 0.5)
    values[outside] = -128
    stretched: Features = np.rint(values).astype(np.int8)[..., np.newaxis]
    return stretched


def _interpolated(values: npt.NDArray[np.float32], at: npt.NDArray[Any]) -> Any:
    """Return [n, m, k] read at places [n, m] of the second axis; the ends go on beyond it."""
    below = np.clip(np.floor(at), 0, values.shape[1] - 2).astype(np.intp)
    share = np.clip(at - below, 0, 1).astype(np.float32)[..., np.newaxis]
    lower = np.take_along_axis(values, below[..., np.newaxis], 1)
    upper = np.take_along_axis(values, below[..., np.newaxis] + 1, 1)
    return lower + (upper - lower) * share


class _Hearer:
    """Puts sounds into the second that a model sees, as a microphone that runs all day would."""

    def __init__(self, draw: np.random.Generator, mixer: Mixer, words: Sequence[Recording]) -> None:
        self._draw = draw
        self._mixer = mixer
        self._words = words

    def word(self, clip: Samples) -> Samples:
        """Return sound that ends with a window in which the word of `clip` is whole."""
        speech = self._varied(clip)
        for _ in range(8):
            offset = int(self._draw.normal((WINDOW - len(speech)) / 2, 1500))
            if heard_share(speech, -offset, WINDOW - offset) >= _WHOLE:
                break
        else:
            offset = (WINDOW - len(speech)) // 2
        return self._in_stream(speech, offset)

    def fragment(self) -> Samples:
        """Return sound that ends with a window in which only a piece of a word is left."""
        speech = self._varied(self._any_word())
        for _ in range(30):
            offset = int(self._draw.integers(-len(speech), WINDOW))
            if 0.02 < heard_share(speech, -offset, WINDOW - offset) <= _FRAGMENT:
                break
        else:
            offset = WINDOW - len(speech) // 4
        return self._in_stream(speech, offset)

    def silence(self) -> Samples:
        """Return sound without speech, from digital silence to loud noise."""
        length = WINDOW + self._lead()
        decibels = float(self._draw.uniform(-10, 75))
        return to_int16(10 ** (decibels / 20) * self._mixer.background(length))

    def _any_word(self) -> Samples:
        return speech_commands.samples(self._words[int(self._draw.integers(len(self._words)))])

    def _varied(self, clip: Samples) -> Sound:
        speech = self._mixer.speed(_clip(clip).astype(np.float32))
        return self._mixer.room(speech) if self._draw.random() < 0.5 else speech

    def _lead(self) -> int:
        """Samples heard before the window: often none, as when a clip is all there is.

        Windows and leads of whole 30 ms keep the lengths of Fourier transforms smooth.
        """
        return 0 if self._draw.random() < 0.5 else 480 * int(self._draw.integers(1, 67))

    def _in_stream(self, speech: Sound, offset: int) -> Samples:
        """Return lead, then a window with `speech` from `offset` on, and noise over all of it."""
        draw = self._draw
        lead = self._lead()
        sound = np.zeros(lead + WINDOW, np.float32)
        _add(sound, speech, lead + offset)
        if lead > CLIP // 2 and draw.random() < 0.5:
            before = self._any_word().astype(np.float32)
            _add(sound[:lead], before, lead - len(before) - int(draw.integers(0, 4000)))
        loudness = max(level(speech), 1.0)
        gain = 10 ** (float(draw.uniform(-20, 6)) / 20)
        if draw.random() < 0.7:
            ratio = float(draw.uniform(3, 40))
            sound += loudness * 10 ** (-ratio / 20) * self._mixer.background(len(sound))
        return to_int16(sound * min(gain, 30000 / loudness))


def _add(target: Sound, sound: Sound, start: int) -> None:
    """Add what of `sound` lies inside `target` when it begins at `start`, which may be negative."""
    first, last = max(0, start), min(len(target), start + len(sound))
    if first < last:
        target[first:last] += sound[first - start : last - start]


def _clip(samples: Samples) -> Samples:
    """Return one second: that in which most is spoken, or all with silence around it."""
    if len(samples) >= CLIP:
        start = most_spoken(samples, CLIP)
        return samples[start : start + CLIP]
    before = (CLIP - len(samples)) // 2
    return np.pad(samples, (before, CLIP - len(samples) - before))


def _cut(samples: Samples) -> Iterator[Samples]:
    count = min(_SILENT_PER_LONG, len(samples) // CLIP)
    for start in np.linspace(0, len(samples) - CLIP, count).astype(int):
        yield samples[start : start + CLIP]


def _features(samples: Samples) -> Features:
    rows: Features = audio_features(samples, FEATURES)[-FRAMES:]
    return rows


def _synthesize(seed: int, on_progress: Callable[[int, int], None] | None) -> Dataset:
    return espeak.generate(seed=seed, on_progress=on_progress)


def _read(folder: Path) -> Dataset:
    """Return the recordings in a folder, and say of which only a second is used."""
    dataset = speech_commands.read(folder)
    longer = [
        (recording.path, seconds)
        for recording in dataset.recordings
        if not recording.long
        and recording.label not in (SILENCE, UNKNOWN)
        and (seconds := recording.path.stat().st_size / _BYTES_A_SECOND) > _LONGER_S
    ]
    if not longer:
        return dataset
    path, seconds = longer[0]
    remark = (
        f"{path} lasts {seconds:.1f} s: of it, and of {len(longer) - 1} more recordings of more "
        f"than {_LONGER_S:g} s, the second is used in which most is spoken"
    )
    return replace(dataset, remarks=(*dataset.remarks, names.shown(remark)))


def _place(label: str, speaker: str) -> str:
    """Name a recording as Speech Commands does, where it has a place for `label`."""
    name = speech_commands.name_of(speaker)
    if label == SILENCE:
        return f"_background_noise_/{name}_{{number}}.wav"
    if label == UNKNOWN:
        return f"_unknown_/word_{name}_nohash_{{number}}.wav"
    return f"{label}/{name}_nohash_{{number}}.wav"


def _check(samples: Samples, rate_hz: int, is_still: bool) -> tuple[str, str]:
    return ("", "") if is_still else check.sound(samples)


CAPTURING = Capturing(
    seconds=2.0,
    place=_place,
    active=spoken,
    check=_check,
    level=loudness,
    full_scale=32767,
    nothing="no word was heard",
    gentler="speak more softly, or move away",
    still=(SILENCE,),
)
TASK = Task(
    summary="recognise spoken words in continuous sound",
    features=FEATURES,
    stream=StreamConfig(
        stride_frames=10, average=2, threshold=0.5, refractory_ms=700, background=(0, 1)
    ),
    input_shape=SHAPE,
    input_scale=1 / 32,
    read=_read,
    synthesize=_synthesize,
    additional=espeak.generate,
    examples=examples,
    augmented=augmented,
    mask=mask,
    build_model=build_model,
    samples=speech_commands.samples,
    window=_clip,
    capturing=CAPTURING,
)
