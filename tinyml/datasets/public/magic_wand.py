"""TensorFlow's magic wand: wing, ring, slope and other motion, by nine people, Apache-2.0."""

from __future__ import annotations

from pathlib import Path

from tinyml.datasets import public
from tinyml.platforms.download import File

TASK = "gesture"
FILE = File(
    "https://storage.googleapis.com/download.tensorflow.org/models/tflite/magic_wand/data.tar.gz",
    # Its size is published nowhere; the SHA-1 is in SiliconLabs/mltk.
    digest="sha1:5f130f7a65db62e17e7de62d635ab7ae0f929047",
)


def fetch(folder: Path, count: int | None, on_progress: public.OnProgress) -> None:
    """Download it and unpack its text files."""
    public.refuse_count("magic_wand", count)
    public.start_over(folder)
    path = public.archive(FILE, on_progress)
    public.unpack(path, folder, _is_text)


def _is_text(name: str) -> bool:
    """Whether a file is one of recordings, and not what a Mac put beside it."""
    return name.endswith(".txt") and "/._" not in f"/{name}"
