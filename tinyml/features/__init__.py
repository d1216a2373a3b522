"""Front ends: from sensor samples to what a model reads, and from its scores to events.

Written once, in C: a front end is `<name>.c` and `<name>.h` (with `<name>_*.c` where one file is
too long), copied into every firmware that uses it and compiled into the extension `_native`, which
the Python modules here only wrap. So training and device cannot differ. `recognizer.c` is shared by
all front ends. To add one: write the two C files and their wrapper, declare in `_build.py` what the
wrapper calls, and give the firmware its glue in `firmware_templates/front_ends/<name>`.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from tinyml.errors import ConfigError, nearest
from tinyml.features.audio import AudioFrontEnd, audio_features
from tinyml.features.recognizer import Event, Recognizer, RecognizerSettings
from tinyml.records import FeatureConfig

__all__ = ["AudioFrontEnd", "Event", "Recognizer", "RecognizerSettings", "audio_features", "check"]


def check(config: FeatureConfig) -> None:
    """Raise ConfigError unless there is a front end that computes what `config` describes.

    A front end's wrapper has the same function for itself.
    """
    folder = Path(__file__).parent
    known = [c.stem for c in folder.glob("*.c") if (folder / f"{c.stem}.py").is_file()]
    known.remove("recognizer")
    if config.name not in known:
        raise ConfigError(f"no front end {config.name!r}", nearest(config.name, known))
    importlib.import_module(f"{__name__}.{config.name}").check(config)
