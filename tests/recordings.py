"""A folder of "words" that are tones: quick to make, easy to learn, no program needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml.media import wav

TONES_HZ = {"yes": 600, "no": 2400}


def make(folder: Path, speakers: int = 10, clips: int = 1) -> Path:
    """Write `clips` recordings of each tone by each speaker, and a background; return `folder`."""
    draw = np.random.default_rng(5)
    time = np.arange(16000) / 16000
    for word, pitch in TONES_HZ.items():
        (folder / word).mkdir(parents=True)
        for speaker in range(speakers):
            for number in range(clips):
                tone = np.sin(2 * np.pi * pitch * draw.uniform(0.9, 1.1) * time)
                sound = 6000 * tone * np.exp(-(((time - 0.5) / 0.15) ** 2))
                sound += draw.normal(0, 20, len(time))
                name = f"{speaker:08x}_nohash_{number}.wav"
                wav.write(folder / word / name, sound.astype(np.int16))
    for number in range(3):
        noise = draw.normal(0, 300, 32000).astype(np.int16)
        (folder / "_background_noise_").mkdir(exist_ok=True)
        wav.write(folder / "_background_noise_" / f"noise{number}.wav", noise)
    return folder
