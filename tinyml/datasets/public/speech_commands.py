"""Speech Commands 0.02 (Warden, arXiv:1804.03209): 105,829 clips of 35 words, CC BY 4.0.

Its lists say which clips are for validation and test, by a hash of the speaker; they are followed.
"""

from __future__ import annotations

from pathlib import Path

from tinyml.datasets import public
from tinyml.platforms.download import File

TASK = "keyword_spotting"
FILE = File(
    "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
    2_428_923_189,
    # As tensorflow/datasets publishes it.
    "sha256:af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
)


def fetch(folder: Path, count: int | None, on_progress: public.OnProgress) -> None:
    """Download and unpack all of it; `count` cannot be less."""
    public.refuse_count("speech_commands", count)
    public.start_over(folder)
    public.unpack(public.archive(FILE, on_progress), folder)
